/** The words with which a last message may begin (MC-065). */
const WORDS = ['DONE', 'REVIEW', 'QUESTION'] as const

/** What the last words of a turn suggest. It can bring a ticket before a person or a gate, and can end nothing (MC-065). */
export interface Hint {
  readonly said: (typeof WORDS)[number]
  readonly raises: 'review'
  readonly text: string
}

/**
 * The hint in the final message of the assistant, as the runtime's own channel gave it: one of the words at its very start, with
 * something behind it that is not a piece of the prompt. Undefined for everything else, so also for every word in an echo, a quote,
 * a block of code, an output of a tool or a wrapped line. A screen has no final message and must never come here.
 */
export function hintOf(finalMessage: string | null, prompt: string): Hint | undefined {
  const match = /^(DONE|REVIEW|QUESTION):[ \t]*(\S[\s\S]*)$/.exec(finalMessage ?? '')
  if (match === null) return undefined
  const said = WORDS.find((word) => word === match[1])
  const text = match[2] ?? ''
  if (said === undefined) return undefined
  // An echo of the prompt is the prompt: better no hint, and a person looks, than the prompt read back as an answer.
  if (isEcho(firstParagraph(text), prompt)) return undefined
  if (said === 'QUESTION' && questionProblem(text, prompt) !== undefined) return undefined
  return { said, raises: 'review', text }
}

/** What is wrong with a question, as it comes with QUESTION: none asked, or one that stands in the prompt (MC-067). Undefined if nothing is. */
export function questionProblem(question: string, prompt: string): string | undefined {
  const asked = sentencesOf(question).filter((sentence) => sentence.endsWith('?') && lettersOf(sentence).length > FEWEST_LETTERS)
  if (asked.length === 0) return 'no sentence of it asks anything'
  if (asked.every((sentence) => isEcho(sentence, prompt))) return 'what it asks stands in the prompt'
  return undefined
}

/** A single word asks nothing that anybody could answer. */
const FEWEST_LETTERS = 8

/** Sentences by their end marks. A mark inside a word, as in `a?b=1`, ends none. */
const sentencesOf = (text: string): string[] => text.split(/(?<=[.!?])(?=\s|$)/).map((sentence) => sentence.trim()).filter((sentence) => sentence !== '')

const firstParagraph = (text: string): string => text.split(/\n\s*\n/)[0] ?? text

/**
 * True if the text is a piece of the prompt. Terminals wrap, indent and lose blanks, so only letters and digits count; a text
 * without any says nothing, which counts as an echo.
 */
function isEcho(text: string, prompt: string): boolean {
  const bare = lettersOf(text)
  return bare === '' || lettersOf(prompt).includes(bare)
}

const lettersOf = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
