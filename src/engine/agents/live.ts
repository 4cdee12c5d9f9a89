import type { Reason } from '../../contract/reasons.ts'
import { milliseconds } from '../../contract/units.ts'
import type { Verdict } from '../../contract/verdict.ts'
import { agentReadinessGate, type AgentPath, agentReadyProof, type AgentReadinessFacts, agentSubject, missingParts, type MissingPart, spelled } from '../../gates/readiness/index.ts'
import type { RunEvent } from '../ledger.ts'
import { LOCAL_WORK_MS, STOP_GRACE_MS } from '../limits.ts'
import type { Generation } from './generation.ts'
import { lookAt } from './look.ts'
import type { AgentStage } from './states.ts'
import type { AgentChange } from './store.ts'
import { type AgentCause, transition } from './transition.ts'
import type { AgentWorld } from './world.ts'

/** So often in a row may an agent that had proven itself be out of reach. */
export const MOST_FAILURES = 3
/** How long between two looks at an agent that is still starting. */
export const STARTING_LOOK_MS = 250
/** So much of the interval lies between two looks: what is lost just after one is then noticed within the interval, with the time that the next takes. */
const OF_THE_INTERVAL = 0.9

/** A generation of an agent that this process holds: looks at it, judges it, and writes what follows. */
export class LiveAgent {
  readonly generation: Generation
  readonly #world: AgentWorld
  readonly #deadlineMs: number
  #state: 'provisioning' | 'online' | 'degraded' | 'draining' | 'over' = 'provisioning'
  #stage: AgentStage = 'provisioning'
  #failures = 0
  #nextLightMs: number
  #nextFullMs: number
  /** Until when its last proof counts, by the wall clock. */
  #provenUntilMs = Number.POSITIVE_INFINITY
  /** Under which path the next proof is asked for. */
  #path: AgentPath
  #endpoint: string | null = null
  #wasOnline = false
  #processGone = false
  #looks = new AbortController()
  #holds = 0

  constructor(world: AgentWorld, generation: Generation, path: AgentPath, standing: 'provisioning' | 'degraded') {
    const now = world.machineClock().ms
    this.generation = generation
    this.#world = world
    this.#path = path
    this.#state = standing
    this.#deadlineMs = now + milliseconds(generation.definition.startup)
    this.#nextLightMs = now
    this.#nextFullMs = now
  }

  get state(): 'provisioning' | 'online' | 'degraded' | 'draining' | 'over' {
    return this.#state
  }

  /** True once its generation has ended; nothing can follow but another one. */
  get over(): boolean {
    return this.#state === 'over'
  }

  /** Where it is asked; null until its first proof. */
  get endpoint(): string | null {
    return this.#endpoint
  }

  get wasOnline(): boolean {
    return this.#wasOnline
  }

  /** True once a look found that its own process has ended. */
  get processGone(): boolean {
    return this.#processGone
  }

  /** True if a look at it is due. */
  due(): boolean {
    if (this.generation.withdrawal() !== undefined) return true
    // Who drains proves nothing any more: what it answers now, it answers under the proof that it had.
    return this.#state !== 'draining' && (this.#proofIsOver() || this.#nowMs >= Math.min(this.#nextLightMs, this.#nextFullMs))
  }

