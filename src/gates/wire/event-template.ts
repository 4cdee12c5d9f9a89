import type { Dialect } from '../../contract/model.ts'
import { readJson } from './answer.ts'
import { type AnswerEvent, readEvent } from './answer-event.ts'

/**
 * Members whose value `readEvent` takes as text or not at all, whatever it says. None that it decides by may stand here: not
 * `type`, `status`, `model`, `finish_reason`, nor anything of an error.
 */
const FREE = /"(?:content|text|delta|partial_json|thinking|reasoning|reasoning_content|arguments|obfuscation)": ?"$/

/** What a JSON string cannot hold as it is, or spells in another way: such an event is read as a whole. */
const SPECIAL = /[\u0000-\u001f\\]/
/** Longer ones are rare, and are read as a whole. */
const LONGEST = 4_096
/** Stands for whatever a free member may say, where it is tried what depends on it. */
const MARK = 'portcullis trial'

/** How much is learnt in vain before it is given up: some providers number their events, so that no two are alike. */
const MOST_TRIALS = 8

/**
 * Providers send the same event again and again with other words in it. Once one was read as a whole, the next that differs
 * from it only within the quotes of its free members says the same but for its words, because it is the same JSON but for
 * them. Whatever differs in any other byte is not known here, and has to be read.
 */
export class EventTemplate {
  readonly #dialect: Dialect
  /** What stands around the free members, quotes included; empty before anything was learnt. */
  #fixed: readonly string[] = []
  /** Which of the free members are said, and which of these are words and neither reasoning nor arguments. */
  #said = -1
  #isWords = false
  #event: AnswerEvent | undefined
  #trials = MOST_TRIALS

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** What an event says, if that is known without reading it as a whole. */
  read(data: string): AnswerEvent | undefined {
    const event = this.#event
    const [first = ''] = this.#fixed
    // Compared as slices, which is far quicker than `startsWith`.
    if (event === undefined || data.length > LONGEST || data.slice(0, first.length) !== first) return undefined
    let text = ''
    let at = first.length
    for (let index = 1; index < this.#fixed.length; index += 1) {
      const end = data.indexOf('"', at)
      const next = this.#fixed[index] ?? ''
      if (end < 0 || data.slice(end, end + next.length) !== next) return undefined
      const free = data.slice(at, end)
      if (SPECIAL.test(free)) return undefined
      if (index - 1 === this.#said) text = free
      at = end + next.length
    }
    if (at !== data.length) return undefined
    this.#trials = MOST_TRIALS
    return { ...event, text, words: this.#isWords ? text : '' }
  }

  /** Takes an event that was read as a whole for the next ones, if it can be shown what depends on its free members. */
  learn(data: string, event: AnswerEvent): void {
    if (this.#trials === 0 || event.text === '' || event.usage !== undefined || event.error !== undefined || event.terminal || data.length > LONGEST || SPECIAL.test(data)) return
    this.#trials -= 1
    const fixed = partsAround(data)
    const said: number[] = []
    for (let index = 0; index + 1 < fixed.length; index += 1) {
      const tried = this.#tried(data, fixed, index)
      if (tried === undefined || !isSame(tried, event)) return
      if (tried.text === MARK && (tried.words === MARK || tried.words === '')) said.push(index)
      else if (tried.text !== event.text || tried.words !== event.words) return
    }
    const [only] = said
    if (only === undefined || said.length > 1 || (event.words !== '' && event.words !== event.text)) return
    this.#fixed = fixed
    this.#said = only
    this.#isWords = event.words !== ''
    this.#event = event
  }

  /** The event with something else in one of its free members. */
  #tried(data: string, fixed: readonly string[], index: number): AnswerEvent | undefined {
    const start = fixed.slice(0, index + 1).reduce((at, part, place) => (place === 0 ? part.length : data.indexOf('"', at) + part.length), 0)
    const parsed = readJson(data.slice(0, start) + MARK + data.slice(data.indexOf('"', start)))
    return parsed.ok ? readEvent(this.#dialect, parsed.value) : undefined
  }
}

/** An event without backslashes, cut at its free members: every second piece between quotes is a string. */
function partsAround(data: string): readonly string[] {
  const pieces = data.split('"')
  const parts: string[] = []
  let part = pieces[0] ?? ''
  for (let index = 1; index < pieces.length; index += 2) {
    part += '"'
    if (FREE.test(part)) {
      parts.push(part)
      part = ''
    } else part += pieces[index] ?? ''
    part += `"${pieces[index + 1] ?? ''}`
  }
  return [...parts, part]
}

const isSame = (a: AnswerEvent, b: AnswerEvent): boolean =>
  a.toolCall === b.toolCall && a.terminal === b.terminal && a.error === b.error && a.usage === b.usage && a.models.length === b.models.length && a.models.every((model, index) => model === b.models[index])
