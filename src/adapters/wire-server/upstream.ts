import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher, Pool } from 'undici'
import { milliseconds } from '../../contract/units.ts'
import type { Provider } from '../../gates/catalog/index.ts'
import type { Fault } from '../../gates/wire/index.ts'
import { AddressRefused } from '../outgoing/index.ts'

/** What comes back from a provider, in order: one `head`, chunks, then `end` or `fail`. After `fail` nothing follows. */
export interface UpstreamEvents {
  head(status: number, headers: IncomingHttpHeaders): void
  chunk(bytes: Buffer): void
  end(): void
  fail(fault: Fault): void
}

export interface UpstreamRequest {
  readonly pool: Pool
  readonly method: 'POST'
  readonly path: string
  readonly headers: string[]
  readonly body: Uint8Array
  readonly timeouts: Provider['timeouts']
}

interface Limits {
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

const known = new WeakMap<Provider['timeouts'], Limits>()

/** The limits of a provider in milliseconds, read out of their texts once. */
function limitsOf(timeouts: Provider['timeouts']): Limits {
  const limits = known.get(timeouts) ?? { firstByteMs: milliseconds(timeouts.firstByte), idleMs: milliseconds(timeouts.idle), totalMs: milliseconds(timeouts.total) }
  known.set(timeouts, limits)
  return limits
}

/** One request to a provider, with the four limits of its configuration. A late provider is a `fail`, never a wait. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #events: UpstreamEvents
  readonly #timeouts: Provider['timeouts']
  readonly #limits: Limits
  #arrived: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #total: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  #headSeen = false
  #over = false
  /** True once a connection stood and the request may have gone out on it. */
  sent = false

  constructor(events: UpstreamEvents, timeouts: Provider['timeouts']) {
    this.#events = events
    this.#timeouts = timeouts
    this.#limits = limitsOf(timeouts)
  }

  start(request: UpstreamRequest): void {
    this.#total = setTimeout(() => this.#late(`no whole answer within ${this.#timeouts.total}`), this.#limits.totalMs)
    this.#awaitBytes(`no first byte within ${this.#timeouts.firstByte}`, this.#limits.firstByteMs)
    request.pool.dispatch({ method: request.method, path: request.path, headers: request.headers, body: request.body }, this)
  }

  /** Ends the request now; no event follows. Also works while the request still waits for a connection. */
  abort(): void {
    if (this.#over) return
    this.#close()
    this.#controller?.abort(new Error('the wire ended the request'))
  }

  /** Stops reading: the agent reads slower than the provider writes. The silence is then ours, so it is not counted. */
  pause(): void {
    if (this.#over) return
    clearTimeout(this.#silence)
    this.#controller?.pause()
  }

  resume(): void {
    if (this.#over) return
    this.#awaitIdle()
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.sent = true
    if (this.#over) controller.abort(new Error('the wire ended the request'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#over || status < 200) return
    this.#headSeen = true
    this.#awaitIdle()
    this.#events.head(status, headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.#arrived.push(chunk)
    if (this.#arrived.length === 1) queueMicrotask(this.#handOver)
  }

  /**
   * Hands on in one piece what arrived in one read of the socket: providers put every event into a chunk of its own, and
   * each costs a digest, a look for the credential and a write. A microtask runs before anything else is read, so nothing waits.
   */
  readonly #handOver = (): void => {
    const arrived = this.#arrived
    const [only] = arrived
    if (this.#over || only === undefined) return
    this.#arrived = []
    this.#silence?.refresh()
    this.#events.chunk(arrived.length === 1 ? only : Buffer.concat(arrived))
  }

  onResponseEnd(): void {
    this.#handOver()
    // What was handed over may have ended it: an answer of another model is refused although its last byte is there.
    if (this.#over) return
    this.#close()
    this.#events.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#handOver()
    this.#fail(faultOfConnection(error, this.#headSeen, this.#timeouts))
  }

  #awaitIdle(): void {
    this.#awaitBytes(`no byte for ${this.#timeouts.idle} within the answer`, this.#limits.idleMs)
  }

  #awaitBytes(found: string, limitMs: number): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#late(found), limitMs)
  }

  #late(found: string): void {
    this.#fail({ reason: 'provider_timeout', detail: found })
    this.#controller?.abort(new Error('the provider is late'))
  }

  #fail(fault: Fault): void {
    if (this.#over) return
    this.#close()
    this.#events.fail(fault)
  }

  #close(): void {
    this.#over = true
    this.#arrived = []
    clearTimeout(this.#total)
    clearTimeout(this.#silence)
  }
}

/** The class of a broken connection. Only the error's code is repeated: its message may quote an address with a key in it. */
function faultOfConnection(error: Error, headSeen: boolean, timeouts: Provider['timeouts']): Fault {
  if (error instanceof AddressRefused) return { reason: 'provider_address_refused', detail: `nothing was sent to ${error.found}` }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return { reason: 'provider_timeout', detail: `no connection within ${timeouts.connect}` }
  if (headSeen) return { reason: 'answer_truncated', detail: `the provider cut its answer (${code})` }
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return { reason: 'provider_malformed', detail: `the provider answered with something that is not HTTP (${code})` }
  return { reason: 'provider_unreachable', detail: `no answer from the provider (${code})` }
}
