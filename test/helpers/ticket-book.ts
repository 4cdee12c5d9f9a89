import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { MachineClock } from '../../src/contract/clock.ts'
import { LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { type Digest, Verdict } from '../../src/contract/verdict.ts'
import { openLedger, type StoredLedger } from '../../src/adapters/store-sqlite/index.ts'
import { machineClock as systemMachineClock } from '../../src/adapters/process/index.ts'
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
  /** Somebody sets the wall clock; no time passes. */
  jump(milliseconds: number): void
  /** The same store, as another process has it. */
  second(): Promise<TicketBook>
}

/** A book over a real store, on a clock of the test. */
export async function bookForTest(context: TestContext): Promise<BookForTest> {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const ledger = await openLedger(path)
  const other = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  let waited = 0
  let jumped = 0
  const machine = systemMachineClock()
  const machineClock: MachineClock = () => ({ boot: machine().boot, ms: machine().ms + waited })
  const parts = { clock: () => new Date(Date.now() + waited + jumped), machineClock, scanner: createSecretScanner(() => []) }
  const opened = [ledger]
  context.after(async () => {
    other.close()
    for (const each of opened) await each.close()
  })
  return {
    ledger, path, other,
    book: new TicketBook({ ledger, store: ledger.tickets, ...parts }),
    wait: (milliseconds) => void (waited += milliseconds),
    jump: (milliseconds) => void (jumped += milliseconds),
    second: async () => {
      const more = await openLedger(path)
      opened.push(more)
      return new TicketBook({ ledger: more, store: more.tickets, ...parts })
    },
  }
}

const SHOWN = { _type: 'https://in-toto.io/Statement/v1' as const, subject: [{ name: 'thing', digest: { sha256: 'a'.repeat(64) } }], predicateType: 'https://portcullis.dev/evidence/example/v1' }

/** A run in the store, opened for a ticket or for none, whose gates passed; and the digest of what it holds. */
export async function runInStore({ ledger }: BookForTest, made: { readonly ticket: string | undefined; readonly state: 'accepted' | 'failed' }): Promise<{ readonly runId: string; readonly digest: Digest }> {
  const now = new Date()
  const { runId } = await ledger.begin({ kind: 'task', taskId: 'r1-string-slugify', startedAt: now })
  const at = now.toISOString()
  await ledger.append({ runId, evidence: [{ ...SHOWN, predicate: { runId } }], events: [{ type: 'run_opened', at, data: made.ticket === undefined ? {} : { ticket: made.ticket } }] })
  for (const [sequence, gate] of LIFECYCLE.entries()) {
    await ledger.append({ runId, verdict: Verdict.parse({ gate, runId, sequence, subject: SHOWN.subject, policy: { name: 'p', digest: { sha256: 'b'.repeat(64) } }, decidedAt: at, evidence: ['c'.repeat(64)], previous: null, message: 'm', outcome: 'pass', expiresAt: '2999-01-01T00:00:00.000Z' }) })
  }
  await ledger.append({ runId, state: { to: 'started', reason: null, at: now } })
  await ledger.append({ runId, state: { to: made.state, reason: made.state === 'failed' ? 'review_failed' : null, at: now } })
  const digest = (await ledger.history(runId))?.entries.find(({ kind }) => kind === 'evidence')?.digest
  if (digest === undefined) throw new Error('the run holds no evidence')
  return { runId, digest }
}
