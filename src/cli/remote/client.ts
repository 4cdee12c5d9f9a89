import * as z from 'zod'
import { ERROR_TABLE, type ErrorCode, PortcullisError, systemCode } from '../../contract/errors.ts'
import type { Refusal } from '../../contract/gate.ts'
import { type Reason, REASON_TABLE } from '../../contract/reasons.ts'

/** A problem as a server tells it. What a newer server adds is left aside. */
const Problem = z.looseObject({ code: z.string(), detail: z.string(), asked: z.string(), found: z.string(), remedy: z.string() })

export type Asked<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal }

const isReason = (code: string): code is Reason => Object.hasOwn(REASON_TABLE, code)
const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_TABLE, code)

/** How one request is sent; as `fetch` does it. */
export type Ask = (url: URL, init: { readonly method: string; readonly headers: Record<string, string>; readonly redirect: 'error'; readonly signal?: AbortSignal; readonly body?: string }) => Promise<Response>

/** Speaks to one server. A refusal of a gate comes back as a value, a fault is thrown as the command itself would have thrown it. */
export class ServerClient {
  readonly #address: URL
  readonly #token: string
  readonly #ask: Ask

  constructor(address: URL, token: string, ask: Ask = fetch) {
    this.#address = address
    this.#token = token
    this.#ask = ask
  }

  async ask<Schema extends z.ZodType>(schema: Schema, path: string, body?: object, ended?: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<Asked<z.infer<Schema>>> {
    const answer = await this.#send(path, body, ended, headers)
    const refusal = await this.#problemOf(answer)
    if (refusal !== undefined) return { ok: false, refusal }
    const read = schema.safeParse(await this.#jsonOf(answer))
    if (read.success) return { ok: true, value: read.data }
    throw this.#strange('another answer than this version of the command knows')
  }

  /** The same where a refusal is no answer: it is thrown. */
  async must<Schema extends z.ZodType>(schema: Schema, path: string, body?: object, ended?: AbortSignal): Promise<z.infer<Schema>> {
    const asked = await this.ask(schema, path, body, ended)
    if (asked.ok) return asked.value
    throw this.#strange(asked.refusal.message)
  }

  /** Bytes exactly as the server gives them. */
  async bytes(path: string): Promise<Asked<string>> {
    const answer = await this.#send(path)
    const refusal = await this.#problemOf(answer)
    return refusal === undefined ? { ok: true, value: await answer.text() } : { ok: false, refusal }
  }

  /** A stream of Server-Sent Events, opened when this resolves. */
  async events(path: string, ended: AbortSignal): Promise<AsyncGenerator<{ readonly event: string; readonly data: unknown }>> {
    const answer = await this.#send(path, undefined, ended)
    const refusal = await this.#problemOf(answer)
    if (refusal !== undefined || answer.body === null) throw this.#strange('no stream of events')
    return eventsOf(answer.body)
  }

  async #send(path: string, body?: object, ended?: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    try {
      return await this.#ask(new URL(path, this.#address), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        // A redirect would hand the token to whoever the answer names.
        redirect: 'error',
        ...(ended === undefined ? {} : { signal: ended }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      throw this.#strange(systemCode(cause) ?? (error instanceof Error ? error.name : 'no answer'))
    }
  }

  async #problemOf(answer: Response): Promise<Refusal | undefined> {
    if (answer.ok || !(answer.headers.get('content-type') ?? '').startsWith('application/problem+json')) {
      if (answer.ok) return undefined
      throw this.#strange(`status ${answer.status} and no problem that says why`)
    }
    const read = Problem.safeParse(await this.#jsonOf(answer))
    if (!read.success) throw this.#strange('a problem that cannot be read')
    const { code, detail, asked, found, remedy } = read.data
    if (isReason(code)) return { reason: code, message: detail, asked, found, remedy }
    throw new PortcullisError(isErrorCode(code) ? code : 'unexpected', { asked, found, remedy })
  }

  async #jsonOf(answer: Response): Promise<unknown> {
    try {
      return await answer.json()
    } catch {
      throw this.#strange('an answer that is not JSON')
    }
  }

  #strange(found: string): PortcullisError {
    return new PortcullisError('server_unreachable', { asked: `an answer of the server at ${this.#address.origin}`, found, remedy: 'See that npx portcullis serve runs there, in the same version; name another with --server.' })
  }
}

/** Reads events block by block; comments and fields that nobody asked for are left aside. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<{ readonly event: string; readonly data: unknown }> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const))
      const data = fields.get('data')
      if (data !== undefined) yield { event: fields.get('event') ?? '', data: JSON.parse(data) }
    }
  }
}
