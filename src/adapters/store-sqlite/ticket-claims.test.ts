import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { actor, type BookForTest, bookForTest, DRAFT, OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import { attach, claim, claimNext, comment, move, type Outcome, releaseClaim, renewClaim, reviewReady, viewOf } from '../../engine/index.ts'
import { MOST_ATTACHMENTS, MOST_RUNS, RUNTIME_STATES, type Ticket, TICKET_STATES, type TicketState } from '../../gates/dispatch/index.ts'

const LEASE_MS = 60_000
const LUCI = actor('luci')
const HERMES = actor('hermes')

const reasonOf = (outcome: Outcome<Ticket>): string => (outcome.ok ? 'accepted' : outcome.refusal.reason)

const claimed = async (context: TestContext): Promise<{ readonly stored: BookForTest; readonly id: string }> => claimedIn(await bookForTest(context))

async function claimedIn(stored: BookForTest): Promise<{ readonly stored: BookForTest; readonly id: string }> {
  const { id } = await stored.book.create(DRAFT, OPERATOR)
  await move(stored.book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  assert.ok((await claim(stored.book, id, LUCI, LEASE_MS)).ok)
  return { stored, id }
}

verifies('MC-022', 'a claim is renewed by its holder alone: by name, credential and epoch, while it is in force', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  const before = await book.get(id)
  for (const [what, by, epoch] of [['another worker', HERMES, 1], ['another token of the same name', { ...LUCI, holder: 'tok_LUCI' }, 1], ['another epoch', LUCI, 2], ['a person', OPERATOR, 1]] as const) {
    const refused = await renewClaim(book, id, by, { epoch, leaseMs: LEASE_MS })
    assert.ok(!refused.ok, what)
    assert.deepEqual([refused.refusal.reason, refused.details], ['claim_stale', { holder: 'luci', epoch: 1 }], what)
  }
  assert.deepEqual(await book.get(id), before)
  assert.equal(reasonOf(await renewClaim(book, id, LUCI, { epoch: 1, leaseMs: LEASE_MS })), 'accepted')
  stored.wait(LEASE_MS + 1)
  assert.equal(reasonOf(await renewClaim(book, id, LUCI, { epoch: 1, leaseMs: LEASE_MS })), 'claim_stale', 'it has ended')
})

verifies('MC-022', 'a claim that has ended is taken over with a higher epoch, and nobody has to release it first; one in force is not', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  assert.equal(reasonOf(await claim(book, id, HERMES, LEASE_MS)), 'ticket_claimed')
  assert.equal(await claimNext(book, HERMES, { leaseMs: LEASE_MS, owners: 'any' }), undefined)
  stored.wait(LEASE_MS + 1)
  const outcomes = await Promise.all([claim(book, id, HERMES, LEASE_MS), claim(await stored.second(), id, actor('third'), LEASE_MS)])
  assert.deepEqual(outcomes.map(reasonOf).toSorted(), ['accepted', 'ticket_claimed'])
  const winner = outcomes.find((outcome) => outcome.ok)
  assert.ok(winner?.ok)
  assert.deepEqual([winner.value.claim?.epoch, winner.value.state], [2, 'in_progress'])
  assert.deepEqual((await book.store.events(id, 0, 100)).slice(2).map(({ kind }) => kind), ['claimed', 'released', 'claimed'])
  assert.equal(reasonOf(await renewClaim(book, id, LUCI, { epoch: 1, leaseMs: LEASE_MS })), 'claim_stale')
  stored.wait(LEASE_MS + 1)
  const next = await claimNext(book, LUCI, { leaseMs: LEASE_MS, owners: 'any' })
  assert.deepEqual([next?.id, next?.epoch], [id, 3])
})

test('a claim is given back by its holder alone, and the ticket can be taken up at once', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  for (const [by, epoch] of [[HERMES, 1], [{ ...LUCI, holder: 'tok_other' }, 1], [LUCI, 2]] as const) await releaseClaim(book, id, by, { epoch, why: 'not mine' })
  assert.equal((await book.get(id)).claim?.holder, 'luci')
  await releaseClaim(book, id, LUCI, { epoch: 1, why: 'The task file is not there.' })
  assert.deepEqual([(await book.get(id)).state, (await book.get(id)).claim], ['todo', null])
  assert.equal(reasonOf(await claim(book, id, HERMES, LEASE_MS)), 'accepted')
})

