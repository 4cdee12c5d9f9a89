import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const count = (text) => execFileSync(process.execPath, ['count.mjs', text], { encoding: 'utf8' }).trim()

test('words are counted', () => assert.equal(count('one two three'), '3 words'))
test('more than one space is one space', () => assert.equal(count('one  two'), '2 words'))
test('nothing has no words', () => assert.equal(count(''), '0 words'))
