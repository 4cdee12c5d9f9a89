import { sha256 } from '../../contract/canonical.ts'
import { withinLimit } from '../../contract/time-limit.ts'
import { milliseconds } from '../../contract/units.ts'
import type { Resolution } from '../../gates/catalog/index.ts'
import { DeliveryEvidence, dispatchGate, dispatchProof, type DispatchFacts, type TurnContent } from '../../gates/dispatch/index.ts'
import { type Ready, readinessProof } from '../../gates/readiness/index.ts'
import type { AgentSession } from '../agent.ts'
import type { Course, Decided } from '../course.ts'
import { withLimit } from '../deadline.ts'
import { LOCAL_WORK_MS, MARGIN_MS } from '../limits.ts'
import type { World } from '../world.ts'
import { sessionSubject } from './launch.ts'

/**
 * Gate 6: one prompt enters the session, once. The verdict is durable first; then the prompt is handed over. A hand-over
 * that fails, or that is given up because the run is cancelled, is judged by the same gate again, so that the chain ends with what
 * really happened.
 */
export async function dispatchPrompt(world: World, course: Course, resolution: Resolution, ready: Ready, session: AgentSession, prompt: string, cancelled: AbortSignal): Promise<Decided<'dispatch', TurnContent>> {
  readinessProof.check(ready, world.clock())
  const decided = await decideDispatch(world, course, resolution, session, prompt, null)
  if (!decided.ok) return decided
  const idleMs = milliseconds(resolution.profile.limits.idle)
  // A session keeps the limit itself; one that does not would keep the run for ever.
  const delivery = await withLimit(session.deliver(decided.proof, prompt, withinLimit(idleMs, cancelled)), idleMs + MARGIN_MS)
  if (delivery === undefined) return decideDispatch(world, course, resolution, session, prompt, `nothing was heard of it within ${idleMs} ms`)
  if (!delivery.ok) return decideDispatch(world, course, resolution, session, prompt, delivery.refusal.found)
  const delivered = { deliveredAt: world.clock().toISOString(), pid: session.process.pid, promptDigest: sha256(prompt), promptBytes: Buffer.byteLength(prompt), receipt: delivery.receipt }
  await course.append({
    evidence: [DeliveryEvidence.state([sessionSubject(course, resolution)], delivered)],
    events: [course.event('prompt_delivered', { pid: session.process.pid, receipt: delivery.receipt })],
  })
  return decided
}

function decideDispatch(world: World, course: Course, resolution: Resolution, session: AgentSession, prompt: string, failure: string | null): Promise<Decided<'dispatch', TurnContent>> {
  const facts = (): DispatchFacts => ({
    observedAt: world.clock().toISOString(),
    validForMs: milliseconds(resolution.profile.limits.total),
    pid: session.process.pid,
    promptDigest: sha256(prompt),
    promptBytes: Buffer.byteLength(prompt),
    sessionState: session.state(),
    deliveriesBefore: failure === null ? 0 : 1,
    phase: failure === null ? 'before' : 'failed',
    failure,
  })
  return course.decide({
    definition: dispatchGate,
    mint: dispatchProof,
    subject: sessionSubject(course, resolution),
    timeoutMs: LOCAL_WORK_MS + MARGIN_MS,
    observe: () => Promise.resolve({ facts: facts() }),
  })
}
