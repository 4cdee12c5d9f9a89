import { randomBytes } from 'node:crypto'
import type { AgentProcess, StartAgent } from '../../engine/agent.ts'
import type { LiveSession, OpenSession, TurnMessage } from '../../engine/sessions/runtime.ts'
import type { PlannedLaunch } from '../../gates/launch/index.ts'
import { PROVIDER } from '../agent-opencode/index.ts'
import { clip, lineReader, SessionCore, type SessionDriver, type Submitted, type TurnEnding } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { type Failure, ServerEvent, SessionMade, STRUCTURED_TOOL } from './parse.ts'
import { PASSWORD_VARIABLE } from './plan.ts'
import { OpencodeServer } from './server.ts'

/** Starts the server, and opens its one session once it says where it listens. */
export async function openSession<Process extends AgentProcess>(launch: PlannedLaunch, start: StartAgent<Process>, open: OpenSession): Promise<LiveSession<Process>> {
  const core = new SessionCore(open, manifest)
  const driver = new OpencodeDriver(core, open, launch.environment[PASSWORD_VARIABLE] ?? '')
  const listening = Promise.withResolvers<string>()
  const readLine = lineReader((line) => {
    const address = /^opencode server listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1]
    if (address !== undefined) listening.resolve(address)
  })
  const process = await start((chunk) => {
    core.onRaw(chunk)
    readLine(chunk)
  })
  void process.exited.then(() => driver.end())
  void listening.promise.then((address) => driver.begin(address)).then((begun) => (begun ? core.becameReady() : core.becameUnusable()), () => core.becameUnusable())
  return core.session(process, driver, { nativeId: () => driver.nativeId, attach: null })
}

interface OpencodeTurn {
  /** The id that we gave the message; every answer to it names it. */
  readonly message: string
  readonly schema: boolean
  readonly received: (submitted: Submitted) => void
  /** Its answers, by id: true once one is complete. */
  readonly answers: Map<string, boolean>
  readonly texts: Map<string, string>
  structured: unknown
  failure: Failure | undefined
}

class OpencodeDriver implements SessionDriver {
  readonly #core: SessionCore
  readonly #open: OpenSession
  readonly #password: string
  readonly #ending = new AbortController()
  readonly #messages = new Set<string>()
  readonly #asked = new Set<string>()
  readonly #answered = new Set<string>()
  #server: OpencodeServer | undefined
  #nativeId: string | null = null
  #turn: OpencodeTurn | undefined

  constructor(core: SessionCore, open: OpenSession, password: string) {
    this.#core = core
    this.#open = open
    this.#password = password
  }

  get nativeId(): string | null {
    return this.#nativeId
  }

  end(): void {
    this.#ending.abort()
  }

