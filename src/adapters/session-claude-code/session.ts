import { randomUUID } from 'node:crypto'
import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, TurnMessage } from '../../engine/sessions/runtime.ts'
import { lineReader, parseRecord, SessionCore, type SessionDriver, type Submitted, type TurnEnding } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { type AssistantRecord, ClaudeRecord, type ResultRecord, tokensOf } from './parse.ts'

/** Starts it with its reader attached, and asks it whether it is there. */
export async function openSession<Process extends AgentProcess>(start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const driver = new ClaudeDriver(core, open.request.sessionId)
  const read = lineReader((line) => driver.take(line))
  const process = await start((chunk) => {
    core.onRaw(chunk)
    read(chunk)
  })
  driver.attach(process)
  void driver.control({ subtype: 'initialize' }).then((taken) => (taken ? core.becameReady() : core.becameUnusable()), () => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => open.request.sessionId, attach: null })
}

class ClaudeDriver implements SessionDriver {
  readonly #core: SessionCore
  readonly #sessionId: string
  readonly #controls = new Map<string, (taken: boolean) => void>()
  readonly #asked = new Map<string, Readonly<Record<string, unknown>>>()
  #process: AgentProcess | undefined
  #sent: { readonly uuid: string; resolve(submitted: Submitted): void } | undefined
  #interrupted = false

  constructor(core: SessionCore, sessionId: string) {
    this.#core = core
    this.#sessionId = sessionId
  }

  attach(process: AgentProcess): void {
    this.#process = process
  }

  async submit({ text }: TurnMessage): Promise<Submitted> {
    const uuid = randomUUID()
    const receipt = Promise.withResolvers<Submitted>()
    this.#sent = { uuid, resolve: receipt.resolve }
    this.#interrupted = false
    await this.#write({ type: 'user', uuid, session_id: this.#sessionId, parent_tool_use_id: null, message: { role: 'user', content: [{ type: 'text', text }] } })
    return await receipt.promise
  }

  async interrupt(): Promise<boolean> {
    this.#interrupted = true
    return await this.control({ subtype: 'interrupt' })
  }

  async answer(requestId: string, allow: boolean): Promise<boolean> {
    const input = this.#asked.get(requestId)
    if (input === undefined) return false
    this.#asked.delete(requestId)
    const response = allow ? { behavior: 'allow', updatedInput: input } : { behavior: 'deny', message: 'This was not allowed.' }
    await this.#write({ type: 'control_response', response: { subtype: 'success', request_id: requestId, response } })
    return true
  }

  /** Sends a request of ours; true when it is said to have succeeded. */
  async control(request: Readonly<Record<string, unknown>>): Promise<boolean> {
    const requestId = randomUUID()
    const answered = new Promise<boolean>((resolve) => this.#controls.set(requestId, resolve))
    await this.#write({ type: 'control_request', request_id: requestId, request })
    return await answered
  }

  take(line: string): void {
    const record = parseRecord(ClaudeRecord, line)
    switch (record?.type) {
      case 'control_response': {
        const { request_id: requestId, subtype } = record.response
        this.#controls.get(requestId)?.(subtype === 'success')
        this.#controls.delete(requestId)
        return
      }
      case 'control_request':
        this.#asked.set(record.request_id, record.request.input)
        return this.#core.asked(record.request_id, record.request.tool_name)
      case 'command_lifecycle':
        return this.#received(record.command_uuid, 'started')
      case 'user':
        return this.#received(record.uuid, 'replayed')
      case 'assistant':
        return this.#said(record)
      case 'result':
        return this.#ended(record)
      case undefined:
        return
    }
  }

  #received(uuid: string, word: string): void {
    if (uuid === this.#sent?.uuid) this.#sent.resolve({ outcome: 'received', receipt: `${word} ${uuid}`, nativeTurn: uuid })
  }

  #said({ message, parent_tool_use_id: parent }: AssistantRecord): void {
    // What a helper of its own says is not its answer.
    const own = parent === undefined || parent === null
    if (own && message.usage != null) this.#core.countedTokens(tokensOf(message.usage))
    for (const block of message.content) {
      if (block.type === 'text' && typeof block['text'] === 'string' && own) this.#core.said(block['text'])
      if (block.type === 'tool_use' && typeof block['id'] === 'string' && typeof block['name'] === 'string') this.#core.usedTool(block['id'], block['name'])
    }
  }

  #ended(record: ResultRecord): void {
    const sent = this.#sent
    this.#sent = undefined
    this.#asked.clear()
    // A result without the message coming back first says nothing of ours.
    sent?.resolve({ outcome: 'lost', found: 'the turn ended before the message came back' })
    this.#core.turnEnded(endingOf(record, this.#interrupted))
  }

  async #write(record: object): Promise<void> {
    if (this.#process === undefined) throw new Error('A session that was not started')
    await this.#process.write(`${JSON.stringify(record)}\n`)
  }
}

/** Its subtype is `success` also for a failed call, so that the other fields say how it ended. No turn of its own means: not run. */
function endingOf(record: ResultRecord, interrupted: boolean): TurnEnding {
  const found = [record.subtype, record.terminal_reason].filter((word) => word != null).join(', ')
  const finalMessage = record.result ?? null
  if (interrupted && record.is_error) return { outcome: 'interrupted', found, finalMessage }
  if (interrupted && /aborted/.test(record.terminal_reason ?? '')) return { outcome: 'interrupted', found, finalMessage }
  if (record.is_error || record.subtype !== 'success') return { outcome: 'failed', found, finalMessage }
  if (record.num_turns === 0) return { outcome: 'failed', found: `${found}, without a turn`, finalMessage }
  return { outcome: 'completed', found, finalMessage }
}
