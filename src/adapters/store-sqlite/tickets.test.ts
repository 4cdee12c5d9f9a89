import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actor, bookForTest, DRAFT, OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { verifies } from '../../../test/verifies.ts'
import { attach, claim, claimNext, comment, move, releaseExpired, renewClaim } from '../../engine/index.ts'
import { sha256 } from '../../contract/canonical.ts'
import { replay, TICKET_STATES, TICKET_TRANSITIONS, type TicketState } from '../../gates/dispatch/index.ts'

const LEASE_MS = 60_000

/** Puts a ticket before a worker. */
async function toDo(stored: Awaited<ReturnType<typeof bookForTest>>, draft: Partial<typeof DRAFT> = {}): Promise<string> {
  const { id } = await stored.book.create({ ...DRAFT, ...draft }, OPERATOR)
  const moved = await move(stored.book, id, OPERATOR, { to: 'todo', reason: 'ready' })
  assert.ok(moved.ok)
  return id
}

verifies('MC-016', 'the events of a ticket, read back from the chain, make the ticket as it is stored, comments and attachments with it', async (context) => {
  const stored = await bookForTest(context)
  const { book } = stored
  const id = await toDo(stored, { acceptance: [{ id: 1, text: 'it probes' }], source: { reference: 'FINAL-ASSESSMENT.md Item #9', key: '9', url: null } })
  await comment(book, id, OPERATOR, 'one')
  await attach(book, id, OPERATOR, { name: 'notes.txt', mediaType: 'text/plain', sha256: sha256('bytes'), bytes: Buffer.from('bytes') })
  await claim(book, id, actor('luci'), LEASE_MS)
  const events = await book.store.events(id, 0, 1_000)
  assert.deepEqual(events.map(({ sequence, kind }) => [sequence, kind]), [[1, 'created'], [2, 'moved'], [3, 'commented'], [4, 'attached'], [5, 'claimed']])
  assert.deepEqual(replay(events), await book.get(id))
  assert.deepEqual(Buffer.from((await book.store.attachment(id, sha256('bytes'))) ?? []).toString(), 'bytes')
  assert.throws(() => replay(events.toSpliced(2, 1)), /event 4 of T-1 where 3/)
})

verifies('MC-134', 'what a screen showed does not become a comment, whoever sends it, and leaves no event', async (context) => {
  const { book } = await bookForTest(context)
  const { id, version } = await book.create(DRAFT, OPERATOR)
  for (const by of [OPERATOR, actor('luci', 'agent'), actor('hermes', 'service')]) {
    for (const text of ['QUESTION: when you need MC\n⏵⏵bypasspermissionson (shift+tabtocycle)84790tokens', 'done\n✶\n✻', '· Topsy-turvying… (34s · ↑ 1.4k tokens · thought for 1s)']) {
      const told = await comment(book, id, by, text)
      assert.ok(!told.ok && told.refusal.reason === 'screen_text', text)
    }
  }
  assert.equal((await book.get(id)).version, version)
  assert.ok((await comment(book, id, OPERATOR, 'The session counts 84790 tokens.')).ok)
})

verifies('MC-016', 'no ticket changes without its event in the chain, and no event of one is written by hand', async (context) => {
  const stored = await bookForTest(context)
  const id = await toDo(stored)
  const raw = (statement: string, why: RegExp): void => assert.throws(() => stored.other.exec(statement), why, statement)
  raw(`UPDATE ticket SET priority = 3`, /one event in the chain/)
  raw(`UPDATE ticket SET version = version + 1, position = position + 1`, /one event in the chain|FOREIGN KEY|CHECK/)
  raw(`UPDATE ticket SET number = 9`, /portcullis: |CHECK/)
  raw(`DELETE FROM ticket`, /append-only/)
  raw(`DELETE FROM ticket_event`, /append-only/)
  raw(`UPDATE ticket_event SET sequence = 7`, /append-only/)
  raw(`INSERT INTO ticket_event (position, ticket, sequence) VALUES (1, '${id}', 9)`, /writes the history|UNIQUE/)
  assert.equal((await stored.book.get(id)).state, 'todo')
})

verifies('MC-003', 'a transition that is not in the table is refused, with the legal ones, by the desk and a second time by the store', async (context) => {
  const stored = await bookForTest(context)
  const id = await toDo(stored)
  const refused = await move(stored.book, id, OPERATOR, { to: 'done', reason: 'because I say so' })
  assert.ok(!refused.ok)
  assert.deepEqual([refused.refusal.reason, refused.details['legal']], ['transition_illegal', ['triage', 'blocked', 'closed']])
  const paths: Readonly<Record<TicketState, readonly TicketState[]>> = { triage: [], todo: ['todo'], in_progress: ['todo', 'in_progress'], review: ['todo', 'in_progress', 'review'], question: ['todo', 'in_progress', 'question'], blocked: ['blocked'], done: ['todo', 'in_progress', 'done'], closed: ['closed'] }
  const force = (of: string, to: TicketState) => stored.book.change(of, OPERATOR, () => ({ kind: 'moved', set: { state: to, claim: to === 'in_progress' ? { holder: 'luci', kind: 'service', epoch: 1, expires_at: '2999-01-01T00:00:00.000Z' } : null, resolution: to === 'closed' ? 'declined' : null } }))
  const reach = async (from: TicketState): Promise<string> => {
    const made = await stored.book.create(DRAFT, OPERATOR)
    for (const step of paths[from]) await force(made.id, step)
    return made.id
  }
  let refusals = 0
  for (const from of TICKET_STATES) {
    const stays = await reach(from)
    for (const to of TICKET_STATES.filter((each) => each !== from)) {
      if ((TICKET_TRANSITIONS[from] as readonly string[]).includes(to)) {
        assert.ok((await force(await reach(from), to)).ok, `${from} to ${to}`)
        continue
      }
      await assert.rejects(force(stays, to), /no such transition of a ticket|the ticket is closed|proven/, `${from} to ${to}`)
      refusals += 1
    }
    assert.equal((await stored.book.get(stays)).state, from)
  }
  assert.equal(refusals, 56 - Object.values(TICKET_TRANSITIONS).flat().length)
})

