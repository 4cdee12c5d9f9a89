import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actor, type BookForTest, bookForTest, DRAFT, OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { dispatchForTest, HERMES, LUCI } from '../../../test/helpers/ticket-sessions.ts'
import { until } from '../../../test/helpers/served-wire.ts'
import { verifies } from '../../../test/verifies.ts'
import { hasLapsed, type Lease, leaseOf } from '../../gates/dispatch/index.ts'
import { claim, claimNext, move, releaseExpired, renewClaim } from './acts.ts'

const HOUR_MS = 3_600_000
const LEASE_MS = 60_000
const JUMPS = [[-HOUR_MS, 2 * HOUR_MS], [2 * HOUR_MS, -HOUR_MS]] as const
const name = (jumps: readonly number[]): string => jumps.map((jumpMs) => `${jumpMs / HOUR_MS} h`).join(', then ')

async function waits(stored: BookForTest): Promise<string> {
  const { id } = await stored.book.create(DRAFT, OPERATOR)
  await move(stored.book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  return id
}

for (const jumps of JUMPS) {
  verifies('REL-07', `the wall clock jumps by ${name(jumps)}: a claim is neither taken early nor kept for ever, and of two that take it over one succeeds`, async (context) => {
    const stored = await bookForTest(context)
    const others = [stored.book, await stored.second()]
    const id = await waits(stored)
    assert.ok((await claim(stored.book, id, LUCI, LEASE_MS)).ok)
    let epoch = 1
    for (const jumpMs of jumps) {
      const holder = (await stored.book.get(id)).claim?.holder ?? ''
      stored.jump(jumpMs)
      stored.wait(LEASE_MS / 2)
      for (const book of others) {
        assert.deepEqual([(await claim(book, id, HERMES, LEASE_MS)).ok, await releaseExpired(book, HERMES, 10), await claimNext(book, HERMES, { leaseMs: LEASE_MS, owners: 'any' })], [false, 0, undefined], 'it was taken early')
      }
      assert.ok((await renewClaim(stored.book, id, actor(holder), { epoch, leaseMs: LEASE_MS })).ok, 'its holder was told that it has none')
      stored.wait(LEASE_MS - 2_000)
      assert.ok(!(await claim(stored.book, id, HERMES, LEASE_MS)).ok, 'the renewal was not counted')
      stored.wait(4_000)
      const outcomes = await Promise.all(others.map((book, at) => claim(book, id, actor(`next-${at}-${epoch}`), LEASE_MS)))
      assert.deepEqual(outcomes.map(({ ok }) => String(ok)).toSorted(), ['false', 'true'], 'of two one takes it over')
      assert.ok(!(await renewClaim(stored.book, id, actor(holder), { epoch, leaseMs: LEASE_MS })).ok)
      epoch += 1
      assert.equal((await stored.book.get(id)).claim?.epoch, epoch)
    }
    assert.deepEqual((await stored.book.store.events(id, 0, 100)).map(({ kind }) => kind).filter((kind) => kind === 'claimed' || kind === 'released'), ['claimed', 'released', 'claimed', 'released', 'claimed'])
  })

  verifies('REL-07', `the wall clock jumps by ${name(jumps)}: a turn keeps its lease until it is over and no longer, and what its session says in time counts once`, async (context) => {
    const held = await dispatchForTest(context, { turnMs: 600_000, abandoned: () => false })
    const { id } = await held.begin()
    const message = (text: string) => ({ text, key: text, onBusy: 'refuse' as const })
    await held.dispatcher.send(id, LUCI, message('slow one'))
    await until(() => held.received().length === 1, 'the message to arrive')
    const token = held.tokens[0] ?? ''
    // Told once the store knows that it was delivered.
    const nonce = (await held.dispatcher.turnOf(token))?.nonce
    for (const jumpMs of jumps) {
      held.jump(jumpMs)
      assert.equal(await held.reborn().recover(), 0, 'the lease was taken early')
      assert.ok(!(await held.dispatcher.send(id, HERMES, message(`slow after ${jumpMs}`))).ok)
    }
    const said = { signal: 'DONE', ticket: id, nonce, payload: 'all of it' }
    held.jump(2 * HOUR_MS)
    assert.equal((await held.dispatcher.complete(token, said)).ok, true)
    assert.equal((await held.dispatcher.complete(token, said)).ok, false)
    assert.deepEqual(held.received(), ['slow one'])
    assert.equal((await held.book.store.events(id, 0, 100)).filter(({ kind }) => kind === 'turn_ended').length, 1)
  })
}

verifies('REL-07', 'the wall clock jumps back: a turn whose lease is over is ended, once, and its late completion is refused', async (context) => {
  const held = await dispatchForTest(context, { turnMs: 600_000, abandoned: () => false })
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, { text: 'slow one', key: 'k', onBusy: 'refuse' })
  await until(() => held.received().length === 1, 'the message to arrive')
  const token = held.tokens[0] ?? ''
  const nonce = (await held.dispatcher.turnOf(token))?.nonce
  held.jump(-HOUR_MS)
  held.wait(610_000)
  const late = await held.dispatcher.complete(token, { signal: 'DONE', ticket: id, nonce, payload: 'too late' })
  assert.equal(!late.ok && late.refusal.reason, 'nonce_spent')
  const [one, other] = [held.reborn(), held.reborn()]
  await Promise.all([one.recover(), other.recover()])
  assert.equal(await held.reborn().recover(), 0)
  const ended = (await held.book.store.events(id, 0, 100)).filter(({ kind }) => kind === 'turn_ended')
  assert.deepEqual([ended.length, (await held.book.store.turns(id))[0]?.end], [1, 'lease_expired'])
})

test('the store finds the claims that have ended as the ticket itself tells it, of this start of the machine and of others, with a lease and without', async (context) => {
  const { book } = await bookForTest(context)
  const now = new Date()
  const moment = { boot: 'now', ms: 500_000 }
  const instants = [new Date(now.getTime() - HOUR_MS), now, new Date(now.getTime() + HOUR_MS)].map((at) => at.toISOString())
  const leases: (Lease | undefined)[] = [undefined]
  for (const boot of ['now', 'before']) for (const since of [0, 100_000, 439_999, 440_000, 440_001, 9_000_000]) leases.push(leaseOf(LEASE_MS, { boot, ms: since }), leaseOf(500_000, { boot, ms: since }), leaseOf(500_001, { boot, ms: since }))
  const ended: string[] = []
  for (const expiresAt of instants) {
    for (const lease of leases) {
      const { id } = await book.create(DRAFT, OPERATOR)
      await book.change(id, OPERATOR, () => ({ kind: 'claimed', set: { state: 'todo', claim: { holder: 'luci', shown_by: 'x', kind: 'service', epoch: 1, expires_at: expiresAt, ...(lease === undefined ? {} : { lease }) } } }))
      if (hasLapsed(lease, expiresAt, { now, moment })) ended.push(id)
    }
  }
  assert.ok(ended.length > 20 && ended.length < instants.length * leases.length)
  assert.deepEqual([...(await book.store.expiredClaims({ now, moment }, 1_000))].toSorted(), ended.toSorted())
})
