import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Pool } from 'undici'
import {
  type AdmittedQuestion, type AnswerReader, type Credential, type Fault, type Target, type WireRefusal,
  failureAnswer, failureEvent, faultOfStatus, JsonAnswer, REMEDIES, StreamAnswer, unescapedJson, upstreamPath,
} from '../../gates/wire/index.ts'
import { headersToAgent, headersToProvider, providerRequestId } from './headers.ts'
import { LAST_WORD_TIMEOUT_MS, MAX_ERROR_ANSWER_BYTES } from './limits.ts'
import type { Conclusion, OpenCall } from './open-call.ts'
import { RunningDigest } from './running-digest.ts'
import { UpstreamCall, type UpstreamEvents } from './upstream.ts'

export interface ExchangeRequest {
  readonly call: OpenCall
  readonly client: ServerResponse
  readonly question: AdmittedQuestion
  /** The query string as received, judged already. */
  readonly query: string
  readonly rawHeaders: readonly string[]
  readonly credential: Credential
  readonly pool: Pool
}

/** How an exchange ended, and how to tell the agent. `deliver(true)` only once the conclusion is durable (WIR-22). */
export interface Exchanged {
  readonly conclusion: Conclusion
  /** True once the agent got a byte of the answer: from then on nobody else may be asked (WIR-31). */
  readonly begun: boolean
  /** True if nothing of the request can have reached the provider, so that repeating it repeats nothing (WIR-32). */
  readonly neverSent: boolean
  /** What the model said in words, as far as the answer came. */
  readonly words: string
  /** How long the provider asks to wait, in milliseconds; null if it does not say. */
  readonly retryAfterMs: number | null
  deliver(durable: boolean): void
}

/** Forwards one admitted question and passes its answer on, as far as it is proven. Never rejects. */
export const exchange = (request: ExchangeRequest): Promise<Exchanged> => new Promise((resolve) => new Exchange(request, resolve).start())

class Exchange implements UpstreamEvents {
  readonly #request: ExchangeRequest
  readonly #resolve: (exchanged: Exchanged) => void
  readonly #upstream: UpstreamCall
  readonly #target: Target
  readonly #digest = new RunningDigest()
  #status: number | null = null
  #headers: IncomingHttpHeaders = {}
  #reader: AnswerReader | undefined
  #errorBody: Buffer[] = []
  #bytes = 0
  #firstByteMs: number | null = null
  #stream = false
  #begun = false
  #finished = false
  #waiting = false

  constructor(request: ExchangeRequest, resolve: (exchanged: Exchanged) => void) {
    this.#request = request
    this.#resolve = resolve
    this.#target = request.call.target
    this.#upstream = new UpstreamCall(this, this.#target.provider.timeouts)
  }

  start(): void {
    const { call, question, rawHeaders, credential, pool } = this.#request
    // Before dispatching: an agent that leaves while its request is still queued must not leave a paused connection behind.
    call.onCut(() => this.#cut())
    if (call.cutBy !== undefined) return
    const { provider } = this.#target
    const query = this.#request.query === '' ? '' : `?${this.#request.query}`
    this.#upstream.start({ pool, method: 'POST', path: upstreamPath(provider.baseUrl, question.route, this.#target.admitted.model) + query, headers: headersToProvider(rawHeaders, credential), body: question.bodyFor(this.#target), timeouts: provider.timeouts })
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    const { credential, question, call } = this.#request
    this.#status = status
    this.#headers = headers
    this.#firstByteMs = call.elapsedMs()
    call.grant.touch()
    const fault = faultOfStatus(status)
    if (fault !== undefined && status < 400) return this.#fail(fault)
    if (!['', 'identity'].includes(headers['content-encoding'] ?? '')) return this.#fail({ reason: 'provider_malformed', detail: 'a compressed answer, which was not asked for and cannot be read' })
    if (fault !== undefined) return
    const rules = { dialect: this.#target.provider.dialect, servedModelIds: this.#target.servedModelIds, holdsCredential: (bytes: Uint8Array) => credential.isIn(bytes), longestCredential: credential.longest }
    const asksModel = question.route.kind === 'inference'
    this.#stream = asksModel && /^text\/event-stream\b/i.test(headers['content-type'] ?? '')
    this.#reader = this.#stream ? new StreamAnswer(rules) : new JsonAnswer(rules, asksModel)
  }

  chunk(bytes: Buffer): void {
    this.#bytes += bytes.length
    this.#digest.update(bytes)
    this.#request.call.grant.touch()
    if (this.#reader === undefined) {
      this.#errorBody.push(bytes)
      if (this.#bytes > MAX_ERROR_ANSWER_BYTES) this.#fail({ reason: 'provider_malformed', detail: `an error answer of more than ${MAX_ERROR_ANSWER_BYTES} bytes` })
      return
    }
    const step = this.#reader.push(bytes)
    if (step.fault !== undefined) return this.#fail(step.fault)
    if (step.release.length > 0 && !this.#pass(step.release)) this.#waitForAgent()
  }

  /** Back-pressure: an agent that reads slowly slows the provider down and fills no memory (WIR-13). */
  #waitForAgent(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#upstream.pause()
    this.#request.client.once('drain', () => {
      this.#waiting = false
      this.#upstream.resume()
    })
  }

  end(): void {
    if (this.#reader === undefined) return this.#passError()
    const { rest, fault, passOn } = this.#reader.end()
    if (!passOn) return this.#fail(fault ?? { reason: 'provider_malformed', detail: 'an answer that cannot be judged' })
    this.#finish(fault, this.#status, () => {
      // One piece is sent with its length; a stream goes on in chunks and ends cleanly only here.
      if (!this.#begun && !this.#stream) this.#sendWhole(Buffer.concat(rest))
      else {
        this.#pass(rest)
        this.#request.client.end()
      }
    })
  }

  fail(fault: Fault): void {
    this.#fail(fault)
  }

  /** The agent has gone, or the run is over. */
  #cut(): void {
    const by = this.#request.call.cutBy
    this.#fail({ reason: 'interrupted', detail: by === 'client' ? 'the agent closed the connection before the answer was complete' : 'the run was ended while the answer was under way' })
  }

