import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineReader } from '../agent-cli/index.ts'
import { parseRecord, textOf } from './parse.ts'
import { PiProtocol } from './protocol.ts'

function linesOf(chunks: readonly Buffer[], limitBytes?: number): string[] {
  const lines: string[] = []
  const reader = new LineReader((line) => lines.push(line), limitBytes)
  for (const chunk of chunks) reader.push(chunk)
  return lines
}

test('lines end at LF only, and a character torn between chunks survives at every place', () => {
  const records = ['{"text":"für\u2028dich\u2029 ✔ 🙂"}', '{"b":"\\n"}', '{"c":"\u0085"}']
  const bytes = Buffer.from(`${records[0]}\r\n\n${records[1]}\n${records[2]}\n`)
  for (let cut = 0; cut <= bytes.length; cut += 1) assert.deepEqual(linesOf([bytes.subarray(0, cut), bytes.subarray(cut)]), records)
  assert.deepEqual(linesOf([...bytes].map((byte) => Buffer.from([byte]))), records)
})

test('a chunk may be used again by the stream that gave it', () => {
  const chunk = Buffer.from('{"half":')
  const lines: string[] = []
  const reader = new LineReader((line) => lines.push(line))
  reader.push(chunk)
  chunk.fill('x')
  reader.push(Buffer.from('1}\n'))
  assert.deepEqual(lines, ['{"half":1}'])
})

test('a line of megabytes in many chunks is one line, and one beyond the limit is dropped without its neighbours', () => {
  const long = Buffer.alloc(8 * 1_048_576, 'a')
  const chunks = Array.from({ length: 128 }, (_, index) => long.subarray(index * 65_536, (index + 1) * 65_536))
  assert.equal(linesOf([...chunks, Buffer.from('\n')])[0]?.length, long.length)
  assert.deepEqual(linesOf([Buffer.from('before\n'), ...chunks, Buffer.from('\nafter\n')], 1_048_576), ['before', 'after'])
})

test('what is no record is no record', () => {
  for (const line of ['', 'Warning: something', '{', '[]', 'null', '42', '{"type":"unheard_of"}', '{"type":"response"}', '{"type":"response","command":"prompt","success":"yes"}', '{"type":"message_end"}']) {
    assert.equal(parseRecord(line), undefined, line)
  }
})

test('a response without data is a response', () => {
  assert.deepEqual(parseRecord('{"id":"a","type":"response","command":"prompt","success":true}'), { id: 'a', type: 'response', command: 'prompt', success: true })
})

test('the text of a message is its text blocks', () => {
  assert.equal(textOf([{ type: 'thinking', thinking: 'no' }, { type: 'text', text: 'one' }, { type: 'text', text: 'two' }, 7, null]), 'one\ntwo')
  assert.equal(textOf('not blocks'), '')
  assert.equal(textOf([{ type: 'text', text: 'x'.repeat(10_000) }]).length, 4_000)
})

test('responses go to who asked for them, through garbage and in any order', async () => {
  const protocol = new PiProtocol()
  const [one, two] = [protocol.response('one'), protocol.response('two')]
  protocol.onStdout(Buffer.from('garbage\n{"type":"response","command":"parse","success":false,"error":"?"}\n{"id":"two","type":"response","command":"prompt","success":false,"error":"busy"}\n'))
  protocol.onStdout(Buffer.from('{"id":"stranger","type":"response","command":"prompt","success":true}\n{"id":"one","type":"response","command":"prompt","success":true}\n'))
  assert.deepEqual([(await one).success, (await two).error], [true, 'busy'])
})

test('the last message of the assistant counts, not that of a tool', () => {
  const protocol = new PiProtocol()
  assert.deepEqual([protocol.hasSettled, protocol.lastMessage], [false, undefined])
  for (const message of [
    { role: 'assistant', stopReason: 'error', errorMessage: '401 no key' },
    { role: 'toolResult', content: [{ type: 'text', text: 'result' }] },
  ]) {
    protocol.onStdout(Buffer.from(`${JSON.stringify({ type: 'message_end', message })}\n`))
  }
  assert.deepEqual(protocol.lastMessage, { stopReason: 'error', text: '401 no key' })
  protocol.onStdout(Buffer.from('{"type":"agent_settled"}\n'))
  assert.equal(protocol.hasSettled, true)
})
