import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerBy, ask, eventsBy, json, SPOKEN, SSE, startBench } from '../../../test/helpers/wire-harness.ts'

for (const dialect of SPOKEN) {
  test(`${dialect}: the words of the last answer are known to the grant, whole or streamed, and stand in no evidence`, async (context) => {
    const bench = await startBench(context, (response, number) => (number === 1 ? json(response, answerBy(dialect, 'coder-1')) : response.writeHead(200, SSE).end(eventsBy(dialect, 'coder-1').join(''))), { dialect })
    assert.equal(bench.grant.lastWords(), null)
    for (const number of [1, 2]) {
      assert.equal((await ask(bench)).status, 200)
      assert.deepEqual(bench.grant.lastWords(), { number, text: 'SECRET-TEXT' })
    }
    assert.doesNotMatch(JSON.stringify(bench.recorder.calls), /SECRET-TEXT/)
  })
}

const chat = (delta: object): string => `data: ${JSON.stringify({ id: 'c', model: 'coder-1', choices: [{ index: 0, delta }] })}\n\n`

test('reasoning and the arguments of tools are no words', async (context) => {
  const events = [chat({ reasoning_content: 'thinking' }), chat({ content: 'said' }), chat({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '"argued"' } }] }), 'data: [DONE]\n\n']
  const bench = await startBench(context, (response) => response.writeHead(200, SSE).end(events.join('')))
  await ask(bench)
  assert.deepEqual(bench.grant.lastWords(), { number: 1, text: 'said' })
})

test('only the end of very long words is kept, also across events', async (context) => {
  const events = [...Array.from({ length: 40 }, () => chat({ content: 'x'.repeat(10_000) })), chat({ content: 'the end' }), 'data: [DONE]\n\n']
  const bench = await startBench(context, (response) => response.writeHead(200, SSE).end(events.join('')))
  await ask(bench)
  const text = bench.grant.lastWords()?.text ?? ''
  assert.equal(text.length, 65_536)
  assert.ok(text.endsWith('xthe end'))
})

test('an answer that failed, or by another model, has said nothing', async (context) => {
  const bench = await startBench(context, (response, number) => (number === 1 ? json(response, { error: { message: 'no' } }, 500) : number === 2 ? json(response, answerBy('openai-chat', 'other')) : response.writeHead(200, SSE).end(eventsBy('openai-chat', 'coder-1').slice(0, 2).join(''))))
  for (let index = 0; index < 3; index += 1) await ask(bench)
  assert.equal(bench.grant.lastWords(), null)
})

test('an answer that could not be stored has said nothing', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  bench.recorder.failing = true
  await ask(bench)
  assert.equal(bench.grant.lastWords(), null)
})
