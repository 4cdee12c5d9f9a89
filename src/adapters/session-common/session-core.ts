import { PortcullisError } from '../../contract/errors.ts'
import type { AgentProcess } from '../../engine/agent.ts'
import type { Delivered, LiveSession, LiveState, OpenSession, RawRecord, RuntimeManifest, SessionEvent, TurnEnded, TurnMessage } from '../../engine/sessions/runtime.ts'
import { spendTurn, type Turn } from '../../gates/dispatch/index.ts'
import { unlessAborted } from '../runtime-process/index.ts'
import { clip } from './lines.ts'
import { RawKeeper } from './raw-keeper.ts'

/** What the runtime says to a message that was written. */
export type Submitted =
  | { readonly outcome: 'received'; readonly receipt: string; readonly nativeTurn: string | null }
  | { readonly outcome: 'rejected'; readonly found: string }
  | { readonly outcome: 'lost'; readonly found: string }

/** What differs from one runtime to the next; it speaks, and the core keeps the turns. */
export interface SessionDriver {
  /** Why a message cannot be written as it stands; undefined if it can, or where every one can. */
  problemOf?(message: TurnMessage): string | undefined
  /** Writes the message and resolves with the runtime's own word for it, however late. */
  submit(message: TurnMessage): Promise<Submitted>
  /** Resolves with true when the runtime took the request. */
  interrupt(): Promise<boolean>
  answer(requestId: string, allow: boolean): Promise<boolean>
}

/** How a runtime says that a turn ended; the core adds what it counted itself. */
export type TurnEnding = Pick<TurnEnded, 'outcome' | 'found'> & { readonly finalMessage?: string | null; readonly structured?: unknown }

interface RunningTurn {
  readonly turnId: string
  readonly startedAt: number
  readonly startTokens: number | null
  lastMessage: string | null
}

const RAW = { headBytes: 262_144, tailBytes: 262_144 }

/**
 * The turns of one session, whatever it speaks. Its one rule: what is not known to be `ready` gets nothing. So the state turns to
 * `running` before the first byte is written, and back to `ready` only by the end of that turn in the runtime's own channel.
 */
export class SessionCore {
  readonly #open: OpenSession
  readonly #manifest: RuntimeManifest
  readonly #raw = new RawKeeper(RAW)
  readonly #waitingForState = new Set<() => void>()
  readonly #permissions = new Set<string>()
  #state: LiveState = 'starting'
  #turn: RunningTurn | undefined
  /** A message of somebody else runs: typed by who is attached. */
  #foreign = false
  #tokens: number | null = null
  #effort: string | null

  constructor(open: OpenSession, manifest: RuntimeManifest) {
    this.#open = open
    this.#manifest = manifest
    this.#effort = open.request.profile.effort ?? null
  }

  get state(): LiveState {
    return this.#state
  }

  get turnId(): string | null {
    return this.#turn?.turnId ?? null
  }

  readonly onRaw = (chunk: Buffer): void => this.#raw.add(chunk)

