import { CREDENTIAL_IN_ANSWER, MAX_JSON_ANSWER_BYTES, WORDS_KEPT_CHARACTERS, type AnswerEnd, type AnswerFacts, type AnswerReader, type AnswerRules, type AnswerStep, unescapedJson } from './answer.ts'
import { readEvent } from './answer-event.ts'
import { locateModel } from './model-field.ts'
import { faultOfServed, type Fault } from './provider-fault.ts'
import { readUsage } from './usage.ts'

/**
 * Holds a JSON answer whole and judges it at its end, before one byte reaches the agent (WIR-21). An answer to a question that
 * asks no model (`asksModel` false, a token count) need only be a JSON object.
 */
export class JsonAnswer implements AnswerReader {
  readonly #rules: AnswerRules
  readonly #asksModel: boolean
  #held: Uint8Array[] = []
  #bytes = 0
  #facts: AnswerFacts = { servedModel: null, usage: null, toolCalls: false }
  #words = ''

  constructor(rules: AnswerRules, asksModel: boolean) {
    this.#rules = rules
    this.#asksModel = asksModel
  }

  push(chunk: Uint8Array): AnswerStep {
    this.#bytes += chunk.length
    if (this.#bytes > MAX_JSON_ANSWER_BYTES) {
      this.#held = []
      return { release: [], fault: { reason: 'provider_malformed', detail: `an answer of more than ${MAX_JSON_ANSWER_BYTES} bytes` } }
    }
    this.#held.push(chunk)
    return { release: [], fault: undefined }
  }

  end(): AnswerEnd {
    const [only] = this.#held
    const body = only !== undefined && this.#held.length === 1 ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(this.#held)
    const fault = this.#judge(body)
    return fault === undefined ? { rest: [body], fault, passOn: true } : { rest: [], fault, passOn: false }
  }

  facts(): AnswerFacts {
    return this.#facts
  }

  words(): string {
    return this.#words
  }

  #judge(body: Buffer): Fault | undefined {
    const { dialect, servedModelIds } = this.#rules
    // The same strict reading as for requests: a second key for the model could tell the agent something else than it tells us.
    const field = locateModel(body, dialect === 'gemini' ? 'modelVersion' : 'model')
    if (!field.found && field.problem === 'unreadable') return { reason: 'provider_malformed', detail: `the answer is ${field.detail}` }
    const text = body.toString('utf8')
    // First of all: the facts below stand in evidence, and a served model's name may be the very credential.
    const unescaped = unescapedJson(text)
    if (this.#rules.holdsCredential(body) || (unescaped !== undefined && this.#rules.holdsCredential(Buffer.from(unescaped)))) return CREDENTIAL_IN_ANSWER
    const parsed: unknown = JSON.parse(text)
    const event = readEvent(dialect, parsed)
    this.#words = event.words.slice(-WORDS_KEPT_CHARACTERS)
    const servedModel = this.#asksModel && field.found ? field.model : null
    this.#facts = { servedModel, usage: readUsage(dialect, event.usage) ?? null, toolCalls: event.toolCall }
    if (!this.#asksModel) return event.error
    if (servedModel === null && event.error !== undefined) return event.error
    return faultOfServed(servedModel, servedModelIds) ?? event.error
  }
}
