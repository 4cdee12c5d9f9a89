import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, TurnMessage } from '../../engine/sessions/runtime.ts'
import { lineReader, parseRecord, SessionCore, type SessionDriver, type Submitted, type TurnEnding } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { contextTokens, PiIdle, type PiMessage, PiRecord, type PiResponse, textOf } from './parse.ts'

/** Starts pi with its reader attached, and asks it whether it is there. */
export async function openSession<Process extends AgentProcess>(start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const follower = new PiFollower(core)
  const read = lineReader((line) => follower.take(line))
  const process = await start((chunk) => {
    core.onRaw(chunk)
    read(chunk)
  })
  const driver = new PiDriver(process, follower)
  void driver.ask({ type: 'get_state' }).then(({ success, data }) => (success && PiIdle.safeParse(data).success ? core.becameReady() : core.becameUnusable()), () => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => null, attach: null })
}

/** Follows what pi prints. */
class PiFollower {
  readonly #core: SessionCore
  readonly #waiting = new Map<string, (response: PiResponse) => void>()
  #last: PiMessage | undefined

  constructor(core: SessionCore) {
    this.#core = core
  }

  response(id: string): Promise<PiResponse> {
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  take(line: string): void {
    const record = parseRecord(PiRecord, line)
    switch (record?.type) {
      case 'response': {
        const id = record.id ?? ''
        this.#waiting.get(id)?.(record)
        this.#waiting.delete(id)
        return
      }
      case 'tool_execution_start':
        return this.#core.usedTool(record.toolCallId, record.toolName)
      case 'message_end':
        return this.#message(record.message)
      case 'agent_settled':
        this.#core.turnEnded(endingOf(this.#last))
        this.#last = undefined
        return
      case undefined:
        return
    }
  }

  #message(message: PiMessage): void {
    if (message.role !== 'assistant') return
    this.#last = message
    const tokens = contextTokens(message)
    if (tokens !== undefined) this.#core.countedTokens(tokens)
    const text = textOf(message.content)
    if (text !== '') this.#core.said(text)
  }
}

/** Pi ends with `agent_settled` whatever happened: how its last message ended says what. */
function endingOf(last: PiMessage | undefined): TurnEnding {
  const reason = last?.stopReason ?? 'no message'
  if (reason === 'stop') return { outcome: 'completed', found: 'stop' }
  if (reason === 'aborted') return { outcome: 'interrupted', found: 'aborted' }
  return { outcome: 'failed', found: last?.errorMessage === undefined ? reason : `${reason}: ${last.errorMessage}` }
}

class PiDriver implements SessionDriver {
  readonly #process: AgentProcess
  readonly #follower: PiFollower
  #commands = 0

  constructor(process: AgentProcess, follower: PiFollower) {
    this.#process = process
    this.#follower = follower
  }

  async ask(command: Readonly<Record<string, string>>): Promise<PiResponse> {
    this.#commands += 1
    const id = `portcullis-${this.#commands}`
    const response = this.#follower.response(id)
    await this.#process.write(`${JSON.stringify({ id, ...command })}\n`)
    return await response
  }

  async submit({ text }: TurnMessage): Promise<Submitted> {
    const { success, id, error } = await this.ask({ type: 'prompt', message: text })
    // Without a streamingBehavior pi takes a prompt now or not at all.
    if (!success) return { outcome: 'rejected', found: `pi refused it: ${(error ?? 'without a reason').slice(0, 300)}` }
    return { outcome: 'received', receipt: `pi accepted ${id ?? 'the prompt'}`, nativeTurn: null }
  }

  async interrupt(): Promise<boolean> {
    return (await this.ask({ type: 'abort' })).success
  }

  answer(): Promise<boolean> {
    return Promise.resolve(false)
  }
}
