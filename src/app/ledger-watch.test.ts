import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerWatch } from './ledger-watch.ts'

test('whoever follows is told once the ledger has grown, and whoever leaves is not kept', async () => {
  let last = 5
  let looks = 0
  const watch = new LedgerWatch(async () => { looks += 1; return last })
  const leaving = new AbortController()
  const both = [watch.grown(5, new AbortController().signal), watch.grown(6, leaving.signal)]
  last = 6
  assert.equal(await both[0], 6)
  leaving.abort()
  assert.equal(await both[1], 6)
  const after = looks
  assert.equal(await watch.grown(3, AbortSignal.abort()), 3)
  assert.equal(looks, after, 'nobody follows, nothing looks')
})

test('a store that cannot be asked ends every follower', async () => {
  const watch = new LedgerWatch(() => Promise.reject(new Error('away')))
  await assert.rejects(watch.grown(1, new AbortController().signal), /away/)
})
