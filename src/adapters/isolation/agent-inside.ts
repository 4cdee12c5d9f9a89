import { setTimeout as wait } from 'node:timers/promises'
import { childrenOf, commandLineOf } from '../process/index.ts'

/** Far more than the start of a relay takes, on a machine that is overloaded too. */
const START_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 12

/**
 * The pid by which this machine knows the agent inside a seal, found by its place: bubblewrap starts the first process of the
 * namespace, that one starts the agent, or the relay which starts it. Which program it is must be looked at then: this only says
 * where it stands. Undefined if it ended before it could be found, or took too long.
 */
export async function agentInside(seal: { readonly pid: number; readonly exited: Promise<unknown> }, relayed: boolean): Promise<number | undefined> {
  let ended = false
  void seal.exited.then(() => (ended = true))
  const limit = performance.now() + START_LIMIT_MS
  for (;;) {
    const found = descend(seal.pid, relayed ? 3 : 2)
    if (found !== undefined) return found
    if (ended || performance.now() > limit) return undefined
    await wait(LOOK_EVERY_MS)
  }
}

/** The first child, generation after generation. One that still has its parent's command line has not become its own program yet. */
function descend(from: number, generations: number): number | undefined {
  let pid = from
  for (let generation = 1; generation <= generations; generation++) {
    // What loses its parent becomes a child of the first process of the namespace, and is younger than the agent.
    const [child] = childrenOf(pid).toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
    if (child === undefined || !child.alive) return undefined
    const isInit = generation === 1
    if (!isInit && commandLineOf(child.pid) === commandLineOf(pid)) return undefined
    pid = child.pid
  }
  return pid
}