  /** Looks follow each other as time passes, whatever somebody sets the clock to: none is skipped, and none made twice (REL-07). */
  get #nowMs(): number {
    return this.#world.machineClock().ms
  }

  /** Its proof names an instant. Once the wall clock is past it nobody may use the agent, so it is asked again at once. */
  #proofIsOver(): boolean {
    return this.#state === 'online' && this.#world.clock().getTime() >= this.#provenUntilMs
  }

  get #betweenLooksMs(): number {
    return milliseconds(this.generation.definition.recheck) * OF_THE_INTERVAL
  }

  /** Has it prove everything again as soon as possible. */
  askAgain(path: AgentPath): void {
    this.#path = path
    this.#nextFullMs = Number.NEGATIVE_INFINITY
  }

  /**
   * Breaks off the look that is being taken, and has none begin until the function that it gives is called: whoever ends an agent
   * does not wait for its answers. What was seen by then is not judged, so that it neither raises nor lowers anybody.
   */
  holdLooks(): () => void {
    this.#holds += 1
    this.#looks.abort()
    return () => {
      this.#holds -= 1
      if (this.#holds === 0) this.#looks = new AbortController()
    }
  }

  /** One look, as deep as is due, and what follows from it. Rejects only if the store or the evidence fails: then nothing has changed. */
  async look(): Promise<void> {
    const { signal } = this.#looks
    const withdrawal = this.generation.withdrawal()
    if (withdrawal !== undefined) return this.ended(withdrawal.reason, withdrawal.found)
    if (this.#state === 'draining' || signal.aborted) return
    const beganMs = this.#nowMs
    const full = this.#state !== 'online' || beganMs >= this.#nextFullMs || this.#proofIsOver()
    const facts = await lookAt(this.#world, this.generation, full ? 'full' : 'light', this.#path, signal)
    if (signal.aborted) return
    const parts = missingParts(facts)
    this.#schedule(full, beganMs)
    if (this.#state === 'provisioning') return this.#judgeStart(facts, parts)
    if (parts.length > 0) return this.#judgeLoss(facts, parts)
    if (full) return this.#judge(facts, (verdict) => this.#proven(verdict, facts))
    this.#failures = 0
  }

  #schedule(full: boolean, beganMs: number): void {
    const now = this.#nowMs
    const { recheck, reprove } = this.generation.definition
    this.#nextLightMs = this.#state === 'provisioning' ? now + STARTING_LOOK_MS : beganMs + this.#betweenLooksMs
    if (full) this.#nextFullMs = now + (this.#state === 'provisioning' ? STARTING_LOOK_MS : this.#state === 'degraded' ? milliseconds(recheck) : milliseconds(reprove))
  }

  /**
   * While it starts, being out of reach is borne until its time is over, its own and that of its tool servers, and so is having asked no
   * model where somebody else has to bring the agent its token first; anything else that is missing ends it at once.
   */
  async #judgeStart(facts: AgentReadinessFacts, parts: readonly MissingPart[]): Promise<void> {
    const unreached = parts.every((part) => part.reason === 'agent_probe_error' || part.reason === 'agent_probe_timeout')
    const unused = this.#hasNotUsedItsToken()
    const waiting = parts.length > 0 && parts.every((part) => part.passing || (unused && part.reason === 'missing_model'))
    if (facts.card.status === 'read') this.#stage = 'readiness'
    if (!waiting) {
      if (facts.card.status === 'refused') this.#stage = 'register'
      return this.#judge(facts, (verdict) => this.#proven(verdict, facts))
    }
    if (this.#nowMs < this.#deadlineMs) return
    if (!unreached) return this.#judge(facts, (verdict) => this.#proven(verdict, facts))
    const message = `not ready within ${this.generation.definition.startup}; the last stage that was completed: ${this.#stage === 'readiness' ? 'its card was read' : 'it was provisioned, and never registered'}`
    return this.#judge(facts, () => this.#failed('provision_timeout', message, facts))
  }

  #hasNotUsedItsToken(): boolean {
    const { own, grant } = this.generation
    return own === null && !grant.calls().some(({ call }) => call.purpose === 'agent')
  }

  async #judgeLoss(facts: AgentReadinessFacts, parts: readonly MissingPart[]): Promise<void> {
    const failures = this.#failures + 1
    this.#processGone ||= parts.some((part) => part.reason === 'agent_not_started')
    const borne = parts.every((part) => part.passing) && failures < MOST_FAILURES
    const reason = parts[0]?.reason ?? 'gate_crashed'
    const message = `${parts.map((part) => `${spelled(part.reason)}: expected ${part.expected}, observed ${part.observed}`).join('; ')}${failures > 1 ? ` (${failures} times in a row)` : ''}`
    return this.#judge(facts, () => (borne ? { kind: 'unready', to: 'degraded', stage: 'serving', reason, message, failures, facts } : this.#failed(reason, message, facts)))
  }

  /** Whatever the gate says: only its own passing verdict leads to online, and everything else lowers. */
  async #judge(facts: AgentReadinessFacts, causeOf: (verdict: Verdict) => AgentCause): Promise<void> {
    const { course, identity } = this.generation
    let change: AgentChange | undefined
    const decided = await course.decide({
      definition: agentReadinessGate,
      mint: agentReadyProof,
      subject: agentSubject(identity.name, identity.runId, identity.generation),
      timeoutMs: LOCAL_WORK_MS,
      observe: () => Promise.resolve({ facts }),
      together: (verdict) => {
        change = transition(identity, causeOf(verdict), this.#world.clock())
        return { agent: change, events: [this.#changed(change)] }
      },
    })
    if (decided.verdict.outcome === 'pass') this.#provenUntilMs = Date.parse(decided.verdict.expiresAt)
    this.#took(change, decided.ok ? decided.proof.endpoint : null)
    if (this.#state === 'over') await this.#end(change?.reason ?? 'gate_crashed')
  }

  #proven(verdict: Verdict, facts: AgentReadinessFacts): AgentCause {
    if (verdict.outcome === 'pass') return { kind: 'proven', verdict, facts }
    return this.#failed(verdict.reason, 'found' in verdict ? verdict.found : verdict.message, facts)
  }

  #failed(reason: Reason, message: string, facts: AgentReadinessFacts | null): AgentCause {
    return { kind: 'unready', to: 'failed', stage: this.#state === 'provisioning' ? this.#stage : 'serving', reason, message, failures: this.#failures + 1, facts }
  }

  #changed({ to, stage, reason, message, generation, name }: AgentChange): RunEvent {
    return this.generation.course.event('agent_changed', { agent: name, generation, state: to, stage, reason: reason === null ? null : spelled(reason), message: this.#world.scanner.redact(message).slice(0, 4_000).toWellFormed(), path: this.#path })
  }

  #took(change: AgentChange | undefined, endpoint: string | null): void {
    if (change === undefined) return
    const wasOnline = this.#state === 'online'
    this.#failures = change.failures
    this.#state = change.to === 'online' || change.to === 'degraded' || change.to === 'draining' ? change.to : 'over'
    if (change.to === 'online') {
      this.#endpoint = endpoint
      this.#wasOnline = true
      this.#path = 're_proof'
      const now = this.#nowMs
      this.#nextFullMs = now + milliseconds(this.generation.definition.reprove)
      if (!wasOnline) this.#nextLightMs = now + this.#betweenLooksMs
    } else if (change.to === 'degraded') this.#nextFullMs = this.#nextLightMs
  }

  /** Ends the generation as failed, by something that was seen otherwise than by a look: its process is gone, its model is not admitted any more. */
  async ended(reason: Reason, found: string): Promise<void> {
    if (this.over) return
    await this.#move(this.#failed(reason, found, null))
    await this.#end(reason)
  }

  /** Lowers an agent that says itself that it is not well. Nothing that it says raises it. */
  async unwell(): Promise<void> {
    if (this.#state !== 'online') return
    await this.#move({ kind: 'unready', to: 'degraded', stage: 'serving', reason: 'agent_lost', message: 'its heartbeat says that it is not well', failures: this.#failures, facts: null })
  }

  /** No new message from now on; what it answers already goes on until it is stopped. */
  async drain(message: string, reason: Reason): Promise<void> {
    if (this.#state === 'over' || this.#state === 'draining') return
    await this.#move({ kind: 'moved', to: 'draining', stage: 'ended', reason, message })
  }

  /** Ends the generation in order: no new message, then no process and no licence. */
  async stop(message: string, reason: Reason): Promise<void> {
    if (this.#state === 'over') return
    await this.drain(message, reason)
    await this.#release()
    await this.#move({ kind: 'moved', to: 'offline', stage: 'ended', reason, message })
    await this.#endRun(this.#wasOnline ? null : 'agent_stopped')
  }

  async #move(cause: AgentCause): Promise<void> {
    const change = transition(this.generation.identity, cause, this.#world.clock())
    await this.generation.course.append({ agent: change, events: [this.#changed(change)] })
    this.#took(change, null)
  }

  /** The agent is unroutable already; what it may still do ends now, and with it its run. */
  async #end(reason: Reason): Promise<void> {
    await this.#release()
    await this.#endRun(reason)
  }

  async #release(): Promise<void> {
    const { endWatch, grant, own } = this.generation
    endWatch()
    // Before the run ends, so that the last calls still find a place in it.
    await grant.revoke()
    await own?.session.stop(STOP_GRACE_MS)
    // Raw output that nobody has scanned, and the settings of the agent, do not outlive it.
    own?.directory.dropScratch()
  }

  async #endRun(reason: Reason | null): Promise<void> {
    const to = reason === null ? 'closed' : this.generation.own === null ? 'blocked' : 'failed'
    const { course } = this.generation
    await course.append({ state: { to, reason, at: this.#world.clock() }, events: [course.event('run_ended', reason === null ? { state: to } : { state: to, reason })] })
  }
}