  async begin(address: string): Promise<boolean> {
    // Without a password whoever is on this machine could speak in our name.
    if (this.#password === '') return false
    const server = new OpencodeServer(address, this.#password, this.#ending.signal)
    this.#server = server
    const connected = Promise.withResolvers<boolean>()
    // Without its events nothing is known of its turns any more.
    const lost = (): void => {
      connected.resolve(false)
      this.#core.becameUnusable()
    }
    void server.follow(ServerEvent, (event, line) => {
      this.#core.onRaw(Buffer.from(`${line}\n`))
      if (event.type === 'server.connected') connected.resolve(true)
      else this.#take(event)
    }).then(lost, lost)
    if (!(await connected.promise)) return false
    const made = await server.ask('POST', '/session', { title: 'portcullis' })
    const read = made.ok ? SessionMade.safeParse(made.value) : undefined
    // One that works elsewhere is not the one that was planned (MC-132).
    if (read?.success !== true || read.data.directory !== this.#open.request.workspace) return false
    this.#nativeId = read.data.id
    return true
  }

  async submit({ text, schema }: TurnMessage): Promise<Submitted> {
    const server = this.#server
    if (server === undefined) return { outcome: 'lost', found: 'its server is not there' }
    const receipt = Promise.withResolvers<Submitted>()
    const message = messageId(this.#open.now())
    this.#messages.add(message)
    this.#turn = { message, schema: schema !== undefined, received: receipt.resolve, answers: new Map(), texts: new Map(), structured: undefined, failure: undefined }
    const answer = await server.ask('POST', `/session/${this.#nativeId}/prompt_async`, {
      messageID: message,
      model: { providerID: PROVIDER, modelID: this.#open.request.pair.model },
      parts: [{ type: 'text', text }],
      ...(schema === undefined ? {} : { format: { type: 'json_schema', schema } }),
    })
    return answer.ok ? await receipt.promise : { outcome: 'rejected', found: answer.found }
  }

  async interrupt(): Promise<boolean> {
    const answer = await this.#server?.ask('POST', `/session/${this.#nativeId}/abort`)
    return answer?.ok === true && answer.value === true
  }

  async answer(requestId: string, allow: boolean): Promise<boolean> {
    if (!this.#asked.delete(requestId)) return false
    this.#answered.add(requestId)
    // Once, never for ever: the next one is asked for again.
    return (await this.#server?.ask('POST', `/permission/${encodeURIComponent(requestId)}/reply`, { reply: allow ? 'once' : 'reject' }))?.ok === true
  }

  #take(event: Exclude<ServerEvent, { type: 'server.connected' }>): void {
    switch (event.type) {
      case 'message.updated':
        return event.properties.info.role === 'user' ? this.#userMessage(event.properties.info) : this.#answer(event.properties.info)
      case 'message.part.updated':
        return this.#part(event.properties.part)
      case 'session.status':
        return event.properties.sessionID === this.#nativeId && event.properties.status.type === 'idle' ? this.#idle() : undefined
      case 'session.error':
        if (this.#turn !== undefined && event.properties.sessionID === this.#nativeId) this.#turn.failure = event.properties.error
        return
      case 'permission.asked':
        // Also of a session that its own tools opened: the server is ours alone.
        this.#asked.add(event.properties.id)
        return this.#core.asked(event.properties.id, event.properties.permission)
      case 'permission.replied':
        // Somebody else answered, who has the password: nothing that it does is held to what we allow any more.
        if (!this.#answered.has(event.properties.requestID)) this.#core.becameUnusable()
        return
    }
  }

  #userMessage({ id, sessionID }: { readonly id: string; readonly sessionID: string }): void {
    if (sessionID !== this.#nativeId) return
    if (id === this.#turn?.message) return this.#turn.received({ outcome: 'received', receipt: `message ${id}`, nativeTurn: id })
    // What is not ours was put in by somebody else, and is merged into whatever runs.
    if (!this.#messages.has(id)) this.#core.becameUnusable()
  }

  #answer({ id, parentID, sessionID, time, tokens, error, modelID }: Extract<ServerEvent, { type: 'message.updated' }>['properties']['info'] & { readonly role: 'assistant' }): void {
    const turn = this.#turn
    if (turn === undefined || sessionID !== this.#nativeId || parentID !== turn.message) return
    if (modelID !== this.#open.request.pair.model) return this.#core.becameUnusable()
    turn.answers.set(id, time.completed !== undefined)
    if (error !== undefined) turn.failure = error
    if (time.completed !== undefined && tokens?.total !== undefined && tokens.total > 0) this.#core.countedTokens(tokens.total)
  }

  #part(part: Extract<ServerEvent, { type: 'message.part.updated' }>['properties']['part']): void {
    const turn = this.#turn
    if (turn === undefined || part.sessionID !== this.#nativeId || !turn.answers.has(part.messageID)) return
    if (part.type === 'text') {
      turn.texts.set(part.messageID, part.text)
      return
    }
    if (part.state.status === 'running') this.#core.usedTool(part.callID, part.tool)
    // It has compared the answer with the schema itself; null is no answer, and no signal.
    if (turn.schema && part.tool === STRUCTURED_TOOL && part.state.status === 'completed' && part.state.metadata?.valid === true) turn.structured = part.state.input
  }

  /** Idle may be told twice, and of the turn before: this one is over when every answer to its message is complete. */
  #idle(): void {
    const turn = this.#turn
    if (turn === undefined) return
    const answers = [...turn.answers.values()]
    if (answers.length === 0 ? turn.failure === undefined : answers.includes(false)) return
    this.#turn = undefined
    this.#asked.clear()
    turn.received({ outcome: 'lost', found: 'the turn ended before its message was seen in it' })
    const last = [...turn.answers.keys()].at(-1)
    const text = last === undefined ? undefined : turn.texts.get(last)
    const finalMessage = text === undefined || text === '' ? null : clip(text)
    if (finalMessage !== null) this.#core.said(finalMessage)
    this.#core.turnEnded(endingOf(turn, finalMessage))
  }
}

function endingOf({ failure, structured }: OpencodeTurn, finalMessage: string | null): TurnEnding {
  if (failure === undefined) return { outcome: 'completed', found: 'idle', finalMessage, structured: structured ?? null }
  const found = `${failure.name}: ${failure.data?.message ?? 'it says no more'}`
  return { outcome: failure.name === 'MessageAbortedError' ? 'interrupted' : 'failed', found, finalMessage }
}

let counter = 0

/** An id as it makes them itself: they are sorted by it, so one of ours has to grow with the time as its own do. */
function messageId(now: Date): string {
  counter = (counter + 1) % 0x1000
  const time = ((BigInt(now.getTime()) * 0x1000n + BigInt(counter)) & 0xffff_ffff_ffffn).toString(16).padStart(12, '0')
  return `msg_${time}${randomBytes(7).toString('hex')}`
}
