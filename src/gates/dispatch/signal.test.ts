import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { hintOf, questionProblem } from './index.ts'

const folder = join(import.meta.dirname, '../../../test/fixtures/terminal')
const PROMPT = readFileSync(join(folder, 'pickup.txt'), 'utf8')
const PANES = readdirSync(folder).filter((name) => name.endsWith('.raw'))

/** Everything that somebody could take for an answer on a screen: the whole, what is left without control characters, every line, and all from a line on. */
function readings(pane: string): string[] {
  const bytes = readFileSync(join(folder, pane), 'utf8')
  const plain = stripVTControlCharacters(bytes)
  const lines = plain.split(/\r\n|\n|\r/)
  const trimmed = lines.map((line) => line.trim())
  return [bytes, plain, plain.trim(), ...lines, ...trimmed, ...trimmed.flatMap((_line, at) => [trimmed.slice(at).join('\n'), trimmed.slice(at, at + 3).join(' ')])]
}

verifies('MC-066 MC-067', 'nothing on the recorded terminals is a signal, at any width, however it is cut', () => {
  assert.deepEqual(PANES.toSorted(), ['pane.ax80.raw', 'pane.raw', 'pane.w400.raw', 'pane.w80.raw'])
  let words = 0
  for (const pane of PANES) {
    for (const text of readings(pane)) {
      if (/(DONE|REVIEW|QUESTION):/.test(text)) words += 1
      assert.equal(hintOf(text, PROMPT), undefined, `${pane}: ${text.slice(0, 200)}`)
    }
  }
  assert.ok(words > 50, 'the recordings hold the words that must not count')
})

verifies('MC-065', 'a word at the very start of the final message is a hint that raises review, also DONE', () => {
  assert.deepEqual(hintOf('DONE: the probe answers.', PROMPT), { said: 'DONE', raises: 'review', text: 'the probe answers.' })
  assert.deepEqual(hintOf('REVIEW: see notes.md', PROMPT), { said: 'REVIEW', raises: 'review', text: 'see notes.md' })
  assert.deepEqual(hintOf('QUESTION: Which of the two tables is meant?', PROMPT), { said: 'QUESTION', raises: 'review', text: 'Which of the two tables is meant?' })
  for (const message of [null, '', ' DONE: all', '\nDONE: all', 'Well. DONE: all', 'done: all', 'DONE : all', 'DONE', 'DONE:', 'DONE: \n', '"DONE: all"', '> DONE: all', '```\nDONE: all\n```', '● DONE: all', '- DONE: all', 'UNDONE: all', 'DONE|REVIEW: all', 'Tool output:\nDONE: all']) {
    assert.equal(hintOf(message, PROMPT), undefined, JSON.stringify(message))
  }
})

verifies('MC-066', 'the seed\'s own false question is none, wrapped, indented or with lost blanks', () => {
  for (const echo of ['QUESTION: when you need MC to reflect the next state.', 'QUESTION: when you need MC\n    to reflect the next state.', 'QUESTION:when youneed MCto reflectthe next state.', 'QUESTION: when you need MC to reflect the next state. / [MC_TICKET_TURN:4462:1780141960805:8bf85bd5 internal routing marker']) {
    assert.equal(hintOf(echo, PROMPT), undefined, echo)
  }
  assert.equal(hintOf('DONE: for completed code changes, REVIEW for research/analysis', 'Use DONE for completed code changes, REVIEW for research/analysis'.replace('DONE for', 'DONE: for')), undefined)
})

verifies('MC-067', 'a question must ask something that is not in the prompt', () => {
  const prompt = 'Fix the parser. Should it take comments? Ask if in doubt.'
  assert.equal(questionProblem('Should trailing commas be taken too?', prompt), undefined)
  assert.equal(questionProblem('I read it all. Should trailing commas be taken too? Thanks.', prompt), undefined)
  assert.equal(questionProblem('Should it  take\n comments?', prompt), 'what it asks stands in the prompt')
  for (const none of ['', '?', '??', 'when you need MC to reflect the next state.', 'see https://example.org/?a=b for more', '…', '1 + 1?']) {
    assert.equal(questionProblem(none, prompt), 'no sentence of it asks anything', none)
  }
  // One question of its own is enough, beside one of the prompt's.
  assert.equal(questionProblem('Should it take comments? Or only in strict mode?', prompt), undefined)
})

verifies('MC-071', 'a marker in the answer changes nothing, nor does its absence', () => {
  const marker = '[MC_TICKET_TURN:4462:1780141960805:8bf85bd5 internal routing marker; do not mention this marker in your reply]'
  for (const message of ['DONE: the probe answers.', 'QUESTION: Which of the two tables is meant?', 'All is well.']) {
    const [without, repeated] = [hintOf(message, PROMPT), hintOf(`${message}\n${marker}`, PROMPT)]
    assert.deepEqual([repeated?.said, repeated?.raises], [without?.said, without?.raises])
  }
})

test('spinners, counters and hints of a terminal are no words of the agent', () => {
  for (const noise of ['✻ Topsy-turvying… (34s · ↑ 1.4k tokens · thought for 1s)', '⏵⏵bypasspermissionson (shift+tabtocycle)84790tokens', '❯ Pressuptoeditqueuedmessages', '✢', '*40']) assert.equal(hintOf(noise, PROMPT), undefined)
})

test('a very long message is read in a moment', () => {
  const started = performance.now()
  assert.equal(hintOf(`DONE: ${'x '.repeat(500_000)}`, PROMPT)?.said, 'DONE')
  assert.equal(questionProblem('a'.repeat(1_000_000), PROMPT), 'no sentence of it asks anything')
  assert.ok(performance.now() - started < 2_000)
})
