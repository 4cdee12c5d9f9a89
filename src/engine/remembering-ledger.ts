import { canonicalJson, sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import { isFinal, type Ledger, type LedgerWrite, rowsOf, type RunHistory, type RunSummary } from './ledger.ts'

/** What this process wrote of one run. */
interface Remembered {
  readonly opened: RunSummary
  readonly rows: string[]
  state: Pick<RunSummary, 'state' | 'reason' | 'endedAt'>
}

/**
 * The ledger as one process uses it, which remembers what it wrote. Below isolation `fs` an agent can write to the store
 * of its own run: a row put between ours, or a trigger that turns a failure into a pass, would be read back as the truth.
 * `resumed` is a run of another process that this one takes up, as it was found and verified.
 * `history` rejects with `store_tampered` unless the store gives back exactly what was written, in that order.
 */
export function rememberingLedger(ledger: Ledger, resumed?: RunHistory): Ledger {
  const runs = new Map<string, Remembered>()
  if (resumed !== undefined) runs.set(resumed.run.runId, { opened: resumed.run, rows: resumed.entries.map((entry) => `${entry.kind} ${sha256(entry.body)}`), state: resumed.run })
  let queue: Promise<unknown> = Promise.resolve()
  /** One after the other, so that the order that is remembered is the order in which the store was given the rows. */
  const inTurn = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    const done = queue.then(act, act)
    queue = done.catch(() => undefined)
    return done
  }
  return {
    list: () => ledger.list(),
    rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most),
    charged: (account) => ledger.charged(account),
    close: () => ledger.close(),
    begin: async (run) => {
      const opened = await ledger.begin(run)
      runs.set(opened.runId, { opened, rows: [], state: opened })
      return opened
    },
    append: (write) =>
      inTurn(async () => {
        await ledger.append(write)
        const run = runs.get(write.runId)
        if (run !== undefined) remember(run, write)
      }),
    history: (runId) =>
      inTurn(async () => {
        const history = await ledger.history(runId)
        const run = runs.get(runId)
        const difference = run === undefined ? undefined : history === undefined ? 'the run is not there' : differenceOf(run, history)
        if (difference === undefined) return history
        throw new PortcullisError('store_tampered', {
          asked: `run ${runId} as it was written to the ledger`,
          found: difference,
          remedy: 'Trust nothing of this run, nor of this ledger: a process that could write to it did, most likely the agent. Put the state directory out of its reach, then start again with a new ledger.',
        })
      }),
  }
}

function remember(run: Remembered, write: LedgerWrite): void {
  run.rows.push(...rowsOf(write).map((row) => `${row.kind} ${row.digest}`))
  if (write.state === undefined) return
  const { to, reason, at } = write.state
  run.state = { state: to, reason, endedAt: isFinal(to) ? at.toISOString() : null }
}

function differenceOf({ opened, rows, state }: Remembered, { run, entries }: RunHistory): string | undefined {
  const { state: to, reason, endedAt } = state
  const expected: RunSummary = { ...opened, state: to, reason, endedAt }
  if (canonicalJson(expected) !== canonicalJson(run)) return `the run is ${run.state}${run.reason === null ? '' : ` (${run.reason})`}, written was ${to}${reason === null ? '' : ` (${reason})`}`
  const at = rows.findIndex((row, index) => row !== readBack(entries[index]))
  if (at >= 0) return `row ${at + 1} is not the one that was written`
  return entries.length === rows.length ? undefined : `${entries.length} rows, of which ${rows.length} were written by the run`
}

/** By its content, not by the digest that stands beside it. */
const readBack = (entry: RunHistory['entries'][number] | undefined): string | undefined => (entry === undefined ? undefined : `${entry.kind} ${sha256(entry.body)}`)
