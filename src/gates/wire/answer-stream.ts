import { CREDENTIAL_IN_ANSWER, MAX_EVENT_BYTES, MAX_HELD_BYTES, WORDS_KEPT_CHARACTERS, type AnswerEnd, type AnswerFacts, type AnswerReader, type AnswerRules, type AnswerStep, readJson, unescapedJson } from './answer.ts'
import { type AnswerEvent, readEvent } from './answer-event.ts'
import { EventStream, type ServerSentEvent } from './event-stream.ts'
import { EventTemplate } from './event-template.ts'
import { isModelName } from './model-field.ts'
import { faultOfServed, type Fault } from './provider-fault.ts'
import { readUsage } from './usage.ts'

/**
 * Reads a stream of server-sent events. Nothing is released before an event named an admitted model; after that only whole
 * events are, so that no byte of an event that names another model gets through; the terminal event and what follows it is
 * held until the end, for the caller to release once the evidence is durable (WIR-21, WIR-22, WIR-25).
 */
export class StreamAnswer implements AnswerReader {
  readonly #rules: AnswerRules
  readonly #events = new EventStream((event) => this.#take(event))
  readonly #template: EventTemplate
  #held: Uint8Array[] = []
  #heldBytes = 0
  #servedModel: string | null = null
  #toolCalls = false
  #usage: unknown = undefined
  #text = ''
  #words = ''
  #finished = false
  #fault: Fault | undefined
  #reported: Fault | undefined

  constructor(rules: AnswerRules) {
    this.#rules = rules
    this.#template = new EventTemplate(rules.dialect)
  }

  push(chunk: Uint8Array): AnswerStep {
    // Once for all events that came together; an event that came in several pieces is looked at again as a whole.
    if (this.#fault === undefined && this.#rules.holdsCredential(chunk)) this.#fault = CREDENTIAL_IN_ANSWER
    if (this.#fault === undefined) this.#events.push(chunk)
    if (this.#fault === undefined && this.#events.heldBytes > MAX_EVENT_BYTES) this.#fault = { reason: 'provider_malformed', detail: `an event of more than ${MAX_EVENT_BYTES} bytes` }
    const waiting = this.#servedModel === null || this.#finished
    if (this.#fault === undefined && waiting && this.#heldBytes > MAX_HELD_BYTES) {
      this.#fault = this.#finished ? { reason: 'provider_malformed', detail: 'the stream goes on after its last event' } : faultOfServed(null, this.#rules.servedModelIds)
    }
    if (this.#fault !== undefined || waiting) return { release: [], fault: this.#fault }
    return { release: this.#takeHeld(), fault: undefined }
  }

  end(): AnswerEnd {
    if (this.#fault === undefined) this.#events.end()
    const fault = this.#fault ?? (this.#servedModel === null ? (this.#reported ?? faultOfServed(null, this.#rules.servedModelIds)) : undefined)
    if (fault !== undefined) return { rest: [], fault, passOn: false }
    if (this.#reported !== undefined) return { rest: this.#takeHeld(), fault: this.#reported, passOn: true }
    if (!this.#finished) return { rest: [], fault: { reason: 'answer_truncated', detail: 'the stream ended without its last event' }, passOn: false }
    return { rest: this.#takeHeld(), fault: undefined, passOn: true }
  }

  facts(): AnswerFacts {
    return { servedModel: this.#servedModel, usage: readUsage(this.#rules.dialect, this.#usage) ?? null, toolCalls: this.#toolCalls }
  }

  words(): string {
    return this.#words.slice(-WORDS_KEPT_CHARACTERS)
  }

  #takeHeld(): readonly Uint8Array[] {
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    return held
  }

  #take(event: ServerSentEvent): void {
    if (this.#fault !== undefined) return
    // Released in the same step as the events before it: what is judged here is only ever released after this returned.
    const [named, finished] = [this.#servedModel !== null, this.#finished]
    this.#fault = this.#judge(event)
    if (this.#fault !== undefined) return
    let bytes = 0
    for (const piece of event.bytes) {
      this.#held.push(piece)
      bytes += piece.length
    }
    // The event that names the model and the last one may hold a whole answer, images included; what is bounded comes before and after.
    const turns = named !== (this.#servedModel !== null) || finished !== this.#finished
    this.#heldBytes = turns ? 0 : this.#heldBytes + bytes
  }

  #judge(event: ServerSentEvent): Fault | undefined {
    if (event.bytes.length > 1 && this.#rules.holdsCredential(Buffer.concat(event.bytes))) return CREDENTIAL_IN_ANSWER
    if (event.data === null || event.data === '') return undefined
    if (event.data.length < 64 && event.data.trim() === '[DONE]') {
      this.#finished = true
      return undefined
    }
    const known = this.#template.read(event.data)
    if (known !== undefined) return this.#hear(known)
    const unescaped = unescapedJson(event.data)
    if (unescaped !== undefined && this.#rules.holdsCredential(Buffer.from(unescaped))) return CREDENTIAL_IN_ANSWER
    const parsed = readJson(event.data)
    if (!parsed.ok) return { reason: 'provider_malformed', detail: 'an event of the stream is not valid JSON' }
    const said = readEvent(this.#rules.dialect, parsed.value)
    this.#template.learn(event.data, said)
    return this.#hear(said)
  }

  #hear(said: AnswerEvent): Fault | undefined {
    this.#toolCalls ||= said.toolCall
    // Anthropic reports input first and output last: later members win, earlier ones stay.
    if (typeof said.usage === 'object' && said.usage !== null) this.#usage = { ...(typeof this.#usage === 'object' ? this.#usage : {}), ...reported(said.usage) }
    for (const model of said.models) {
      // The last one that was named was judged then; one that did not hold ended the stream.
      if (model === this.#servedModel) continue
      if (!isModelName(model)) return { reason: 'provider_malformed', detail: 'the answer names a model that is no printable name' }
      this.#servedModel = model
      const fault = faultOfServed(model, this.#rules.servedModelIds)
      if (fault !== undefined) return fault
    }
    this.#reported ??= said.error
    if (said.terminal || said.error !== undefined) this.#finished = true
    // Cut only now and then: to cut after every event would copy the whole window each time.
    this.#words = (this.#words.length > 2 * WORDS_KEPT_CHARACTERS ? this.#words.slice(-WORDS_KEPT_CHARACTERS) : this.#words) + said.words
    // A provider that makes its model repeat the credential splits it over events; the agent would put it together again.
    if (said.text === '' || this.#rules.longestCredential === 0) return undefined
    const text = this.#text + said.text
    // What could be the beginning of one is kept: a character is at least a byte, so as many characters are enough.
    this.#text = text.slice(-this.#rules.longestCredential)
    return this.#rules.holdsCredential(Buffer.from(text)) ? CREDENTIAL_IN_ANSWER : undefined
  }
}

/** The members that carry a value; a later `null` does not erase what was reported before. */
const reported = (usage: object): object => Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined))
