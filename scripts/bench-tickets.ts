import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { machineClock } from '../src/adapters/process/index.ts'
import { createSecretScanner } from '../src/adapters/secret-scan/index.ts'
import { openLedger } from '../src/adapters/store-sqlite/index.ts'
import { systemClock } from '../src/contract/clock.ts'
import { claimNext, TicketBook } from '../src/engine/index.ts'
import { applyEvent, NO_RUNTIME, PRIORITIES, TicketEvent } from '../src/gates/dispatch/index.ts'

/** What is asked for: a claim in under 5 ms where 100,000 tickets are stored. */
const TICKETS = 100_000
const TARGET_MS = 5
const CLAIMS = 500
const FILLED_TOGETHER = 500

export const TicketFigures = z.object({ tickets: z.number(), medianMs: z.number(), p99Ms: z.number(), within: z.boolean() })
export type TicketFigures = z.infer<typeof TicketFigures>

/** Claims of the next ticket, one after the other, each durable before the next is asked for. */
export async function measureTickets(): Promise<TicketFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'))
  try {
    const ledger = await openLedger(join(directory, 'ledger.db'))
    const { runId } = await ledger.begin({ kind: 'tickets', taskId: 'tickets', startedAt: new Date() })
    const actor = { id: 'bench', kind: 'service', holder: 'local' } as const
    const write = (number: number) => {
      const at = new Date().toISOString()
      const set = {
        number, title: `Ticket ${number}`, description: 'x'.repeat(300), source: null, priority: PRIORITIES[number % PRIORITIES.length] ?? 'low', project: 'bench', kind: 'code', labels: [], requester: 'bench', owner: null, state: 'todo', reason: null, resolution: null, runtime: NO_RUNTIME,
        epoch: 0, claim: null, triage: null, acceptance: [], phases: null, phase: 0, repositories: [], dispatch_failures: 0, review_rejections: 0, findings: [], retry_at: null, terminal: null, attachments: [], evidence: [], runs: [], created_at: at, state_since: at,
      }
      const event = TicketEvent.parse({ ticket: `T-${number}`, sequence: 1, kind: 'created', at, actor, origin: 'observed', text: null, data: {}, set })
      return ledger.append({ runId, ticket: { event, ticket: applyEvent(undefined, event) } })
    }
    for (let first = 1; first <= TICKETS; first += FILLED_TOGETHER) await Promise.all(Array.from({ length: FILLED_TOGETHER }, (_each, index) => write(first + index)))
    const book = new TicketBook({ ledger, store: ledger.tickets, clock: systemClock, machineClock: machineClock(), scanner: createSecretScanner(() => []) })
    const tookMs: number[] = []
    for (let count = 0; count < CLAIMS; count += 1) {
      const startedAtMs = performance.now()
      const claimed = await claimNext(book, actor, { leaseMs: 60_000, owners: 'any' })
      tookMs.push(performance.now() - startedAtMs)
      if (claimed === undefined) throw new Error('Expected a ticket to claim, got none')
    }
    await ledger.close()
    const sorted = tookMs.toSorted((one, other) => one - other)
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
    return { tickets: TICKETS, medianMs: at(0.5), p99Ms: at(0.99), within: at(0.5) < TARGET_MS }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export const printTickets = ({ tickets, medianMs, p99Ms, within }: TicketFigures): string =>
  `A claim with ${tickets.toLocaleString('en')} tickets in the store: ${medianMs.toFixed(2)} ms in the median, ${p99Ms.toFixed(2)} ms for 99 of 100 (${within ? 'within' : 'NOT within'} ${TARGET_MS} ms)\n`

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean' } } })
  const figures = await measureTickets()
  process.stdout.write(values.json === true ? `${JSON.stringify(figures)}\n` : printTickets(figures))
}
