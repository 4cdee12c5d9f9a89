import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasLapsed, Lease, leaseOf, leftMs } from './index.ts'

const NOW = new Date('2026-06-01T12:00:00.000Z')
const LATER = '2026-06-01T13:00:00.000Z'
const BEFORE = '2026-06-01T11:00:00.000Z'

test('a lease ends when its length has passed on the machine, to the millisecond, whatever the wall clock says', () => {
  const lease = leaseOf(60_000, { boot: 'a', ms: 5_000.25 })
  assert.deepEqual(Lease.parse(lease), { boot: 'a', ends_ms: 65_001, length_ms: 60_000 })
  assert.deepEqual([leftMs(lease, { boot: 'a', ms: 5_001 }), leftMs(lease, { boot: 'a', ms: 65_000 }), leftMs(lease, { boot: 'a', ms: 65_001 })], [60_000, 1, 0])
  for (const until of [BEFORE, LATER, 'never']) {
    assert.equal(hasLapsed(lease, until, { now: NOW, moment: { boot: 'a', ms: 65_000 } }), false, until)
    assert.equal(hasLapsed(lease, until, { now: NOW, moment: { boot: 'a', ms: 65_001 } }), true, until)
  }
})

test('a lease of an earlier start of the machine ends a whole length after this start: never early, and never kept for ever', () => {
  const lease = leaseOf(60_000, { boot: 'a', ms: 9_000_000 })
  assert.equal(leftMs(lease, { boot: 'b', ms: 10_000 }), 50_000)
  assert.equal(leftMs(lease, { boot: 'b', ms: 60_000 }), 0)
  // A machine that names none of its starts: no lease that was given since can have more left than its length.
  assert.equal(leftMs(lease, { boot: 'a', ms: 10_000 }), 50_000)
  assert.equal(leftMs(lease, { boot: 'a', ms: 61_000 }), -1_000)
})

test('what has no lease ends at its instant, and what is no instant has ended', () => {
  const moment = { boot: 'a', ms: 1 }
  assert.deepEqual([LATER, BEFORE, NOW.toISOString(), 'never', ''].map((until) => hasLapsed(undefined, until, { now: NOW, moment })), [false, true, true, true, true])
})
