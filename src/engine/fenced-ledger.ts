import type { Ledger } from './ledger.ts'
import type { Fence } from './queue.ts'

/** The ledger as whoever holds a claim uses it: a run of a task is an attempt of the claim, and every write comes under it. Rejects with `claim_lost` once somebody has taken it over. */
export const fencedLedger = (ledger: Ledger, fence: Fence): Ledger => ({
  list: () => ledger.list(),
  history: (runId) => ledger.history(runId),
  rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most),
  charged: (account) => ledger.charged(account),
  close: () => ledger.close(),
  // What a reviewer is asked has a run of its own, which is no attempt; it is written under the claim all the same.
  begin: (run) => ledger.begin(run.kind === 'task' ? { ...run, fence } : run),
  append: (write) => ledger.append({ ...write, fence }),
})
