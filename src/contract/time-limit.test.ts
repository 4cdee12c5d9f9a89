import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { withinLimit } from './time-limit.ts'

const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
}

test('a limit comes where its signal is only looked at, and garbage was collected meanwhile', async () => {
  const never = new AbortController()
  const signals = Array.from({ length: 20 }, () => withinLimit(60, withinLimit(30, never.signal)))
  for (let round = 0; round < 5; round += 1) {
    collectGarbage()
    await wait(10)
  }
  for (const deadline = Date.now() + 30_000; signals.some(({ aborted }) => !aborted) && Date.now() < deadline; ) await wait(5)
  assert.deepEqual(signals.filter(({ aborted }) => !aborted), [])
  for (const { reason } of signals) assert.ok(reason instanceof DOMException && reason.name === 'TimeoutError')
})

test('the first of the others ends it with its own reason, also one that was aborted before', () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const signal = withinLimit(60_000, first.signal, second.signal)
  assert.equal(signal.aborted, false)
  second.abort('told')
  first.abort('later')
  assert.deepEqual([signal.aborted, signal.reason], [true, 'told'])
  const before = withinLimit(60_000, new AbortController().signal, second.signal)
  assert.deepEqual([before.aborted, before.reason], [true, 'told'])
})

test('what has ended is heard by nobody any more: neither a timer nor a listener is left', async () => {
  const [long, other] = [new AbortController(), new AbortController()]
  for (let count = 0; count < 20; count += 1) withinLimit(1, long.signal)
  const held = withinLimit(60_000, long.signal, other.signal)
  for (const deadline = Date.now() + 30_000; getEventListeners(long.signal, 'abort').length > 1 && Date.now() < deadline; ) await wait(5)
  assert.equal(getEventListeners(long.signal, 'abort').length, 1)
  other.abort()
  assert.equal(held.aborted, true)
  assert.equal(getEventListeners(long.signal, 'abort').length, 0)
})