  #fail(fault: Fault): void {
    const status = this.#begun ? this.#status : failureAnswer(this.#dialect(), this.#refusal(fault)).status
    this.#finish(fault, status, () => this.#sendFault(fault))
  }

  /** An error of the provider goes through as it is (status, body, retry-after), less the credential should it repeat it. */
  #passError(): void {
    const status = this.#status ?? 502
    const fault = faultOfStatus(status) ?? { reason: 'provider_malformed' as const, detail: 'an answer without a body that can be judged' }
    this.#finish(fault, status, () => this.#sendWhole(this.#redacted(Buffer.concat(this.#errorBody))))
  }

  #redacted(body: Buffer): Uint8Array {
    const { credential } = this.#request
    const plain = Buffer.from(unescapedJson(body.toString()) ?? '')
    return credential.redact(credential.isIn(plain) ? plain : body)
  }

  #finish(fault: Fault | undefined, clientStatus: number | null, deliver: () => void): void {
    if (this.#finished) return
    this.#finished = true
    this.#upstream.abort()
    const facts = this.#reader?.facts() ?? { servedModel: null, usage: null, toolCalls: false }
    const conclusion: Conclusion = {
      outcome: fault === undefined ? 'answered' : 'failed',
      fault,
      clientStatus: this.#request.call.cutBy === 'client' ? null : clientStatus,
      providerStatus: this.#status,
      ...facts,
      stream: this.#stream || this.#request.question.stream,
      responseBytes: this.#bytes,
      responseDigest: this.#status === null ? null : this.#digest.hex(),
      providerRequestId: providerRequestId(this.#headers, this.#request.credential),
      firstByteMs: this.#firstByteMs,
    }
    this.#resolve({
      conclusion,
      begun: this.#begun,
      words: this.#reader?.words() ?? '',
      neverSent: this.#status === null && fault?.reason === 'provider_unreachable' && !this.#upstream.sent,
      retryAfterMs: retryAfterMs(this.#headers['retry-after']),
      deliver: (durable) => {
        if (this.#request.client.destroyed) return
        if (durable) deliver()
        else this.#sendFault({ reason: 'evidence_unavailable', detail: 'the evidence of this call could not be stored' })
      },
    })
  }

  /** Writes released bytes; false if the agent reads too slowly for more. */
  #pass(pieces: readonly Uint8Array[]): boolean {
    const { client } = this.#request
    if (!this.#begun) {
      this.#begun = true
      client.writeHead(this.#status ?? 200, headersToAgent(this.#headers, this.#request.credential))
    }
    // One write for what came together: each costs a chunk header and two more pieces for the kernel to gather.
    const [only = new Uint8Array(0)] = pieces
    return pieces.length === 0 || client.write(pieces.length === 1 ? only : Buffer.concat(pieces))
  }

  #sendWhole(body: Uint8Array): void {
    const headers = headersToAgent(this.#headers, this.#request.credential)
    this.#request.client.writeHead(this.#status ?? 502, { ...headers, 'content-length': body.length }).end(body)
  }

  #sendFault(fault: Fault): void {
    const { client } = this.#request
    const refusal = this.#refusal(fault)
    if (!this.#begun) {
      const answer = failureAnswer(this.#dialect(), refusal)
      client.writeHead(answer.status, answer.headers).end(answer.body)
      return
    }
    // The agent's SDK raises on the event; the cut makes sure that a client that skips it never sees a clean end (WIR-25).
    const cut = (): void => void client.destroy()
    const timer = setTimeout(cut, LAST_WORD_TIMEOUT_MS)
    client.once('close', () => clearTimeout(timer))
    client.write(failureEvent(this.#dialect(), refusal), cut)
  }

  #refusal(fault: Fault): WireRefusal {
    const { call } = this.#request
    const { admitted } = this.#target
    return { reason: fault.reason, asked: `${admitted.provider}/${call.requestedModel ?? admitted.model}`, admitted: [admitted], found: fault.detail, remedy: REMEDIES[fault.reason] ?? 'Read the report of the run.' }
  }

  #dialect(): AdmittedQuestion['route']['dialect'] {
    return this.#request.question.route.dialect
  }
}

/** `Retry-After` in seconds, as providers send it; a date would need the provider's clock, and a guess is no wait. */
const retryAfterMs = (value: string | undefined): number | null => (value !== undefined && /^\d{1,6}(?:\.\d+)?$/.test(value) ? Math.ceil(Number(value) * 1_000) : null)