  /** The runtime is there, with nothing to do. Only the first time, and after the end of a turn. */
  becameReady(): void {
    if (this.#state === 'starting') this.#become('ready')
  }

  becameUnusable(): void {
    if (this.#state !== 'closed') this.#become('failed')
  }

  said(text: string): void {
    if (this.#turn !== undefined) this.#turn.lastMessage = clip(text)
    this.#emit({ kind: 'message', turnId: this.turnId, text: clip(text) })
  }

  usedTool(callId: string, name: string): void {
    this.#emit({ kind: 'tool_call', turnId: this.turnId, callId, name })
  }

  countedTokens(tokens: number): void {
    this.#tokens = tokens
  }

  namedEffort(effort: string): void {
    this.#effort = effort
  }

  asked(requestId: string, tool: string): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    this.#permissions.add(requestId)
    this.#become('needs_input')
    this.#emit({ kind: 'permission', turnId: this.turnId, requestId, tool })
  }

  /** Somebody answered what the session waited for, in its own terminal. */
  answeredElsewhere(): void {
    this.#permissions.clear()
    if (this.#state === 'needs_input') this.#become('running')
  }

  /** A message that is not ours entered. The session is busy with it, and nothing of ours may enter. */
  foreignTurn(nativeTurn: string | null): void {
    if (this.#state !== 'ready') return
    this.#foreign = true
    this.#become('running')
    this.#emit({ kind: 'foreign_turn', nativeTurn })
  }

  /** The runtime says that the turn which runs is over. An end without a turn says that we do not know what it does. */
  turnEnded(ending: TurnEnding): void {
    if (this.#state === 'closed') return
    if (this.#turn === undefined && !this.#foreign) return this.becameUnusable()
    this.#finish(ending)
    if (this.#state !== 'failed') this.#become('ready')
  }

  /** The live session that others see. */
  session<Process extends AgentProcess>(process: Process, driver: SessionDriver, about: { readonly nativeId: () => string | null; readonly attach: readonly string[] | null; readonly raw?: () => RawRecord }): LiveSession<Process> {
    void process.exited.then((exit) => this.#closed(exit))
    const { id, state } = { id: this.#open.request.sessionId, state: () => this.#state }
    return {
      id,
      get nativeId() {
        return about.nativeId()
      },
      process,
      attach: about.attach,
      state,
      ready: (signal) => this.#ready(signal),
      deliver: (turn, message, signal) => this.#deliver(process, driver, { turn, message, signal }),
      answer: (requestId, allow) => this.#answer(driver, requestId, allow),
      interrupt: (signal) => this.#interrupt(process, driver, signal),
      close: (graceMs) => process.stop(graceMs),
      raw: about.raw ?? (() => this.#raw.record('protocol')),
      contextTokens: () => this.#tokens,
      effort: () => this.#effort,
    }
  }

  async #deliver(process: AgentProcess, driver: SessionDriver, { turn, message, signal }: { readonly turn: Turn; readonly message: TurnMessage; readonly signal: AbortSignal }): Promise<Delivered> {
    const state = this.#state
    if (state === 'closed') return { outcome: 'dead', found: 'its process has ended' }
    if (state !== 'ready') return { outcome: 'refused', state, written: false, found: `status=${state}` }
    if (message.schema !== undefined && this.#manifest.structured_result === 'none') return { outcome: 'refused', state, written: false, found: 'the runtime cannot be held to a schema' }
    const problem = driver.problemOf?.(message)
    if (problem !== undefined) return { outcome: 'refused', state, written: false, found: `the message cannot be written: ${problem}` }
    if (signal.aborted) return { outcome: 'refused', state, written: false, found: 'the time was over before anything was sent' }
    spendTurn(turn, { prompt: message.text, pid: process.pid }, this.#open.now())
    const { turnId } = message
    this.#turn = { turnId, startedAt: performance.now(), startTokens: this.#tokens, lastMessage: null }
    // Before the first byte: of two who come at once, the second finds a session that is busy.
    this.#become('running')
    const died = process.exited.then((): Submitted => ({ outcome: 'lost', found: 'the runtime ended before it gave a receipt' }))
    const submitted = await unlessAborted(signal, Promise.race([driver.submit(message).catch(lost), died]))
    switch (submitted?.outcome) {
      case 'received':
        return { outcome: 'delivered', receipt: submitted.receipt, nativeTurn: submitted.nativeTurn, at: this.#open.now() }
      case 'rejected':
        // Why it refused an idle session's message is not known, so nothing more is sent to it.
        this.#finish({ outcome: 'failed', found: submitted.found })
        this.becameUnusable()
        return { outcome: 'refused', state: 'failed', written: true, found: submitted.found }
      case 'lost':
      case undefined:
        // It may have it: nothing more enters this session, so that nothing can enter twice (MC-038).
        this.becameUnusable()
        return { outcome: 'unknown', found: submitted?.found ?? 'the runtime gave no receipt in the time given' }
    }
  }

  async #answer(driver: SessionDriver, requestId: string, allow: boolean): Promise<boolean> {
    if (this.#state !== 'needs_input' || !this.#permissions.delete(requestId)) return false
    const taken = await driver.answer(requestId, allow)
    if (this.#permissions.size === 0 && this.state === 'needs_input') this.#become('running')
    return taken
  }

  async #interrupt(process: AgentProcess, driver: SessionDriver, signal: AbortSignal): Promise<boolean> {
    if (this.#state !== 'running' && this.#state !== 'needs_input') return false
    const taken = await unlessAborted(signal, Promise.race([driver.interrupt().catch(() => false), process.exited.then(() => false)]))
    return taken === true
  }

  async #ready(signal: AbortSignal): Promise<{ readonly ok: true } | { readonly ok: false; readonly found: string }> {
    while (this.#state === 'starting') {
      if (signal.aborted) return { ok: false, found: 'it did not say in the time given that it is ready' }
      const changed = Promise.withResolvers<void>()
      this.#waitingForState.add(changed.resolve)
      await unlessAborted(signal, changed.promise)
      this.#waitingForState.delete(changed.resolve)
    }
    return this.#state === 'ready' ? { ok: true } : { ok: false, found: `status=${this.#state}` }
  }

  #closed(exit: Awaited<AgentProcess['exited']>): void {
    if (this.#turn !== undefined) this.#finish({ outcome: 'unknown', found: `the runtime ended in the middle of the turn: ${exit.signal ?? `exit code ${exit.code ?? 'unknown'}`}` })
    this.#become('closed')
    this.#emit({ kind: 'session_end', exit })
  }

  #finish({ outcome, found, finalMessage, structured }: TurnEnding): void {
    const turn = this.#turn
    this.#turn = undefined
    this.#foreign = false
    this.#permissions.clear()
    const said = finalMessage === undefined ? (turn?.lastMessage ?? null) : finalMessage
    this.#emit({
      kind: 'turn_end',
      turnId: turn?.turnId ?? null,
      ended: {
        outcome,
        found: clip(found),
        finalMessage: said === null ? null : clip(said),
        structured: structured ?? null,
        startTokens: turn?.startTokens ?? null,
        endTokens: this.#tokens,
        durationMs: turn === undefined ? 0 : performance.now() - turn.startedAt,
        effort: this.#effort,
      },
    })
  }

  #become(state: LiveState): void {
    if (this.#state === 'closed' || this.#state === state) return
    this.#state = state
    for (const wake of this.#waitingForState) wake()
    this.#emit({ kind: 'state', state })
  }

  #emit(event: SessionEvent): void {
    this.#open.onEvent(event)
  }
}

/** What a driver could not write or follow is lost; a wrong call stays a fault. */
function lost(error: unknown): Submitted {
  if (error instanceof PortcullisError) throw error
  return { outcome: 'lost', found: 'the channel to the runtime broke' }
}
