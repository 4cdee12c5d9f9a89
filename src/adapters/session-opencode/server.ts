import type * as z from 'zod'
import { withinLimit } from '../../contract/time-limit.ts'
import { parseJson } from '../session-common/index.ts'

const USER = 'opencode'
/** One answer of its server may take so long; turns are not waited for here. */
const ANSWER_MS = 60_000
/** Far above any true event; a stream that sends more without an end of it is not followed any further. */
const MOST_EVENT_CHARACTERS = 16 * 1_048_576

export type Answered = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly found: string }

/** The server of one session, over HTTP on this machine. */
export class OpencodeServer {
  readonly #address: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #ending: AbortSignal

  constructor(address: string, password: string, ending: AbortSignal) {
    this.#address = address
    this.#headers = { authorization: `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`, 'content-type': 'application/json' }
    this.#ending = ending
  }

  /** Asks once. What it says besides a status is for people, and cut. Rejects where it cannot be reached. */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answered> {
    const response = await fetch(`${this.#address}${path}`, { method, headers: this.#headers, redirect: 'error', signal: withinLimit(ANSWER_MS, this.#ending), ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await response.text()
    return response.ok ? { ok: true, value: text === '' ? null : parseJson(text) } : { ok: false, found: `status ${response.status}: ${text.slice(0, 300)}` }
  }

  /** Follows its events until they end. Resolves when the stream ends; rejects when it breaks. */
  async follow<Schema extends z.ZodType>(schema: Schema, onEvent: (event: z.infer<Schema>, line: string) => void): Promise<void> {
    const response = await fetch(`${this.#address}/event`, { headers: this.#headers, redirect: 'error', signal: this.#ending })
    if (!response.ok || response.body === null) throw new Error(`the stream of events was answered with ${response.status}`)
    let waiting = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      waiting += text
      if (waiting.length > MOST_EVENT_CHARACTERS) throw new Error('an event without an end')
      const blocks = waiting.split('\n\n')
      waiting = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trimStart()] : [])).join('\n')
        const read = schema.safeParse(parseJson(data))
        if (read.success) onEvent(read.data, data)
      }
    }
  }
}
