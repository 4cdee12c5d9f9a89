import type { Clock } from '../../contract/clock.ts'
import type { AgentOutcome, AgentProcess, AgentReadiness, AgentSession, DeliveryResult, StartAgent } from '../../engine/agent.ts'
import { type SessionState, spendTurn, type Turn } from '../../gates/dispatch/index.ts'
import type { PlannedLaunch } from '../../gates/launch/index.ts'
import { clip } from '../agent-cli/index.ts'
import { notDelivered, unlessAborted } from '../runtime-process/index.ts'
import { type PiResponse, PiState } from './parse.ts'
import { PiProtocol } from './protocol.ts'

/** A longer name is another name than any that was planned. */
const CLAIM_LIMIT = 1_000

const NO_ANSWER: AgentReadiness = { responded: false, claims: { model: null, provider: null, version: null, effort: null } }

/** Starts pi with its reader attached. */
export async function openSession<Process extends AgentProcess>(launch: PlannedLaunch, start: StartAgent<Process>, now: Clock): Promise<AgentSession<Process>> {
  const protocol = new PiProtocol()
  return new PiSession(await start(protocol.onStdout), protocol, launch, now)
}

class PiSession<Process extends AgentProcess> implements AgentSession<Process> {
  readonly process: Process
  readonly finished: Promise<AgentOutcome>
  readonly #protocol: PiProtocol
  readonly #launch: PlannedLaunch
  readonly #now: Clock
  #state: SessionState = 'idle'
  #commands = 0

  constructor(process: Process, protocol: PiProtocol, launch: PlannedLaunch, now: Clock) {
    this.process = process
    this.#protocol = protocol
    this.#launch = launch
    this.#now = now
    // The end of its input is what makes pi leave; before it has settled that would cut its work.
    void protocol.settled.then(() => process.closeStdin())
    this.finished = process.exited.then((exit) => {
      this.#state = 'dead'
      return { exit, ...claimOf(protocol), runtimeFailure: null, artefacts: [] }
    })
  }

  state(): SessionState {
    return this.#state
  }

  async ready(signal: AbortSignal): Promise<AgentReadiness> {
    const response = await this.#ask({ type: 'get_state' }, signal)
    const state = response?.success === true ? PiState.safeParse(response.data) : undefined
    if (state === undefined || !state.success) return NO_ANSWER
    if (state.data.isStreaming && this.#state === 'idle') this.#state = 'running'
    return { responded: true, claims: this.#claimsOf(state.data) }
  }

  async deliver(turn: Turn, prompt: string, signal: AbortSignal): Promise<DeliveryResult> {
    spendTurn(turn, { prompt, pid: this.process.pid }, this.#now())
    if (this.#state === 'dead') return notDelivered(this.process.pid, 'pi has ended')
    this.#state = 'running'
    const response = await this.#ask({ type: 'prompt', message: prompt }, signal)
    if (response === undefined) return notDelivered(this.process.pid, signal.aborted ? 'pi gave no receipt in the time given' : 'pi ended before it gave a receipt')
    // Whatever it says, it was not taken: pi answers a prompt during a turn like this, and does not queue it.
    if (!response.success) return notDelivered(this.process.pid, `pi refused it: ${clip(response.error ?? 'without a reason').slice(0, 300)}`)
    return { ok: true, receipt: `pi accepted ${response.id ?? 'the prompt'}` }
  }

  /** Pi has no protocol for results: its messages are claims. */
  objection(): null {
    return null
  }

  stop(graceMs: number): Promise<void> {
    return this.process.stop(graceMs)
  }

  /** Sends a command. Undefined if the signal or the end of pi comes before its response. */
  async #ask(command: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PiResponse | undefined> {
    this.#commands += 1
    const id = `portcullis-${this.#commands}`
    const response = this.#protocol.response(id)
    const written = this.process.write(`${JSON.stringify({ id, ...command })}\n`).then(() => response, () => undefined)
    const ended = this.process.exited.then(() => undefined)
    return await unlessAborted(signal, Promise.race([response, written, ended]))
  }

  /** "off" is what pi says when no effort was asked for; asked for and off is a contradiction and stays one. */
  #claimsOf(state: PiState): AgentReadiness['claims'] {
    const level = state.thinkingLevel?.slice(0, CLAIM_LIMIT) ?? null
    return {
      model: state.model?.id.slice(0, CLAIM_LIMIT) ?? '(none)',
      provider: state.model?.provider.slice(0, CLAIM_LIMIT) ?? '(none)',
      version: null,
      effort: level === 'off' && this.#launch.plan.effort === null ? null : level,
    }
  }
}

/** Pi exits with 0 after any error of the provider: how its last message ended says more, and is still only what it says. */
function claimOf({ hasSettled, lastMessage }: PiProtocol): Pick<AgentOutcome, 'claimedStatus' | 'claim'> {
  if (lastMessage === undefined) return { claimedStatus: null, claim: '' }
  if (hasSettled && lastMessage.stopReason === 'stop') return { claimedStatus: 'completed', claim: lastMessage.text }
  const failed = hasSettled || lastMessage.stopReason === 'error' || lastMessage.stopReason === 'aborted'
  const reason = lastMessage.text === '' ? `pi stopped: ${lastMessage.stopReason ?? 'without a reason'}` : lastMessage.text
  return { claimedStatus: failed ? 'failed' : null, claim: reason }
}
