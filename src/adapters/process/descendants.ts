import { setTimeout as wait } from 'node:timers/promises'
import { systemCode } from '../../contract/errors.ts'
import { environmentHolds, processRow, processTable, type ProcessRow } from './process-table.ts'

/** The name of the variable that marks every process of one start, so that one that left its group and its parent is still found. */
export const MARKER_NAME = 'PORTCULLIS_PROCESS'

/** SIGKILL is repeated until nothing is left, because a process may fork while it is being looked for; this long at most. */
const KILL_LIMIT_MS = 5_000
const POLL_MS = 15

/**
 * The leader and everything that came from it: its group, its session, its children's children, and whatever carries its
 * marker. Once seen, a process stays known, also when its parent has died since.
 * Not found: a process that cleared its environment, left the session and lost its parent before the first look.
 */
export class Descendants {
  readonly #leader: number | undefined
  readonly #marker: string
  readonly #sealed: boolean
  readonly #since: number
  readonly #known = new Map<number, number>()

  /**
   * Without a leader, which is not known before it has started, they are found by the marker and by their parents. Of a sealed
   * program the leader is only the seal: killed, it takes everything inside with it, so it is not asked to end.
   */
  constructor(leader: number | undefined, marker: string, sealed = false) {
    this.#leader = leader
    this.#marker = marker
    this.#sealed = sealed
    // 0 if it has gone already: then every process of the machine is asked for the marker.
    this.#since = leader === undefined ? 0 : (processRow(leader)?.startTicks ?? 0)
    if (leader !== undefined && this.#since > 0) this.#known.set(leader, this.#since)
  }

  /** Every one that is alive now. */
  alive(): ProcessRow[] {
    const table = processTable()
    // Older processes cannot have come from ours; this also keeps us away from a pid that was given away before.
    const candidates = table.filter((row) => row.startTicks >= this.#since && row.pid !== process.pid)
    for (const [pid, startTicks] of this.#known) {
      if (!candidates.some((row) => row.pid === pid && row.startTicks === startTicks)) this.#known.delete(pid)
    }
    for (const row of candidates) {
      const ours = row.group === this.#leader || row.session === this.#leader || environmentHolds(row.pid, `${MARKER_NAME}=${this.#marker}`)
      if (ours) this.#known.set(row.pid, row.startTicks)
    }
    for (let before = -1; before !== this.#known.size; ) {
      before = this.#known.size
      for (const row of candidates) if (this.#known.has(row.parent)) this.#known.set(row.pid, row.startTicks)
    }
    return candidates.filter((row) => row.alive && this.#known.get(row.pid) === row.startTicks)
  }

  /** Sends a signal to each; one that has gone meanwhile is no fault. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    for (const row of this.alive()) {
      if (this.#sealed && row.pid === this.#leader && signal === 'SIGTERM') continue
      // Asked once more: the pid must not have gone to a stranger since the table was read.
      if (processRow(row.pid)?.startTicks === row.startTicks) sendSignal(row.pid, signal)
    }
  }

  /** Waits until none is alive, or the time given by `until` (a performance.now() value, asked anew each round). True if none is. */
  async gone(until: () => number): Promise<boolean> {
    while (this.alive().length > 0) {
      if (performance.now() >= until()) return false
      await wait(POLL_MS)
    }
    return true
  }

  /** Kills until none is alive. False if some survived the limit (another user's, or stuck in the kernel). */
  async kill(): Promise<boolean> {
    const until = performance.now() + KILL_LIMIT_MS
    do {
      this.signal('SIGKILL')
      if (await this.gone(() => Math.min(until, performance.now() + POLL_MS))) return true
    } while (performance.now() < until)
    return false
  }
}

function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EPERM') return
    throw error
  }
}
