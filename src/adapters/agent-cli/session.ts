import type { Clock } from '../../contract/clock.ts'
import type { AgentOutcome, AgentProcess, AgentReadiness, AgentSession, DeliveryResult, StartAgent } from '../../engine/agent.ts'
import { type SessionState, spendTurn, type Turn } from '../../gates/dispatch/index.ts'
import { notDelivered, unlessAborted } from '../runtime-process/index.ts'

export type Claim = Pick<AgentOutcome, 'claimedStatus' | 'claim'>

/** How the prompt was taken; `ok: false` says why it was not. */
export type Receipt = { readonly ok: true; readonly receipt: string } | { readonly ok: false; readonly found: string }

/** What a protocol may do to the process it speaks with. Writing rejects once the process has closed its input. */
export interface Line {
  write(text: string): Promise<void>
  closeStdin(): void
}

/** How one kind of command line agent is spoken with. One prompt a process. */
export interface CliProtocol {
  readonly onStdout: (chunk: Buffer) => void
  /** Asks the agent about itself, before it has a prompt. Undefined: it answered something else than an answer. */
  ready(line: Line): Promise<AgentReadiness | undefined>
  /** Hands the prompt over, and resolves when the agent has said that it has it. */
  deliver(line: Line, prompt: string): Promise<Receipt>
  /** Resolves when the agent says that its turn is over. Then its input is closed, which is what makes it leave. */
  readonly settled: Promise<void>
  /** What the agent says of its work, by all it has printed. */
  claim(): Claim
}

export const NO_CLAIMS: AgentReadiness['claims'] = { model: null, provider: null, version: null, effort: null }
const NO_ANSWER: AgentReadiness = { responded: false, claims: NO_CLAIMS }

/** A program that was told that there is nothing more leaves by itself; one that stays is ended, which is no error of its work. */
const LEAVE_LIMIT_MS = 10_000
const END_GRACE_MS = 1_000

/** Starts a command line agent with the reader of its protocol attached. */
export async function openCliSession<Process extends AgentProcess>(protocol: CliProtocol, title: string, start: StartAgent<Process>, now: Clock): Promise<AgentSession<Process>> {
  return new CliSession(await start(protocol.onStdout), protocol, title, now)
}

class CliSession<Process extends AgentProcess> implements AgentSession<Process> {
  readonly process: Process
  readonly finished: Promise<AgentOutcome>
  readonly #protocol: CliProtocol
  readonly #title: string
  readonly #now: Clock
  #state: SessionState = 'idle'

  constructor(process: Process, protocol: CliProtocol, title: string, now: Clock) {
    this.process = process
    this.#protocol = protocol
    this.#title = title
    this.#now = now
    // The stop at the end of every run asks again, and reports what cannot be ended.
    void protocol.settled.then(() => leave(process)).catch(() => undefined)
    this.finished = process.exited.then((exit) => {
      this.#state = 'dead'
      return { exit, ...protocol.claim(), runtimeFailure: null, artefacts: [] }
    })
  }

  state(): SessionState {
    return this.#state
  }

  async ready(signal: AbortSignal): Promise<AgentReadiness> {
    const answered = this.#protocol.ready(this.process).catch(() => undefined)
    return (await this.#unlessEnded(signal, answered)) ?? NO_ANSWER
  }

  async deliver(turn: Turn, prompt: string, signal: AbortSignal): Promise<DeliveryResult> {
    spendTurn(turn, { prompt, pid: this.process.pid }, this.#now())
    if (this.#state !== 'idle') return notDelivered(this.process.pid, this.#state === 'dead' ? `${this.#title} has ended` : 'the prompt was already written')
    this.#state = 'running'
    const receipt = await this.#unlessEnded(signal, this.#protocol.deliver(this.process, prompt).catch(() => undefined))
    if (receipt === undefined) return notDelivered(this.process.pid, signal.aborted ? `${this.#title} gave no receipt in the time given` : `${this.#title} ended, or closed its input, before it gave a receipt`)
    return receipt.ok ? { ok: true, receipt: receipt.receipt } : notDelivered(this.process.pid, receipt.found)
  }

  /** None of these programs has a protocol of results that could speak against a run; its messages are claims. */
  objection(): null {
    return null
  }

  stop(graceMs: number): Promise<void> {
    return this.process.stop(graceMs)
  }

  #unlessEnded<Value>(signal: AbortSignal, value: Promise<Value | undefined>): Promise<Value | undefined> {
    return unlessAborted(signal, Promise.race([value, this.process.exited.then(() => undefined)]))
  }
}

/** Closes the input of a program whose turn is over, and ends it if it stays. */
async function leave(process: AgentProcess): Promise<void> {
  process.closeStdin()
  let waiting: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (waiting = setTimeout(() => resolve('late'), LEAVE_LIMIT_MS)))
  const outcome = await Promise.race([process.exited, late])
  clearTimeout(waiting)
  if (outcome === 'late') await process.stop(END_GRACE_MS)
}