verifies('MC-026', 'work is put before its reviewer by the holder of the claim in its epoch, or by a person; what waits for a person no program takes from there', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  for (const [what, by, epoch] of [['another worker', HERMES, 1], ['another token of the name', { ...LUCI, holder: 'tok_LUCI' }, 1], ['an older epoch', LUCI, 7], ['no epoch', LUCI, undefined], ['an agent', actor('agent', 'agent'), 1]] as const) assert.equal(reasonOf(await reviewReady(book, id, by, epoch)), 'claim_stale', what)
  assert.equal((await book.get(id)).claim?.holder, 'luci', 'and its holder has it still')
  assert.equal(reasonOf(await reviewReady(book, id, LUCI, 1)), 'accepted')
  assert.deepEqual((await book.store.events(id, 0, 100)).at(-1)?.text, 'Work ready for review')
  for (const state of ['question', 'done'] as const) {
    const waiting = await claimedIn(stored)
    await waiting.stored.book.change(waiting.id, OPERATOR, () => ({ kind: 'moved', set: { state } }))
    assert.equal(reasonOf(await reviewReady(waiting.stored.book, waiting.id, LUCI, 1)), 'transition_illegal', state)
    assert.equal(reasonOf(await reviewReady(waiting.stored.book, waiting.id, OPERATOR, undefined)), 'accepted', state)
  }
  const late = await claimedIn(stored)
  late.stored.wait(LEASE_MS + 1)
  assert.equal(reasonOf(await reviewReady(late.stored.book, late.id, LUCI, 1)), 'claim_stale', 'its claim has ended')
})

test('a ticket with a live session is not moved away under it, whatever the session does, but to its reviewer', async (context) => {
  const stored = await bookForTest(context)
  for (const state of RUNTIME_STATES) {
    const { id } = await claimedIn(stored)
    const { book } = stored
    await book.change(id, OPERATOR, (ticket) => ({ kind: 'session_changed', set: { runtime: { ...ticket.runtime, state } } }))
    const live = ['starting', 'ready', 'running', 'needs_input'].includes(state)
    const moved = await move(book, id, OPERATOR, { to: 'blocked', reason: 'stop' })
    assert.equal(reasonOf(moved), live ? 'runtime_busy' : 'accepted', state)
    if (moved.ok) continue
    assert.deepEqual(moved.details, { observed: state, ways_out: ['wait', 'interrupt', 'restart'] })
    assert.equal((await book.get(id)).state, 'in_progress')
    assert.equal(reasonOf(await move(book, id, OPERATOR, { to: 'review', reason: 'look' })), 'accepted', state)
  }
})

verifies('MC-008', 'somebody works on a ticket only while it is in progress and its session runs a turn', async (context) => {
  const { stored, id } = await claimed(context)
  const ticket = await stored.book.get(id)
  const shown: (readonly [TicketState, string])[] = []
  for (const state of TICKET_STATES) for (const runtime of RUNTIME_STATES) if (viewOf({ ...ticket, state, runtime: { ...ticket.runtime, state: runtime } }, new Date()).working) shown.push([state, runtime])
  assert.deepEqual(shown, [['in_progress', 'running']])
})

test('what has no room is refused before the work: a 101st attachment, and a claim for a 201st run, past which the next ticket is found', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  const [first] = [{ name: 'a.txt', media_type: 'text/plain', sha256: sha256('a'), bytes: 1, by: 'elmar', at: new Date().toISOString() }]
  await book.change(id, OPERATOR, () => ({ kind: 'edited', set: { attachments: Array.from({ length: MOST_ATTACHMENTS }, () => first), runs: Array.from({ length: MOST_RUNS }, (_each, index) => `run-${index}`) } }))
  assert.equal(reasonOf(await attach(book, id, OPERATOR, { name: 'b.txt', mediaType: 'text/plain', sha256: sha256('b'), bytes: Buffer.from('b') })), 'ticket_full')
  await releaseClaim(book, id, LUCI, { epoch: 1, why: 'again' })
  assert.equal(reasonOf(await claim(book, id, LUCI, LEASE_MS)), 'ticket_full')
  const { id: later } = await book.create(DRAFT, OPERATOR)
  await move(book, later, OPERATOR, { to: 'todo', reason: 'clear' })
  assert.equal((await claimNext(book, LUCI, { leaseMs: LEASE_MS, owners: 'any' }))?.id, later)
  assert.deepEqual([(await book.get(id)).state, (await book.get(id)).reason], ['blocked', 'ticket_full'])
})

test('a change that does not fit the ticket is refused with the place where it does not, and is stored nowhere', async (context) => {
  const { stored, id } = await claimed(context)
  const { book } = stored
  const refused = await attach(book, id, OPERATOR, { name: 'a.txt', mediaType: 'no type', sha256: sha256('a'), bytes: Buffer.from('a') })
  assert.ok(!refused.ok)
  assert.deepEqual([refused.refusal.reason, refused.refusal.found], ['change_invalid', 'set.attachments.0.media_type: invalid_format'])
  assert.equal(reasonOf(await comment(book, id, OPERATOR, '')), 'change_invalid')
  assert.equal((await book.get(id)).version, 3)
  await assert.rejects(comment(book, id, { ...OPERATOR, id: 'Not Normal' }, 'a fault of ours is one'))
})
