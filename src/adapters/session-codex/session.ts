import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, TurnMessage } from '../../engine/sessions/runtime.ts'
import { JsonRpc, parseJson, type RpcPeer, SessionCore, type SessionDriver, type Submitted, type TurnEnding } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { APPROVALS, ItemEvent, ThreadStarted, TokenUsage, TOOLS, TurnCompleted, TurnStarted } from './parse.ts'
import { POLICIES } from './plan.ts'

/** Starts the app-server with its reader attached, and opens the one thread of the session. */
export async function openSession<Process extends AgentProcess>(start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const driver = new CodexDriver(core, open)
  const process = await start((chunk) => {
    core.onRaw(chunk)
    driver.rpc.read(chunk)
  })
  driver.rpc.attach(process)
  void driver.begin().then((begun) => (begun ? core.becameReady() : core.becameUnusable()), () => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => driver.threadId, attach: null })
}

interface CodexTurn {
  /** Null until it is named. */
  id: string | null
  readonly schema: boolean
  readonly received: (submitted: Submitted) => void
  last: string | null
}

class CodexDriver implements SessionDriver, RpcPeer {
  readonly rpc = new JsonRpc(this)
  readonly #core: SessionCore
  readonly #open: OpenSession
  readonly #asked = new Map<string, number | string>()
  #threadId: string | null = null
  #turn: CodexTurn | undefined

  constructor(core: SessionCore, open: OpenSession) {
    this.#core = core
    this.#open = open
  }

  get threadId(): string | null {
    return this.#threadId
  }

  async begin(): Promise<boolean> {
    const { profile, pair, workspace } = this.#open.request
    const policy = POLICIES[profile.permissions]
    if (policy === undefined) return false
    const initialized = await this.rpc.request('initialize', { clientInfo: { name: 'portcullis', title: 'Portcullis', version: '1' } })
    if (!initialized.ok) return false
    await this.rpc.notify('initialized', {})
    const started = await this.rpc.request('thread/start', { model: pair.model, modelProvider: 'wire', cwd: workspace, ephemeral: true, ...policy })
    const read = started.ok ? ThreadStarted.safeParse(started.result) : undefined
    // A thread with another model is not the one that was admitted.
    if (read?.success !== true || (read.data.model !== undefined && read.data.model !== pair.model)) return false
    this.#threadId = read.data.thread.id
    return true
  }

  async submit({ text, schema, turnId }: TurnMessage): Promise<Submitted> {
    const receipt = Promise.withResolvers<Submitted>()
    const turn: CodexTurn = { id: null, schema: schema !== undefined, received: receipt.resolve, last: null }
    this.#turn = turn
    const { effort } = this.#open.request.profile
    const answer = await this.rpc.request('turn/start', {
      threadId: this.#threadId,
      clientUserMessageId: turnId,
      input: [{ type: 'text', text, text_elements: [] }],
      ...(schema === undefined ? {} : { outputSchema: schema }),
      ...(effort === undefined ? {} : { effort }),
    })
    if (!answer.ok) return { outcome: 'rejected', found: answer.found }
    const started = TurnStarted.safeParse(answer.result)
    if (!started.success) return { outcome: 'lost', found: 'the start of the turn was answered with something else' }
    turn.id ??= started.data.turn.id
    return await receipt.promise
  }

  async interrupt(): Promise<boolean> {
    const turnId = this.#turn?.id
    if (turnId === undefined || turnId === null) return false
    return (await this.rpc.request('turn/interrupt', { threadId: this.#threadId, turnId })).ok
  }

  async answer(requestId: string, allow: boolean): Promise<boolean> {
    const id = this.#asked.get(requestId)
    if (id === undefined) return false
    this.#asked.delete(requestId)
    await this.rpc.reply(id, { decision: allow ? 'accept' : 'decline' })
    return true
  }

  requested(id: number | string, method: string): void {
    if (!APPROVALS.includes(method)) return void this.rpc.decline(id).catch(() => this.#core.becameUnusable())
    this.#asked.set(String(id), id)
    this.#core.asked(String(id), method.split('/')[1] ?? method)
  }

  notified(method: string, params: unknown): void {
    switch (method) {
      case 'item/started':
      case 'item/completed':
        return this.#item(method === 'item/completed', params)
      case 'thread/tokenUsage/updated': {
        const read = TokenUsage.safeParse(params)
        if (read.success) this.#core.countedTokens(read.data.tokenUsage.last.totalTokens)
        return
      }
      case 'turn/completed':
        return this.#completed(params)
    }
  }

  #item(completed: boolean, params: unknown): void {
    const read = ItemEvent.safeParse(params)
    const turn = this.#turn
    if (!read.success || turn === undefined || read.data.threadId !== this.#threadId) return
    const { item, turnId } = read.data
    turn.id ??= turnId
    if (turn.id !== turnId) return
    if (item.type === 'userMessage') turn.received({ outcome: 'received', receipt: `userMessage ${item.id}`, nativeTurn: turnId })
    if (!completed && TOOLS.includes(item.type)) this.#core.usedTool(item.id, item.type)
    if (completed && item.type === 'agentMessage' && item.text !== undefined) {
      turn.last = item.text
      this.#core.said(item.text)
    }
  }

  #completed(params: unknown): void {
    const read = TurnCompleted.safeParse(params)
    const turn = this.#turn
    // The end of another thread or turn ends nothing here.
    if (!read.success || read.data.threadId !== this.#threadId || turn === undefined || (turn.id !== null && turn.id !== read.data.turn.id)) return
    this.#turn = undefined
    this.#asked.clear()
    turn.received({ outcome: 'lost', found: 'the turn ended before its message was seen in it' })
    const { status, error } = read.data.turn
    const ending: TurnEnding = { outcome: status, found: error == null ? status : `${status}: ${error.message}`, finalMessage: turn.last }
    this.#core.turnEnded(turn.schema && status === 'completed' && turn.last !== null ? { ...ending, structured: parseJson(turn.last) } : ending)
  }
}
