import { createInterface, type Interface } from 'node:readline'
import { PortcullisError } from '../contract/errors.ts'
import type { Terminal } from './terminal.ts'

/** One value that a command needs: its option, and how a person is asked for it. */
export interface Question {
  readonly option: string
  readonly given: string | undefined
  readonly ask: string
}

/**
 * Asks a person at a terminal for every value that was not given as an option, one line each. Anywhere else nobody can
 * answer, so what is missing is said at once and whole. Throws `usage` then, and when the person ends without an answer.
 */
export async function askFor(questions: readonly Question[], terminal: Terminal): Promise<readonly string[]> {
  const missing = questions.filter(({ given }) => given === undefined)
  if (missing.length === 0) return questions.map(({ given }) => given ?? '')
  const options = missing.map(({ option, ask }) => `${option} (${ask})`).join(', ')
  if (terminal.json || !terminal.live || !process.stdin.isTTY) throw new PortcullisError('usage', { asked: 'a complete record', found: `nothing given for ${options}`, remedy: 'Give the options, or run the command at a terminal and answer.' })
  const input = createInterface({ input: process.stdin, output: process.stdout })
  const lines = input[Symbol.asyncIterator]()
  try {
    const answers: string[] = []
    for (const { given, ask } of questions) answers.push(given ?? (await oneAnswer(input, lines, ask)))
    return answers
  } finally {
    input.close()
  }
}

/** Reads whole lines, so that what was pasted for several questions at once answers them in turn. */
async function oneAnswer(input: Interface, lines: AsyncIterator<string>, ask: string): Promise<string> {
  for (;;) {
    input.setPrompt(`  ${ask}: `)
    input.prompt()
    const line = await lines.next()
    if (line.done === true) throw new PortcullisError('usage', { asked: ask, found: 'the end of the input', remedy: 'Nothing was written. Run the command again and answer, or give the options.' })
    // No answer is none: nothing is defaulted, an approval least of all.
    if (line.value.trim() !== '') return line.value.trim()
  }
}
