import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, printableJson } from './terminal.ts'

/** An end of a line, a control sequence of eight bits, and characters that hide, join or turn what stands around them. */
const HOSTILE = ['\u001b[2J', '\u009b2J', '\u0085', '\u200b', '\u2028', '\u2029', '\u202e', '\u2066', '\ufeff', '\u00ad', '\u{e0041}']
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]/u

test('what a terminal would obey or hide is shown in its place, in a line and in JSON, and the JSON says the same', () => {
  for (const hostile of HOSTILE) {
    assert.doesNotMatch(printable(`a${hostile}b`), OBEYED, JSON.stringify(hostile))
    assert.match(printable(`a${hostile}b`), /^a\\x[0-9a-f]+.*b$/)
    const json = printableJson(JSON.stringify({ title: `a${hostile}b` }))
    assert.doesNotMatch(json, OBEYED, JSON.stringify(hostile))
    assert.deepEqual(JSON.parse(json), { title: `a${hostile}b` })
  }
  assert.equal(printable('Zürich \u{1f600} 東京'), 'Zürich \u{1f600} 東京')
})
