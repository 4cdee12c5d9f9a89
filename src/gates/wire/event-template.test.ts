import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { casesOf } from '../../../test/cases.ts'
import type { Dialect } from '../../contract/model.ts'
import { readEvent } from './answer-event.ts'
import { EventTemplate } from './event-template.ts'

const SENT: Readonly<Record<Dialect, (words: string, other: string) => unknown>> = {
  'openai-chat': (content, obfuscation) => ({ id: 'c', model: 'coder-1', choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null, obfuscation }),
  'openai-responses': (delta, obfuscation) => ({ type: 'response.output_text.delta', item_id: 'i', delta, logprobs: [], obfuscation }),
  'anthropic-messages': (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
  gemini: (text) => ({ candidates: [{ content: { role: 'model', parts: [{ text }] } }], modelVersion: 'coder-1' }),
}
const dialects = Object.keys(SENT) as Dialect[]
const said = (dialect: Dialect, data: string) => readEvent(dialect, JSON.parse(data))

function learnt(dialect: Dialect, data: string): EventTemplate {
  const template = new EventTemplate(dialect)
  template.learn(data, said(dialect, data))
  return template
}

void test('an event that differs in its words alone is known in every dialect, with what it says', () => {
  for (const dialect of dialects) {
    const template = learnt(dialect, JSON.stringify(SENT[dialect]('first', 'x')))
    for (const words of ['second', '', 'Grüße 🏰', ':"'.slice(0, 1)]) {
      const data = JSON.stringify(SENT[dialect](words, 'yyy'))
      assert.deepEqual(template.read(data), said(dialect, data), `${dialect} ${words}`)
    }
  }
})

void test('what differs in anything else, has an escape or is no JSON is not known', () => {
  for (const dialect of dialects) {
    const first = JSON.stringify(SENT[dialect]('first', 'x'))
    const template = learnt(dialect, first)
    for (const data of [first.replace('coder-1', 'coder-9'), first.replace('first', 'a\\u0041'), first.replace('first', 'a\tb'), first.replace('first', 'a","model":"coder-9'), `${first} `, first.slice(0, -1), first.slice(1), '', first.replace('"first"', '1')]) {
      if (data !== first) assert.equal(template.read(data), undefined, data)
    }
  }
})

void test('nothing is learnt of what decides', () => {
  const terminal = { type: 'response.completed', response: { status: 'completed', model: 'coder-1' }, delta: 'x' }
  const failed = { type: 'error', delta: 'x', error: { code: 'rate_limit_exceeded' } }
  for (const event of [terminal, failed]) {
    const data = JSON.stringify(event)
    assert.equal(learnt('openai-responses', data).read(data), undefined)
  }
  const usage = JSON.stringify({ ...(SENT['openai-chat']('x', 'y') as object), usage: { prompt_tokens: 1 } })
  assert.equal(learnt('openai-chat', usage).read(usage), undefined)
})

const free = fc.constantFrom('content', 'text', 'delta', 'partial_json', 'thinking', 'reasoning', 'arguments', 'obfuscation', 'type', 'status', 'model', 'role', 'error', 'id', 'finish_reason', 'code')
const leaf = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('first', 'message_stop', 'response.completed', 'response.output_text.delta', 'failed', 'function_call', 'tool_use', 'text', 'coder-1', 'coder-9', 'STOP'), fc.constant(null), fc.integer())
const { event } = fc.letrec((tie) => ({
  event: fc.dictionary(fc.oneof(free, fc.constantFrom('choices', 'message', 'response', 'item', 'candidates', 'parts', 'content_block', 'output', 'tool_calls', 'function')), fc.oneof({ maxDepth: 4 }, leaf, tie('event'), fc.array(tie('event'), { maxLength: 2 })), { maxKeys: 5 }),
}))

/** Every string of an event in turn replaced by another: what a template might take for words. */
function variants(data: string): string[] {
  const pieces = data.split('"')
  return pieces.flatMap((piece, index) => (index % 2 === 0 ? [] : ['other', 'message_stop', 'response.completed', 'failed', 'error', 'tool_use', 'coder-9', ''].map((instead) => pieces.with(index, instead === piece ? 'x' : instead).join('"'))))
}

void test('property: whatever is learnt, an event that is known says what it says when it is read', () => {
  fc.assert(
    fc.property(fc.constantFrom(...dialects), fc.oneof(event, fc.constantFrom(...dialects).map((dialect) => SENT[dialect]('first', 'x'))), (dialect, first) => {
      const data = JSON.stringify(first)
      const template = learnt(dialect, data)
      for (const other of [data, ...variants(data)]) {
        const known = template.read(other)
        if (known !== undefined) assert.deepEqual(known, said(dialect, other))
      }
    }),
    { numRuns: casesOf(400) },
  )
})
