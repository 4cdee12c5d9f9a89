import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodexProtocol } from './protocol.ts'

const said = (...records: readonly object[]): CodexProtocol => {
  const protocol = new CodexProtocol()
  protocol.onStdout(Buffer.from(`no JSON\n${records.map((record) => JSON.stringify(record)).join('\n')}\n`))
  return protocol
}

const MESSAGE = { type: 'item.completed', item: { type: 'agent_message', text: 'Done.' } }
const RECONNECT = { type: 'error', message: 'Reconnecting... 1/1' }

test('a turn that completed is what it claims, one that failed outweighs it, and anything less is nothing', () => {
  assert.deepEqual(said({ type: 'turn.started' }, RECONNECT, MESSAGE, { type: 'turn.completed', usage: {} }).claim(), { claimedStatus: 'completed', claim: 'Done.' })
  assert.deepEqual(said({ type: 'turn.completed' }, { type: 'turn.failed', error: { message: '404' } }).claim(), { claimedStatus: 'failed', claim: '404' })
  assert.deepEqual(said({ type: 'turn.failed', error: {} }).claim(), { claimedStatus: 'failed', claim: 'the turn failed without a reason' })
  assert.deepEqual(said({ type: 'turn.started' }, MESSAGE, RECONNECT).claim(), { claimedStatus: null, claim: 'Reconnecting... 1/1' })
})

test('the prompt is written whole, and the input closed, before its receipt; an input that is closed brings none', async () => {
  const done: string[] = []
  const protocol = said({ type: 'turn.started' })
  const receipt = await protocol.deliver({ write: (text) => Promise.resolve(void done.push(text)), closeStdin: () => void done.push('closed') }, 'hello')
  assert.deepEqual([receipt.ok, done], [true, ['hello', 'closed']])
  await assert.rejects(new CodexProtocol().deliver({ write: () => Promise.reject(new Error('EPIPE')), closeStdin: () => void done.push('closed again') }, 'hello'))
  assert.equal(done.at(-1), 'closed again')
})
