import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { actor, type BookForTest, bookForTest, DRAFT, OPERATOR, runInStore } from '../../../test/helpers/ticket-book.ts'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import { addItems, applyRun, attach, claim, closeTicket, comment, judgeItem, move, type Outcome, type RunResult } from '../../engine/index.ts'
import type { Actor, Ticket } from '../../gates/dispatch/index.ts'

const LEASE_MS = 60_000
const EVIDENCE = sha256('what shows it')
const ATTACHED = { name: 'shown.txt', mediaType: 'text/plain', sha256: EVIDENCE, bytes: Buffer.from('what shows it') }
const GATE: Actor = { id: 'gate:acceptance', kind: 'gate', holder: 'run' }
const LUCI = actor('luci')
const BY_RUN = { gate: 'acceptance', reason: 'Every gate passed.' }
const BY_PERSON = { gate: 'operator', reason: 'I looked at both halves.', runs: [] }

const reasonOf = (outcome: Outcome<Ticket>): string => (outcome.ok ? 'accepted' : outcome.refusal.reason)

/** A ticket that was worked on and stands before its reviewer. */
async function inReview(context: TestContext, items: readonly string[]): Promise<{ readonly stored: BookForTest; readonly id: string }> {
  const stored = await bookForTest(context)
  const { id } = await stored.book.create({ ...DRAFT, source: { reference: 'FINAL-ASSESSMENT.md Item #9', key: null, url: null }, acceptance: items.map((text, index) => ({ id: index + 1, text })) }, OPERATOR)
  await move(stored.book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  await claim(stored.book, id, LUCI, LEASE_MS)
  assert.ok((await move(stored.book, id, OPERATOR, { to: 'review', reason: 'look' })).ok)
  return { stored, id }
}

const resultOf = (runId: string, items: RunResult['items'], verdicts: RunResult['verdicts']): RunResult => ({ runId, status: 'pass', reason: null, summary: 'done', found: null, remedy: null, profile: 'p', purpose: 'ticket', items, verdicts, findings: [], startedAt: '2026-11-20T21:39:18.001Z', endedAt: '2026-11-20T21:40:18.001Z', triple: null })

verifies('MC-119', 'a ticket without an acceptance item has nothing that could be proven: neither a gate nor a person closes it as accepted, nor does the store', async (context) => {
  const { stored, id } = await inReview(context, [])
  const { book } = stored
  const run = await runInStore(stored, { ticket: id, state: 'accepted' })
  await attach(book, id, OPERATOR, ATTACHED)
  for (const [by, closing] of [[GATE, { ...BY_RUN, evidence: [run.digest], runs: [run.runId] }], [OPERATOR, { ...BY_PERSON, evidence: [EVIDENCE] }]] as const) {
    const refused = await closeTicket(book, id, by, closing)
    assert.ok(!refused.ok)
    assert.deepEqual([refused.refusal.reason, refused.refusal.found], ['item_unproven', 'no acceptance item'])
  }
  await assert.rejects(book.change(id, GATE, () => ({ kind: 'closed', set: { state: 'closed', resolution: 'accepted', evidence: [run.digest] } })), /each acceptance item proven/)
  const added = await addItems(book, id, OPERATOR, ['one', 'two'])
  assert.ok(added.ok)
  assert.deepEqual(added.value.acceptance.map((item) => [item.id, item.text, item.verdict]), [[1, 'one', null], [2, 'two', null]])
  assert.equal(reasonOf(await addItems(book, id, LUCI, ['three'])), 'transition_illegal', 'whoever works does not say what must hold')
  for (const item of [1, 2]) await judgeItem(book, id, OPERATOR, { item, verdict: 'pass', reason: 'seen', evidence: [EVIDENCE] })
  assert.equal(reasonOf(await closeTicket(book, id, OPERATOR, { ...BY_PERSON, evidence: [EVIDENCE] })), 'accepted')
})

verifies('MC-119 MC-121', 'a run whose gates all passed leaves a ticket without an item done, and unreconciled', async (context) => {
  const stored = await bookForTest(context)
  const { book } = stored
  const { id } = await book.create({ ...DRAFT, title: 'Rewrite the billing system', source: { reference: 'github:acme/shop#12', key: '#12', url: null } }, OPERATOR)
  await move(book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  await claim(book, id, LUCI, LEASE_MS)
  const run = await runInStore(stored, { ticket: id, state: 'accepted' })
  const applied = await applyRun(book, id, LUCI, 1, { dispatch: 3, review: 3 }, resultOf(run.runId, [{ text: 'slugify works', met: true, evidence: [run.digest] }], [run.digest]))
  assert.ok(applied.ok)
  assert.deepEqual([applied.value.state, applied.value.reason, applied.value.resolution, applied.value.source?.reconciled], ['done', 'item_unproven', null, false])
  assert.equal((await book.store.events(id, 0, 100)).at(-1)?.kind, 'closing_refused')
})

verifies('MC-119', 'a gate counts rows of accepted runs of this very ticket: not those of a rejected one, of another ticket or of none, not an attachment, not the history', async (context) => {
  const { stored, id } = await inReview(context, ['one'])
  const { book } = stored
  await attach(book, id, LUCI, ATTACHED)
  const other = (await book.create(DRAFT, OPERATOR)).id
  const own = await runInStore(stored, { ticket: id, state: 'accepted' })
  const wrong = await Promise.all([runInStore(stored, { ticket: id, state: 'failed' }), runInStore(stored, { ticket: other, state: 'accepted' }), runInStore(stored, { ticket: undefined, state: 'accepted' })])
  await book.change(id, GATE, (ticket) => ({ kind: 'edited', set: { runs: [...ticket.runs, own.runId, ...wrong.map(({ runId }) => runId)] } }))
  const created = String(stored.other.prepare('SELECT entry.digest FROM ticket_event JOIN entry USING (position) WHERE ticket = ? AND ticket_event.sequence = 1').get(id)?.['digest'])
  for (const [what, digest] of [['rejected', wrong[0].digest], ['another ticket', wrong[1].digest], ['no ticket', wrong[2].digest], ['an attachment', EVIDENCE], ['its creation', created]] as const) {
    assert.equal(reasonOf(await judgeItem(book, id, GATE, { item: 1, verdict: 'pass', reason: what, evidence: [digest] })), 'item_unproven', what)
  }
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, { item: 1, verdict: 'pass', reason: 'a person', evidence: [wrong[0].digest] })), 'item_unproven', 'what was rejected shows nothing to a person either')
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, { item: 1, verdict: 'pass', reason: 'it was created', evidence: [created] })), 'item_unproven')
  assert.equal(reasonOf(await judgeItem(book, id, GATE, { item: 1, verdict: 'fail', reason: 'it failed', evidence: [wrong[0].digest] })), 'accepted', 'a rejected run shows that it does not hold')
  assert.equal(reasonOf(await judgeItem(book, id, GATE, { item: 1, verdict: 'pass', reason: 'met', evidence: [own.digest] })), 'accepted')
  for (const { runId } of wrong) assert.equal(reasonOf(await closeTicket(book, id, GATE, { ...BY_RUN, evidence: [own.digest], runs: [runId] })), 'item_unproven', runId)
  assert.equal(reasonOf(await closeTicket(book, id, GATE, { ...BY_RUN, evidence: [EVIDENCE], runs: [own.runId] })), 'item_unproven')
  assert.equal(reasonOf(await closeTicket(book, id, GATE, { ...BY_RUN, evidence: [own.digest], runs: [own.runId] })), 'accepted')
})

