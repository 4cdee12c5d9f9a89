import { milliseconds } from '../../contract/units.ts'
import type { Objection } from '../../gates/acceptance/index.ts'
import type { Resolution } from '../../gates/catalog/index.ts'
import type { Grant } from '../../gates/wire/index.ts'
import type { Exceeded } from '../../gates/launch/index.ts'
import type { AgentOutcome, AgentSession } from '../agent.ts'
import { STOP_GRACE_MS } from '../limits.ts'
import type { World } from '../world.ts'

/** How a turn came to its end. `limit` is set if Portcullis ended it, `cancelled` if a person did. */
export interface EndedTurn {
  readonly outcome: AgentOutcome
  readonly limit: 'total' | 'idle' | null
  readonly cancelled: boolean
  readonly objection: Objection | null
}

/** What is noticed of an agent while it runs. */
export interface Activity {
  lastHeardAt: number
  /** The first bound of its profile that it went beyond. */
  exceeded: Exceeded | undefined
}

const LOOK_EVERY_MS = 100

/**
 * Waits until the agent has ended, and ends it, its group and all descendants, when a limit of its profile is reached or
 * the run is cancelled. Idle means: no byte of output and no movement on the wire. The timers do not outlive the turn.
 */
export async function awaitTurn(world: World, resolution: Resolution, session: AgentSession, grant: Grant, activity: Activity, cancelled: AbortSignal): Promise<EndedTurn> {
  const { limits } = resolution.profile
  const deadline = world.clock().getTime() + milliseconds(limits.total)
  const idleMs = milliseconds(limits.idle)
  let ended: 'total' | 'idle' | 'cancelled' | undefined
  let timer: NodeJS.Timeout | undefined
  const stopping = new Promise<void>((resolve, reject) => {
    timer = setInterval(() => {
      const now = world.clock().getTime()
      const quietSince = Math.max(activity.lastHeardAt, grant.lastActivityAt()?.getTime() ?? 0)
      ended = cancelled.aborted ? 'cancelled' : now >= deadline ? 'total' : now - quietSince >= idleMs ? 'idle' : undefined
      if (ended === undefined) return
      clearInterval(timer)
      session.stop(STOP_GRACE_MS).then(resolve, reject)
    }, LOOK_EVERY_MS)
  })
  try {
    const outcome = await Promise.race([session.finished, stopping.then(() => session.finished)])
    return { outcome, limit: ended === 'total' || ended === 'idle' ? ended : null, cancelled: ended === 'cancelled', objection: session.objection(outcome, grant.lastWords()?.text ?? null) }
  } finally {
    clearInterval(timer)
    // Also after a clean end: what the agent left running must not go on writing while its work is judged.
    await session.stop(STOP_GRACE_MS)
  }
}

/** True if the agent ends by itself within the time. The timer does not outlive the wait. */
export async function endsWithin(session: AgentSession, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  try {
    return await Promise.race([session.finished.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
