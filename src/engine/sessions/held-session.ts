import { sha256 } from '../../contract/canonical.ts'
import { printTriple } from '../../contract/model.ts'
import { milliseconds } from '../../contract/units.ts'
import { COMPLETION_SCHEMA, DeliveryEvidence, dispatchGate, type DispatchFacts, dispatchProof, type RuntimeState, type TurnContent } from '../../gates/dispatch/index.ts'
import { readinessProof } from '../../gates/readiness/index.ts'
import type { Course, Decided } from '../course.ts'
import { EXIT_NOTICE_MS, LOCAL_WORK_MS, MARGIN_MS, STOP_GRACE_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import { sessionSubject } from '../steps/launch.ts'
import type { Handed, HandedMessage, RuntimeEnding, SessionChannel } from '../tickets/channel.ts'
import type { BegunSession } from './begin-session.ts'
import { keepRaw, type KeptRaw } from './keep-raw.ts'
import type { RuntimeManifest, TurnEnded } from './runtime.ts'
import type { AskedPermission, WatchedEvents } from './watched-events.ts'
import { anyChanged } from './workspace.ts'
import type { SessionWorld } from './world.ts'

const LOOK_EVERY_MS = 500
const DISPATCH_STATE = { starting: 'running', ready: 'idle', running: 'running', needs_input: 'running', failed: 'dead', closed: 'dead' } as const

export interface HeldParts {
  readonly world: SessionWorld
  readonly course: Course
  readonly directory: RunDirectory
  readonly events: WatchedEvents
  readonly session: string
  readonly ticket: string
  /** Whether each answer is held to the schema of a completion. */
  readonly bySchema: boolean
  /** Called when nothing of it is left. */
  closed(): void
}

/** A session that passed its gates: each message passes the dispatch gate, and enters with the proof of it. */
export class HeldSession implements SessionChannel {
  readonly #parts: HeldParts
  readonly #begun: BegunSession
  readonly #handed = new Map<string, number>()
  #last: string | undefined
  #closing: Promise<void> | undefined

  constructor(parts: HeldParts, begun: BegunSession) {
    this.#parts = parts
    this.#begun = begun
  }

  get ticket(): string {
    return this.#parts.ticket
  }

  get pid(): number {
    return this.#begun.live.process.pid
  }

  get triple(): string {
    const { runtime, chosen } = this.#begun
    return printTriple({ runtime: runtime.name, ...chosen.resolution.pair })
  }

  get cwd(): string {
    return this.#parts.directory.workspace
  }

  get run(): string {
    return this.#parts.course.run.runId
  }

  get manifest(): RuntimeManifest {
    return this.#begun.runtime.manifest
  }

  /** How a person attaches to it; null where nobody can. */
  get attach(): readonly string[] | null {
    return this.#begun.live.attach
  }

  get permissions(): readonly AskedPermission[] {
    return this.#parts.events.permissions
  }

  get lastActivityAt(): Date {
    return this.#parts.events.lastActivityAt
  }

  state(): RuntimeState {
    return this.#begun.live.state()
  }

  contextTokens(): number | null {
    return this.#begun.live.contextTokens()
  }

  effort(): string | null {
    return this.#begun.live.effort()
  }

  /** True once its proofs have ended: nothing may enter it any more. One that runs a turn comes to its end first. */
  isOver(now: Date): boolean {
    return now.getTime() >= this.#begun.until.getTime() && this.state() === 'ready'
  }

  /** Answers a permission. False if it does not wait for that one. */
  async answer(request: string, allow: boolean): Promise<boolean> {
    const taken = await this.#begun.live.answer(request, allow)
    if (taken) this.#parts.events.answered(request)
    return taken
  }

  /** Whether any of its copies differs from the one that nobody touched, committed or not. */
  changed(): Promise<boolean> {
    return anyChanged(this.#parts.world.workspaces, this.#begun.repositories)
  }

  /** What it printed so far, if nothing in it may not be shown. For people alone (MC-133). */
  transcript(): KeptRaw & { readonly totalBytes: number } {
    const raw = this.#begun.live.raw()
    return { ...keepRaw(this.#parts.world, this.#parts.session, raw), totalBytes: raw.totalBytes }
  }

  /** The verdict is durable first; then the message is handed over. A hand-over that fails is judged by the same gate again. */
  async hand({ turn, text, limitMs }: HandedMessage): Promise<Handed> {
    const { world, course } = this.#parts
    const { chosen, ready, until, live } = this.#begun
    const withdrawn = this.#begun.withdrawal()
    if (withdrawn !== undefined) return { kind: 'refused', found: `${withdrawn.reason}: ${withdrawn.found}` }
    if (world.clock().getTime() >= until.getTime()) return { kind: 'refused', found: `its proofs ended at ${until.toISOString()}; a fresh session passes its gates again` }
    readinessProof.check(ready, world.clock())
    const decided = await this.#decide(turn, text, null)
    if (!decided.ok) return { kind: DISPATCH_STATE[live.state()] === 'dead' ? 'dead' : 'refused', found: decided.verdict.outcome === 'block' ? decided.verdict.found : decided.verdict.message }
    this.#handed.set(turn, (this.#handed.get(turn) ?? 0) + 1)
    this.#last = turn
    const delivered = await live.deliver(decided.proof, { turnId: turn, text, schema: this.#parts.bySchema ? COMPLETION_SCHEMA : undefined }, AbortSignal.timeout(limitMs))
    if (delivered.outcome !== 'delivered') {
      await this.#decide(turn, text, delivered.found)
      return { kind: delivered.outcome, found: delivered.found }
    }
    const content = { deliveredAt: delivered.at.toISOString(), pid: this.pid, promptDigest: sha256(text), promptBytes: Buffer.byteLength(text), receipt: delivered.receipt }
    await course.append({ evidence: [DeliveryEvidence.state([sessionSubject(course, chosen.resolution)], content)], events: [course.event('prompt_delivered', { pid: this.pid, turn, receipt: delivered.receipt })] })
    return { kind: 'delivered', receipt: delivered.receipt }
  }

  #decide(turn: string, text: string, failure: string | null): Promise<Decided<'dispatch', TurnContent>> {
    const { world, course } = this.#parts
    const { chosen, live } = this.#begun
    const facts = (): DispatchFacts => ({
      observedAt: world.clock().toISOString(),
      validForMs: milliseconds(chosen.resolution.profile.limits.total),
      pid: this.pid,
      promptDigest: sha256(text),
      promptBytes: Buffer.byteLength(text),
      sessionState: DISPATCH_STATE[live.state()],
      // Of this turn: that the same words were said before, in a turn of their own, is no second delivery.
      deliveriesBefore: this.#handed.get(turn) ?? 0,
      phase: failure === null ? 'before' : 'failed',
      failure,
    })
    return course.decide({ definition: dispatchGate, mint: dispatchProof, subject: sessionSubject(course, chosen.resolution), timeoutMs: LOCAL_WORK_MS + MARGIN_MS, observe: () => Promise.resolve({ facts: facts() }) })
  }

  async ending(): Promise<RuntimeEnding> {
    if (this.#last === undefined) throw new Error('the end of a turn that was never handed over')
    const silent = this.#silence()
    const ended = await Promise.race([this.#parts.events.endOf(this.#last), silent.passed]).finally(() => silent.stop())
    return ended === undefined ? { kind: 'dead', found: `nothing was heard of it for ${this.#begun.chosen.resolution.profile.limits.idle}` } : this.#toldEnding(ended)
  }

  #toldEnding({ outcome, found, finalMessage, structured }: TurnEnded): RuntimeEnding {
    const plain = (text: string): string => this.#parts.world.scanner.redact(text)
    switch (outcome) {
      case 'completed':
        return { kind: 'ended', said: structured, finalMessage: finalMessage === null ? null : plain(finalMessage) }
      case 'failed':
      case 'interrupted':
        return { kind: outcome, found: plain(found) }
      case 'unknown':
        return { kind: 'dead', found: plain(found) }
    }
  }

  /** Idle: no byte of output, no movement on the wire, and nobody is asked. */
  #silence(): { readonly passed: Promise<undefined>; stop(): void } {
    const { world, events } = this.#parts
    const { chosen, grant, live } = this.#begun
    const idleMs = milliseconds(chosen.resolution.profile.limits.idle)
    let timer: NodeJS.Timeout | undefined
    const passed = new Promise<undefined>((resolve) => {
      timer = setInterval(() => {
        if (live.state() === 'needs_input') events.heard()
        const quietSince = Math.max(events.lastActivityAt.getTime(), grant.lastActivityAt()?.getTime() ?? 0)
        if (world.clock().getTime() - quietSince >= idleMs) resolve(undefined)
      }, LOOK_EVERY_MS)
    })
    return { passed, stop: () => clearInterval(timer) }
  }

  async interrupt(): Promise<void> {
    await this.#begun.live.interrupt(AbortSignal.timeout(EXIT_NOTICE_MS))
  }

  /** Ends licence, process and run, in this order: the last calls still find a place in the run. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { course, directory, world } = this.#parts
    const { live, grant, endWatch } = this.#begun
    const died = live.state() === 'closed'
    endWatch()
    await grant.revoke()
    await live.close(STOP_GRACE_MS)
    const { artefact } = this.transcript()
    if (artefact !== undefined) directory.write(`backend/transcript.${artefact.name.endsWith('.terminal') ? 'terminal' : 'jsonl'}`, artefact.content)
    directory.dropScratch()
    this.#parts.closed()
    const [to, reason] = died ? (['failed', 'runtime_dead'] as const) : (['closed', null] as const)
    await course.append({ state: { to, reason, at: world.clock() }, events: [course.event('run_ended', { state: to, ...(reason === null ? {} : { reason }) })] })
  }
}