verifies('MC-022', 'of many claims at once, through two connections, exactly one gets the ticket, and every other is told by whom', async (context) => {
  const stored = await bookForTest(context)
  const second = await stored.second()
  const id = await toDo(stored)
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_each, index) => claim(index % 2 === 0 ? stored.book : second, id, actor(`w${index}`), LEASE_MS)))
  const winners = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.claim?.holder] : []))
  assert.equal(winners.length, 1)
  for (const outcome of outcomes) if (!outcome.ok) assert.deepEqual([outcome.refusal.reason, outcome.details['holder']], ['ticket_claimed', winners[0]])
  assert.equal((await stored.book.store.events(id, 0, 100)).filter(({ kind }) => kind === 'claimed').length, 1)
})

verifies('MC-023', 'the claim is told with the worker and its kind', async (context) => {
  const stored = await bookForTest(context)
  const id = await toDo(stored)
  await claim(stored.book, id, actor('luci'), LEASE_MS)
  const told = (await stored.book.store.events(id, 0, 100)).at(-1)
  assert.deepEqual([told?.kind, told?.text, told?.data], ['claimed', 'luci picks up this ticket (background worker).', { epoch: 1, worker: 'luci', worker_kind: 'background worker' }])
})

test('a claim that ended without a word goes back, the next has a higher epoch, and the first holder is refused', async (context) => {
  const stored = await bookForTest(context)
  const id = await toDo(stored)
  const luci = actor('luci')
  await claim(stored.book, id, luci, LEASE_MS)
  assert.ok((await renewClaim(stored.book, id, luci, { epoch: 1, leaseMs: LEASE_MS })).ok)
  assert.equal(await releaseExpired(stored.book, OPERATOR, 10), 0)
  stored.wait(LEASE_MS + 1)
  const late = await renewClaim(stored.book, id, luci, { epoch: 1, leaseMs: LEASE_MS })
  assert.ok(!late.ok && late.refusal.reason === 'claim_stale')
  assert.equal(await releaseExpired(stored.book, OPERATOR, 10), 1)
  const again = await claimNext(stored.book, actor('hermes'), { leaseMs: LEASE_MS, owners: 'any' })
  assert.deepEqual([again?.id, again?.epoch, again?.claim?.holder], [id, 2, 'hermes'])
  const zombie = await renewClaim(stored.book, id, luci, { epoch: 1, leaseMs: LEASE_MS })
  assert.ok(!zombie.ok && zombie.refusal.reason === 'claim_stale')
})

verifies('MC-015', 'luci and Luci are one actor, and a name that is a person\'s is never a program\'s as well', async (context) => {
  const stored = await bookForTest(context)
  const { id } = await stored.book.create(DRAFT, OPERATOR)
  await assert.rejects(comment(stored.book, id, actor('elmar', 'service'), 'as the orchestrator'), { code: 'actor_mismatch' })
  await assert.rejects(comment(stored.book, id, { id: 'Elmar', kind: 'human', holder: 'x' }, 'not normalised'))
  assert.throws(() => stored.other.exec("UPDATE ticket_actor SET kind = 'service'"), /keeps its kind/)
  assert.equal((await stored.book.store.events(id, 0, 10)).length, 1)
})

verifies('MC-010', 'a ticket has one id, which its key, its events and its number carry', async (context) => {
  const stored = await bookForTest(context)
  const [one, two] = await Promise.all([stored.book.create(DRAFT, OPERATOR), stored.book.create(DRAFT, OPERATOR)])
  assert.deepEqual([one.id, two.id].toSorted(), ['T-1', 'T-2'])
  assert.ok((await stored.book.store.events(two.id, 0, 10)).every(({ ticket }) => ticket === two.id))
  assert.throws(() => stored.other.exec("UPDATE ticket SET id = 'T-9', version = version + 1"), /portcullis: |CHECK/)
})

test('two processes that create at once give every ticket a number of its own', async (context) => {
  const stored = await bookForTest(context)
  const second = await stored.second()
  const made = await Promise.all(Array.from({ length: 10 }, (_each, index) => (index % 2 === 0 ? stored.book : second).create(DRAFT, OPERATOR)))
  assert.equal(new Set(made.map(({ number }) => number)).size, 10)
})
