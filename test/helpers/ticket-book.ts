import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { openLedger, type StoredLedger } from '../../src/adapters/store-sqlite/index.ts'
import { createSecretScanner } from '../../src/adapters/secret-scan/index.ts'
import { TicketBook, type TicketDraft } from '../../src/engine/index.ts'
import type { Actor } from '../../src/gates/dispatch/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const actor = (id: string, kind: Actor['kind'] = 'service'): Actor => ({ id, kind, holder: `tok_${id}` })
export const OPERATOR = actor('elmar', 'human')

export const DRAFT: TicketDraft = { title: 'Provider profile health-probe', description: 'Add a probe', priority: 'medium', project: 'mission-control', kind: 'code', labels: [], source: null, acceptance: [], repositories: [] }

export interface BookForTest {
  readonly ledger: StoredLedger
  readonly book: TicketBook
  readonly path: string
  /** Another connection, as anybody who can reach the file has one. */
  readonly other: DatabaseSync
  wait(milliseconds: number): void
  /** The same store, as another process has it. */
  second(): Promise<TicketBook>
}

/** A book over a real store, on a clock of the test. */
export async function bookForTest(context: TestContext): Promise<BookForTest> {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const ledger = await openLedger(path)
  const other = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  let waited = 0
  const parts = { clock: () => new Date(Date.now() + waited), scanner: createSecretScanner(() => []) }
  const opened = [ledger]
  context.after(async () => {
    other.close()
    for (const each of opened) await each.close()
  })
  return {
    ledger, path, other,
    book: new TicketBook({ ledger, store: ledger.tickets, ...parts }),
    wait: (milliseconds) => void (waited += milliseconds),
    second: async () => {
      const more = await openLedger(path)
      opened.push(more)
      return new TicketBook({ ledger: more, store: more.tickets, ...parts })
    },
  }
}
