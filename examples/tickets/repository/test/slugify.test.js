import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slugify } from '../src/slugify.js'

test('words are in lower case and joined by hyphens', () => {
  assert.equal(slugify('Hello World'), 'hello-world')
})

test('accents are taken off', () => {
  assert.equal(slugify('Crème Brûlée'), 'creme-brulee')
})

test('an apostrophe does not split a word', () => {
  assert.equal(slugify("What's new"), 'whats-new')
})

test('everything else between words becomes one hyphen', () => {
  assert.equal(slugify('one, two -- three & 4'), 'one-two-three-4')
})

test('no hyphen stands at either end', () => {
  assert.equal(slugify('  (really?)  '), 'really')
})

test('a title without letters or digits has no name', () => {
  assert.equal(slugify('?!'), '')
})