verifies('MC-119', 'a person may answer for an attachment and for what a person said, by name; for what a program said, nobody', async (context) => {
  const { stored, id } = await inReview(context, ['one'])
  const { book } = stored
  await comment(book, id, OPERATOR, 'I tried it on my machine, and it holds.')
  await comment(book, id, LUCI, 'It holds, believe me.')
  const digests = stored.other.prepare(`SELECT entry.digest FROM ticket_event JOIN entry USING (position) WHERE ticket = ? AND json_extract(body, '$.data.kind') = 'commented' ORDER BY ticket_event.sequence`).all(id).map((row) => String(row['digest']))
  assert.equal(digests.length, 2)
  const judged = (digest: string) => judgeItem(book, id, OPERATOR, { item: 1, verdict: 'pass', reason: 'read', evidence: [digest] })
  assert.equal(reasonOf(await judged(digests[1] ?? '')), 'item_unproven')
  assert.equal(reasonOf(await judged(EVIDENCE)), 'item_unproven', 'nothing is attached yet')
  await attach(book, (await book.create(DRAFT, OPERATOR)).id, OPERATOR, ATTACHED)
  assert.equal(reasonOf(await judged(EVIDENCE)), 'item_unproven', 'attached to another ticket')
  const said = await judged(digests[0] ?? '')
  assert.ok(said.ok)
  assert.deepEqual([said.value.acceptance[0]?.by, said.value.acceptance[0]?.reason], ['elmar', 'read'])
})

verifies('MC-119', 'a verdict is given on finished work alone, by a gate or a person, and a pass never without evidence', async (context) => {
  const { stored, id } = await inReview(context, ['one'])
  const { book } = stored
  await attach(book, id, OPERATOR, ATTACHED)
  const pass = { item: 1, verdict: 'pass' as const, reason: 'seen', evidence: [EVIDENCE] }
  assert.equal(reasonOf(await judgeItem(book, id, LUCI, pass)), 'transition_illegal')
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, { ...pass, evidence: [] })), 'item_unproven')
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, { ...pass, item: 2 })), 'item_unproven')
  await move(book, id, OPERATOR, { to: 'todo', reason: 'again' })
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, pass)), 'transition_illegal', 'todo')
  await claim(book, id, LUCI, LEASE_MS)
  assert.equal(reasonOf(await judgeItem(book, id, OPERATOR, pass)), 'transition_illegal', 'in_progress')
  assert.deepEqual((await book.get(id)).acceptance.map(({ verdict }) => verdict), [null])
})

