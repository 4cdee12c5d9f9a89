import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { verifies } from '../../../test/verifies.ts'
import { screenMark } from './screen-text.ts'

const folder = join(import.meta.dirname, '../../../test/fixtures/terminal')
const SCREENS = ['pane.raw', 'pane.w80.raw', 'pane.w400.raw', 'pane.ax80.raw']

verifies('MC-134', 'spinners, counters and hints of a screen are told apart from words, at every width, with and without their control characters', () => {
  for (const [text, mark] of [
    ['✢\n✶\n✻', 'a spinner'],
    ['I looked at it.\n✽\nDone.', 'a spinner'],
    ['· Topsy-turvying… (34s · ↑ 1.4k tokens · thought for 1s)', 'the status line of a spinner'],
    ['✶Topsy-turvying…', 'the status line of a spinner'],
    ['* Brewing… ↓', 'the status line of a spinner'],
    ['QUESTION: what now? (41s · ↓1.7k tokens · thinking with medium effort)', 'a counter of tokens or seconds'],
    ['thinking with medium effort)', 'a counter of tokens or seconds'],
    ['❯ Pressuptoeditqueuedmessages', 'a hint about keys'],
    ['❯ Press up to edit queued messages', 'a hint about keys'],
    ['⏵⏵bypasspermissionson (shift+tabtocycle)84790tokens', 'a hint about keys'],
    ['working (esc to interrupt)', 'a hint about keys'],
    ['plain \u001b[1mbold\u001b[0m', 'control characters of a terminal'],
    ['half a line\rthe other half', 'control characters of a terminal'],
  ] as const) {
    assert.equal(screenMark(text), mark, JSON.stringify(text))
  }
  for (const name of SCREENS) {
    const screen = readFileSync(join(folder, name), 'utf8')
    assert.notEqual(screenMark(screen), undefined, name)
    // As a page shows it that strips the control characters and keeps the rest.
    const stripped = stripVTControlCharacters(screen).replaceAll('\r', '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, '')
    assert.ok(stripped.length > 100)
    assert.notEqual(screenMark(stripped), undefined, `${name} without its control characters`)
  }
})

test('what people and agents write about a session is a comment, also where it speaks of tokens, keys and lists', () => {
  for (const text of [
    'The context grew from 84790 to 88280 tokens in 34s; medium effort.',
    '* one\n* two\n- three\n\n***\n',
    'Steps:\n\n*\n',
    'I pressed escape to interrupt it… then it went on.',
    'Thinking about it again, the alias is the problem.',
    '· first point\n· second point',
    'Windows line\r\nends are words as well.\ttabs too',
    readFileSync(join(folder, 'pickup.txt'), 'utf8'),
    'QUESTION: should the alias be pinned? Two of them are not…',
    '✔ 30 tests pass, lint clean, pushed.',
  ]) {
    assert.equal(screenMark(text), undefined, JSON.stringify(text))
  }
})
