import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, TurnMessage } from '../../engine/sessions/runtime.ts'
import { clip, JsonRpc, type RpcAnswer, type RpcPeer, SessionCore, type SessionDriver, type Submitted, type TurnEnding } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { Initialized, PermissionAsked, PromptEnded, PROTOCOL_VERSION, SessionMade, Update } from './parse.ts'

/** By this name the session knows the server of ours. */
export const SERVER = 'portcullis'

/** Starts the agent with its reader attached, and opens the one session. */
export async function openSession<Process extends AgentProcess>(start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const driver = new AcpDriver(core, open)
  const process = await start((chunk) => {
    core.onRaw(chunk)
    driver.rpc.read(chunk)
  })
  driver.rpc.attach(process)
  void driver.begin().then((begun) => (begun ? core.becameReady() : core.becameUnusable()), () => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => driver.nativeId, attach: null })
}

/** An extension that no agent has: each answers that it does not know it, behind everything that it said before. */
const FENCE = '_portcullis/fence'

class AcpDriver implements SessionDriver, RpcPeer {
  readonly rpc = new JsonRpc(this)
  readonly #core: SessionCore
  readonly #open: OpenSession
  readonly #asked = new Map<string, { readonly id: number | string; readonly options: PermissionAsked['options'] }>()
  #nativeId: string | null = null
  #turn: { readonly received: (submitted: Submitted) => void; text: string } | undefined
  #turns = 0

  constructor(core: SessionCore, open: OpenSession) {
    this.#core = core
    this.#open = open
  }

  get nativeId(): string | null {
    return this.#nativeId
  }

  async begin(): Promise<boolean> {
    // No files and no terminal of ours: what the agent does, it does itself, where it is isolated.
    const clientCapabilities = { fs: { readTextFile: false, writeTextFile: false }, terminal: false }
    const initialized = await this.rpc.request('initialize', { protocolVersion: PROTOCOL_VERSION, clientCapabilities, clientInfo: { name: 'portcullis', version: '1' } })
    if (!initialized.ok || !Initialized.safeParse(initialized.result).success) return false
    const { workspace, completion } = this.#open.request
    const servers = completion === undefined ? [] : [{ type: 'http', name: SERVER, url: completion.url, headers: [{ name: 'Authorization', value: `Bearer ${completion.token}` }] }]
    const made = await this.rpc.request('session/new', { cwd: workspace, mcpServers: servers })
    const read = made.ok ? SessionMade.safeParse(made.result) : undefined
    if (read?.success !== true) return false
    this.#nativeId = read.data.sessionId
    return true
  }

  async submit({ text }: TurnMessage): Promise<Submitted> {
    this.#turns += 1
    // News name no turn. What the agent still had to say of the last one is read before anything is written, and is then no receipt.
    if (this.#turns > 1) await this.rpc.request(FENCE, {})
    if (this.#core.state !== 'running') return { outcome: 'lost', found: 'news of an earlier turn came after its end; nothing was sent' }
    const receipt = Promise.withResolvers<Submitted>()
    this.#turn = { received: receipt.resolve, text: '' }
    // The answer comes with the end of the turn, long after the receipt.
    void this.rpc.request('session/prompt', { sessionId: this.#nativeId, prompt: [{ type: 'text', text }] }).then(
      (answer) => this.#ended(answer),
      () => receipt.resolve({ outcome: 'lost', found: 'the message could not be written' }),
    )
    return await receipt.promise
  }

  async interrupt(): Promise<boolean> {
    await this.rpc.notify('session/cancel', { sessionId: this.#nativeId })
    for (const { id } of this.#asked.values()) await this.rpc.reply(id, { outcome: { outcome: 'cancelled' } })
    this.#asked.clear()
    return true
  }

  async answer(requestId: string, allow: boolean): Promise<boolean> {
    const asked = this.#asked.get(requestId)
    if (asked === undefined) return false
    this.#asked.delete(requestId)
    // Once, never for ever: the next one is asked for again.
    const option = asked.options.find(({ kind }) => kind === (allow ? 'allow_once' : 'reject_once'))
    await this.rpc.reply(asked.id, { outcome: option === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId: option.optionId } })
    return option !== undefined || !allow
  }

  requested(id: number | string, method: string, params: unknown): void {
    const read = method === 'session/request_permission' ? PermissionAsked.safeParse(params) : undefined
    if (read?.success !== true || read.data.sessionId !== this.#nativeId) return void this.rpc.decline(id).catch(() => this.#core.becameUnusable())
    this.#began()
    this.#asked.set(String(id), { id, options: read.data.options })
    this.#core.asked(String(id), read.data.toolCall.title ?? read.data.toolCall.toolCallId)
  }

  notified(method: string, params: unknown): void {
    const read = method === 'session/update' ? Update.safeParse(params) : undefined
    if (read?.success !== true || read.data.sessionId !== this.#nativeId) return
    // It works though nothing was asked of it: what the next news belong to could not be told.
    if (this.#turn === undefined) return this.#core.becameUnusable()
    this.#began()
    const { update } = read.data
    if (update.sessionUpdate === 'tool_call' && typeof update['toolCallId'] === 'string' && typeof update['title'] === 'string') {
      this.#core.usedTool(update['toolCallId'], update['title'])
      // What is said after a tool is another message.
      this.#turn.text = ''
    }
    if (update.sessionUpdate === 'agent_message_chunk') this.#turn.text = clip(this.#turn.text + textOf(update['content']))
  }

  #began(): void {
    this.#turn?.received({ outcome: 'received', receipt: `news of turn ${this.#turns}`, nativeTurn: null })
  }

  #ended(answer: RpcAnswer): void {
    const turn = this.#turn
    this.#turn = undefined
    this.#asked.clear()
    // The answer names the request: it has had the message, whatever came of it.
    turn?.received({ outcome: 'received', receipt: `the answer to turn ${this.#turns}`, nativeTurn: null })
    const finalMessage = turn === undefined || turn.text === '' ? null : turn.text
    if (finalMessage !== null) this.#core.said(finalMessage)
    this.#core.turnEnded(endingOf(answer, finalMessage))
  }
}

function textOf(content: unknown): string {
  return typeof content === 'object' && content !== null && 'text' in content && typeof content.text === 'string' ? content.text : ''
}

function endingOf(answer: RpcAnswer, finalMessage: string | null): TurnEnding {
  if (!answer.ok) return { outcome: 'failed', found: answer.found, finalMessage }
  const read = PromptEnded.safeParse(answer.result)
  if (!read.success) return { outcome: 'failed', found: 'an end without a reason that is known', finalMessage }
  const { stopReason } = read.data
  if (stopReason === 'end_turn') return { outcome: 'completed', found: stopReason, finalMessage }
  return { outcome: stopReason === 'cancelled' ? 'interrupted' : 'failed', found: stopReason, finalMessage }
}