verifies('MC-119 MC-120 MC-121', 'only a gate or a person closes, each in its own name; the second closer changes nothing, and only the closing reconciles the source', async (context) => {
  const { stored, id } = await inReview(context, ['one', 'two'])
  const { book } = stored
  await attach(book, id, OPERATOR, ATTACHED)
  const closing = { ...BY_PERSON, evidence: [EVIDENCE] }
  await judgeItem(book, id, OPERATOR, { item: 1, verdict: 'pass', reason: 'seen', evidence: [EVIDENCE] })
  const half = await closeTicket(book, id, OPERATOR, closing)
  assert.ok(!half.ok)
  assert.deepEqual([half.refusal.reason, half.details['items']], ['item_unproven', ['2']])
  await assert.rejects(book.change(id, OPERATOR, () => ({ kind: 'closed', set: { state: 'closed', resolution: 'accepted', evidence: [EVIDENCE] } })), /each acceptance item proven/, 'the store refuses it a second time')
  await judgeItem(book, id, OPERATOR, { item: 2, verdict: 'pass', reason: 'seen', evidence: [EVIDENCE] })
  for (const kind of ['service', 'agent', 'reviewer'] as const) assert.equal(reasonOf(await closeTicket(book, id, actor(`some-${kind}`, kind), closing)), 'transition_illegal', kind)
  assert.equal(reasonOf(await closeTicket(book, id, OPERATOR, { ...closing, gate: 'acceptance' })), 'transition_illegal', 'a person in the name of the gate')
  assert.equal(reasonOf(await closeTicket(book, id, GATE, { ...closing, gate: 'operator' })), 'transition_illegal', 'the gate in the name of a person')
  for (const wrong of [{ ...closing, evidence: [] }, { ...closing, evidence: [sha256('another')] }, { ...closing, runs: ['20261120T213918Z-nothing-1'] }]) assert.equal(reasonOf(await closeTicket(book, id, OPERATOR, wrong)), 'item_unproven', JSON.stringify(wrong))
  assert.deepEqual([(await book.get(id)).state, (await book.get(id)).source?.reconciled], ['review', false])
  const closed = await closeTicket(book, id, OPERATOR, closing)
  assert.ok(closed.ok)
  assert.deepEqual([closed.value.state, closed.value.resolution, closed.value.source?.reconciled], ['closed', 'accepted', true])
  assert.deepEqual((await book.store.events(id, 0, 100)).at(-1)?.data, { gate: 'operator', by: 'elmar', evidence: [EVIDENCE], human_input_required: true })
  const second = await closeTicket(book, id, actor('hermes', 'human'), closing)
  assert.ok(second.ok)
  assert.deepEqual(second.value, closed.value)
  assert.equal(reasonOf(await addItems(book, id, OPERATOR, ['three'])), 'transition_illegal')
})

test('the result of a run counts under the claim it ran under: not in an older epoch, not of another credential', async (context) => {
  const stored = await bookForTest(context)
  const { book } = stored
  const { id } = await book.create({ ...DRAFT, acceptance: [{ id: 1, text: 'one' }] }, OPERATOR)
  await move(book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  await claim(book, id, LUCI, LEASE_MS)
  const run = await runInStore(stored, { ticket: id, state: 'accepted' })
  const result = resultOf(run.runId, [{ text: 'one', met: true, evidence: [run.digest] }], [run.digest])
  stored.wait(LEASE_MS + 1)
  await claim(book, id, LUCI, LEASE_MS)
  const limits = { dispatch: 3, review: 3 }
  for (const [by, epoch] of [[LUCI, 1], [LUCI, 3], [{ ...LUCI, holder: 'tok_other' }, 2], [actor('hermes'), 2]] as const) assert.equal(reasonOf(await applyRun(book, id, by, epoch, limits, result)), 'claim_stale', `${by.holder} in ${epoch}`)
  assert.equal((await book.get(id)).state, 'in_progress')
  const applied = await applyRun(book, id, LUCI, 2, limits, result)
  assert.ok(applied.ok)
  assert.deepEqual([applied.value.state, applied.value.acceptance[0]?.verdict], ['closed', 'pass'])
  assert.deepEqual((await book.store.events(id, 0, 100)).at(-1)?.data, { gate: 'acceptance', by: 'gate:acceptance', evidence: [run.digest], human_input_required: false })
})
