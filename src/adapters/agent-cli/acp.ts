import * as z from 'zod'
import type { AgentReadiness } from '../../engine/agent.ts'
import { clip, LineReader, parseLine } from './lines.ts'
import { type Claim, type CliProtocol, type Line, NO_CLAIMS, type Receipt } from './session.ts'

/** What the Agent Client Protocol is asked here, in its first version. */
const VERSION = 1

/** One message of JSON-RPC: with a method and an id it asks, with a method alone it tells, without a method it answers. */
const Message = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ message: z.string(), data: z.unknown().optional() }).optional(),
})
type Message = z.infer<typeof Message>

const Update = z.looseObject({ update: z.looseObject({ sessionUpdate: z.string(), content: z.unknown().optional() }) })
const TextContent = z.looseObject({ type: z.literal('text'), text: z.string() })
const Greeting = z.looseObject({ protocolVersion: z.literal(VERSION), agentInfo: z.looseObject({ version: z.string() }).nullish() })
const NewSession = z.looseObject({
  sessionId: z.string().min(1),
  models: z.looseObject({ currentModelId: z.string() }).nullish(),
  configOptions: z.array(z.looseObject({ id: z.string(), currentValue: z.unknown().optional() })).nullish(),
})
const Prompted = z.looseObject({ stopReason: z.string() })
const Permission = z.looseObject({ options: z.array(z.looseObject({ optionId: z.string(), kind: z.string() })) })

type Answer = { readonly result: unknown } | { readonly error: string }

/** A longer name is another name than any that was planned. */
const CLAIM_LIMIT = 1_000
/** More than is kept of a claim. */
const SAID_CHARACTERS = 64_000
const METHOD_NOT_FOUND = -32_601

export interface AcpOptions {
  readonly workspace: string
  /** The model in the id by which the program calls what it has chosen. */
  modelOf(id: string): string
  /** Whether the version that it says of itself can be held against the plan. */
  readonly versionPlanned: boolean
  /** Whether what it asks for is allowed: only for a program that has no mode of its own in which it does not ask. */
  readonly allows: boolean
}

/** Speaks the Agent Client Protocol (JSON-RPC, a message a line) with a program, for one prompt. */
export class AcpProtocol implements CliProtocol {
  readonly #options: AcpOptions
  readonly #reader = new LineReader((line) => this.#take(line))
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #settled = Promise.withResolvers<void>()
  #line: Line | undefined
  #requests = 0
  #session: string | undefined
  #said = ''
  #ended: Claim = { claimedStatus: null, claim: '' }

  readonly settled = this.#settled.promise
  readonly onStdout = (chunk: Buffer): void => this.#reader.push(chunk)

  constructor(options: AcpOptions) {
    this.#options = options
  }

  /** Opens the one session. In its answer the program names the model that it has chosen. */
  async ready(line: Line): Promise<AgentReadiness | undefined> {
    this.#line = line
    const greeting = Greeting.safeParse(await this.#ask('initialize', { protocolVersion: VERSION, clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false } }))
    if (!greeting.success) return undefined
    const opened = NewSession.safeParse(await this.#ask('session/new', { cwd: this.#options.workspace, mcpServers: [] }))
    if (!opened.success) return undefined
    const { sessionId, models, configOptions } = opened.data
    this.#session = sessionId
    const option = configOptions?.find(({ id }) => id === 'model')?.currentValue
    const chosen = models?.currentModelId ?? (typeof option === 'string' ? option : undefined)
    return {
      responded: true,
      claims: { ...NO_CLAIMS, model: chosen === undefined ? null : this.#options.modelOf(chosen).slice(0, CLAIM_LIMIT), version: this.#options.versionPlanned ? (greeting.data.agentInfo?.version.slice(0, CLAIM_LIMIT) ?? null) : null },
    }
  }

  /** The protocol has no receipt: the whole message was taken by a program that answers, which is what is said. */
  async deliver(line: Line, prompt: string): Promise<Receipt> {
    if (this.#session === undefined) return { ok: false, found: 'no session was opened' }
    const { sent, answer } = this.#send(line, 'session/prompt', { sessionId: this.#session, prompt: [{ type: 'text', text: prompt }] })
    void answer.then((given) => this.#end(given))
    await sent
    return { ok: true, receipt: `session/prompt written to session ${this.#session.slice(0, 100)}` }
  }

  claim(): Claim {
    return this.#ended.claimedStatus === null ? { claimedStatus: null, claim: clip(this.#said) } : this.#ended
  }

  #end(answer: Answer): void {
    const prompted = 'result' in answer ? Prompted.safeParse(answer.result) : undefined
    if (prompted?.success === true && prompted.data.stopReason === 'end_turn') this.#ended = { claimedStatus: 'completed', claim: clip(this.#said) }
    else this.#ended = { claimedStatus: 'failed', claim: clip('error' in answer ? answer.error : `it stopped: ${prompted?.data?.stopReason ?? 'without a reason'}`) }
    this.#settled.resolve()
  }

  /** The result, or undefined if the program answered with an error. */
  async #ask(method: string, params: object): Promise<unknown> {
    if (this.#line === undefined) return undefined
    const { sent, answer } = this.#send(this.#line, method, params)
    await sent
    const given = await answer
    return 'result' in given ? given.result : undefined
  }

  #send(line: Line, method: string, params: object): { readonly sent: Promise<void>; readonly answer: Promise<Answer> } {
    const id = ++this.#requests
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    return { sent: line.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`), answer }
  }

  #take(line: string): void {
    const read = Message.safeParse(parseLine(line))
    if (!read.success) return
    const { id, method, params } = read.data
    if (method !== undefined) return id === undefined ? this.#hear(method, params) : this.#refuse(id, method, params)
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (typeof id === 'number') this.#waiting.delete(id)
    waiting?.(answerOf(read.data))
  }

  /**
   * What the program asks of us. Where its mode was chosen so that what it may do needs no leave, what asks for leave is refused. Without
   * a way to answer so, the question is cancelled, which ends the turn: the lesser error.
   */
  #refuse(id: string | number, method: string, params: unknown): void {
    const asked = method === 'session/request_permission' ? Permission.safeParse(params) : undefined
    const answer = this.#options.allows ? 'allow' : 'reject'
    const option = asked?.data?.options.find(({ kind }) => kind === `${answer}_once`) ?? asked?.data?.options.find(({ kind }) => kind === `${answer}_always`)
    const body = asked === undefined
      ? { error: { code: METHOD_NOT_FOUND, message: `${method} is not offered` } }
      : { result: { outcome: option === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId: option.optionId } } }
    // A program that has closed its input has no use for an answer.
    void this.#line?.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...body })}\n`).catch(() => undefined)
  }

  #hear(method: string, params: unknown): void {
    const read = method === 'session/update' ? Update.safeParse(params) : undefined
    if (read?.success !== true) return
    const { sessionUpdate: kind, content } = read.data.update
    // Its last words are what it says after its last tool.
    if (kind === 'tool_call') this.#said = ''
    const text = kind === 'agent_message_chunk' ? TextContent.safeParse(content) : undefined
    if (text?.success === true) this.#said = (this.#said + text.data.text).slice(0, SAID_CHARACTERS)
  }
}

/** An answer that is an error, whatever else it holds, is an error. */
function answerOf({ error, result }: Message): Answer {
  if (error === undefined) return { result }
  return { error: [error.message, ...(error.data === undefined ? [] : [JSON.stringify(error.data)])].join(': ') }
}
