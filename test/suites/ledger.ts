import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, sha256 } from '../../src/contract/canonical.ts'
import { LIFECYCLE, type GateName } from '../../src/contract/lifecycle.ts'
import { Verdict } from '../../src/contract/verdict.ts'
import { type Checkpoint, type Ledger, type LedgerArchive, type LedgerWrite, leafHash, leafText, parseNote, RUN_STATES, type RunHistory, type RunState, type StoredCheckpoint, verifyConsistency, verifyInclusion } from '../../src/engine/index.ts'
import { verifies } from '../verifies.ts'

const at = new Date('2026-11-20T21:39:18.001Z')
const statement = (value: number) => ({
  _type: 'https://in-toto.io/Statement/v1' as const,
  subject: [{ name: 'thing', digest: { sha256: 'a'.repeat(64) } }],
  predicateType: 'https://portcullis.dev/evidence/example/v1',
  predicate: { value },
})

/** A verdict as the store receives it; the store does not judge, it only refuses what cannot be. */
function verdictOf(runId: string, gate: GateName, sequence: number, outcome: 'pass' | 'block' = 'pass'): Verdict {
  const common = { gate, runId, sequence, subject: statement(0).subject, policy: { name: 'p', digest: { sha256: 'b'.repeat(64) } }, decidedAt: at.toISOString(), evidence: ['c'.repeat(64)], previous: null, message: 'm' }
  return Verdict.parse(outcome === 'pass' ? { ...common, outcome, expiresAt: '2026-11-21T00:00:00.000Z' } : { ...common, outcome, reason: 'mismatch', asked: 'a', found: 'f', remedy: 'r' })
}

function parsed(stored: StoredCheckpoint | null | undefined): Checkpoint {
  const note = parseNote(stored?.note ?? '')
  assert.ok(note !== undefined)
  return note.checkpoint
}

/** Each row of a run is at its place in the tree, and at no other. */
async function provedIn(ledger: LedgerArchive, history: RunHistory | undefined, { size, root }: Checkpoint): Promise<void> {
  const entries = history?.entries ?? []
  assert.ok(entries.length > 0)
  const { inclusion } = await ledger.proofs({ positions: entries.map(({ position }) => position), size, from: [] })
  for (const [index, { position, kind, digest, body }] of entries.entries()) {
    const leaf = leafHash(leafText({ position, runId: history?.run.runId ?? '', kind, sequence: null, gate: null, outcome: null, digest, body }))
    assert.ok(verifyInclusion(leaf, position - 1, size, inclusion[index] ?? [], root), `row ${position}`)
    assert.ok(!verifyInclusion(leaf, position % size, size, inclusion[index] ?? [], root), `row ${position} elsewhere`)
  }
}

/** One suite for every ledger: an adapter is one only if it passes all of it. `open` opens the same store each time it is called. */
export function ledgerSuite(name: string, create: () => Promise<{ open: () => Promise<Ledger & LedgerArchive>; destroy: () => Promise<void> }>): void {
  const withLedger = (body: (ledger: Ledger & LedgerArchive, reopen: () => Promise<Ledger & LedgerArchive>) => Promise<void>) => async (): Promise<void> => {
    const store = await create()
    const opened: Ledger[] = []
    const open = async (): Promise<Ledger & LedgerArchive> => {
      const ledger = await store.open()
      opened.push(ledger)
      return ledger
    }
    try {
      await body(await open(), open)
    } finally {
      for (const ledger of opened) await ledger.close()
      await store.destroy()
    }
  }
  const begin = (ledger: Ledger, kind: 'task' | 'probe' | 'approval' = 'task') => ledger.begin({ kind, taskId: 'r1-string-slugify', startedAt: at })
  const pass = async (ledger: Ledger, runId: string, gates: readonly GateName[], from = 0): Promise<void> => {
    for (const [index, gate] of gates.entries()) await ledger.append({ runId, verdict: verdictOf(runId, gate, from + index) })
  }
  const enter = (ledger: Ledger, runId: string, to: RunState, reason: 'mismatch' | null = null) => ledger.append({ runId, state: { to, reason, at } })

  verifies('ADM-T1', `${name}: a run is named by its UTC start, its task and its number`, withLedger(async (ledger) => {
    const first = await begin(ledger)
    const second = await begin(ledger)
    assert.equal(first.runId, '20261120T213918Z-r1-string-slugify-1')
    assert.equal(second.runId, '20261120T213918Z-r1-string-slugify-2')
  }))

  verifies('ACC-32 ACC-29', `${name}: what was appended is read back, digests and order included, by another connection`, withLedger(async (ledger, reopen) => {
    const { runId } = await begin(ledger)
    await ledger.append({ runId, evidence: [statement(1), statement(2)], events: [{ type: 'run_opened', at: at.toISOString(), data: {} }], verdict: verdictOf(runId, 'catalog', 0) })
    const history = await (await reopen()).history(runId)
    assert.deepEqual(history?.entries.map((entry) => entry.kind), ['evidence', 'evidence', 'verdict', 'event'])
    assert.deepEqual(history.entries.map((entry) => entry.digest), history.entries.map((entry) => sha256(entry.body)))
    assert.equal(history.entries[0]?.digest, digestOf(statement(1)))
  }))

  verifies('ACC-21 EVD-01', `${name}: evidence, verdict and state are written together or not at all`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    const write: LedgerWrite = { runId, evidence: [statement(1)], verdict: verdictOf(runId, 'catalog', 0), state: { to: 'accepted', reason: null, at } }
    await assert.rejects(ledger.append(write), { code: 'store_failed' })
    assert.deepEqual((await ledger.history(runId))?.entries, [])
    assert.equal((await ledger.history(runId))?.run.state, 'open')
  }))

  test(`${name}: an unknown run has no history, and nothing can be appended to it`, withLedger(async (ledger) => {
    assert.equal(await ledger.history('20261120T213918Z-x-9'), undefined)
    await assert.rejects(ledger.append({ runId: '20261120T213918Z-x-9', evidence: [statement(1)] }), { code: 'store_failed' })
    await assert.rejects(ledger.append({ runId: '20261120T213918Z-x-9', state: { to: 'blocked', reason: 'mismatch', at } }), { code: 'store_failed' })
  }))

  test(`${name}: a gap or a repetition in the order of verdicts is refused`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await assert.rejects(ledger.append({ runId, verdict: verdictOf(runId, 'catalog', 1) }), { code: 'store_failed' })
    await ledger.append({ runId, verdict: verdictOf(runId, 'catalog', 0) })
    await assert.rejects(ledger.append({ runId, verdict: verdictOf(runId, 'admission', 0) }), { code: 'store_failed' })
  }))

  test(`${name}: a process may start only after catalog, admission, health and launch passed`, withLedger(async (ledger) => {
    for (const missing of ['catalog', 'admission', 'health', 'launch'] as const) {
      const { runId } = await begin(ledger)
      await pass(ledger, runId, (['catalog', 'admission', 'health', 'launch'] as const).filter((gate) => gate !== missing))
      await assert.rejects(enter(ledger, runId, 'started'), { code: 'store_failed' }, missing)
    }
    const { runId } = await begin(ledger)
    await pass(ledger, runId, ['catalog', 'admission', 'health', 'launch'])
    await enter(ledger, runId, 'started')
    await assert.rejects(enter(ledger, runId, 'started'), { code: 'store_failed' }, 'a second time')
  }))

  verifies('ACC-15', `${name}: the accepted state is refused unless every gate of the lifecycle passed last`, withLedger(async (ledger) => {
    for (const missing of LIFECYCLE.slice(4)) {
      const { runId } = await begin(ledger)
      const gates = LIFECYCLE.filter((gate) => gate !== missing)
      await pass(ledger, runId, gates)
      await enter(ledger, runId, 'started')
      await assert.rejects(enter(ledger, runId, 'accepted'), { code: 'store_failed' }, missing)
      await ledger.append({ runId, verdict: verdictOf(runId, missing, gates.length, 'block') })
      await assert.rejects(enter(ledger, runId, 'accepted'), { code: 'store_failed' }, `${missing} blocked`)
    }
    const { runId } = await begin(ledger)
    await pass(ledger, runId, LIFECYCLE)
    await assert.rejects(enter(ledger, runId, 'accepted'), { code: 'store_failed' }, 'never started')
    await enter(ledger, runId, 'started')
    await enter(ledger, runId, 'accepted')
    assert.equal((await ledger.history(runId))?.run.state, 'accepted')
  }))

  test(`${name}: a pass does not outlive a later block of the same gate`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await pass(ledger, runId, ['catalog', 'admission', 'health', 'launch'])
    await ledger.append({ runId, verdict: verdictOf(runId, 'health', 4, 'block') })
    await assert.rejects(enter(ledger, runId, 'started'), { code: 'store_failed' })
  }))

  test(`${name}: a final state is final, and nothing is appended behind it`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await enter(ledger, runId, 'blocked', 'mismatch')
    for (const state of RUN_STATES) await assert.rejects(enter(ledger, runId, state, state === 'failed' || state === 'blocked' ? 'mismatch' : null), { code: 'store_failed' }, state)
    await assert.rejects(ledger.append({ runId, evidence: [statement(1)] }), { code: 'store_failed' })
  }))

  test(`${name}: only a started run can fail, only an open one can be blocked, and both need a reason`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await assert.rejects(enter(ledger, runId, 'failed', 'mismatch'), { code: 'store_failed' })
    await assert.rejects(enter(ledger, runId, 'blocked'), { code: 'store_failed' })
    await pass(ledger, runId, ['catalog', 'admission', 'health', 'launch'])
    await enter(ledger, runId, 'started')
    await assert.rejects(enter(ledger, runId, 'blocked', 'mismatch'), { code: 'store_failed' })
    await assert.rejects(enter(ledger, runId, 'failed'), { code: 'store_failed' })
    await enter(ledger, runId, 'failed', 'mismatch')
  }))

  test(`${name}: only a started task can wait, and it goes on as a started one or ends in failure, never at once as accepted`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await assert.rejects(enter(ledger, runId, 'waiting'), { code: 'store_failed' })
    await pass(ledger, runId, LIFECYCLE)
    await enter(ledger, runId, 'started')
    await enter(ledger, runId, 'waiting')
    for (const state of ['accepted', 'checked', 'closed'] as const) await assert.rejects(enter(ledger, runId, state), { code: 'store_failed' }, state)
    await ledger.append({ runId, evidence: [statement(1)] })
    await enter(ledger, runId, 'started')
    await enter(ledger, runId, 'accepted')
  }))

  test(`${name}: a licence is granted and closed only after its gates passed, and is never accepted`, withLedger(async (ledger) => {
    const { runId } = await ledger.begin({ kind: 'wire', taskId: 'wire', startedAt: at })
    const granted = (run: string) => ledger.append({ runId: run, events: [{ type: 'licence_granted', at: at.toISOString(), data: { epoch: 1 } }] })
    await assert.rejects(granted(runId), { code: 'store_failed' })
    await pass(ledger, runId, ['catalog', 'admission'])
    await assert.rejects(granted(runId), { code: 'store_failed' })
    await assert.rejects(enter(ledger, runId, 'closed'), { code: 'store_failed' })
    await pass(ledger, runId, ['health'], 2)
    await granted(runId)
    for (const state of ['started', 'accepted', 'checked'] as const) await assert.rejects(enter(ledger, runId, state), { code: 'store_failed' }, state)
    await enter(ledger, runId, 'closed')
    await assert.rejects(granted(runId), { code: 'store_failed' }, 'the licence has ended')
    const probe = await begin(ledger, 'probe')
    await pass(ledger, probe.runId, ['catalog', 'admission', 'health'])
    await assert.rejects(granted(probe.runId), { code: 'store_failed' }, 'a probe gets no licence')
    await assert.rejects(enter(ledger, probe.runId, 'closed'), { code: 'store_failed' }, 'a probe is no licence')
  }))

  test(`${name}: rows of one kind are given in the order in which they were stored, from a position on`, withLedger(async (ledger) => {
    const [first, second] = [await begin(ledger), await begin(ledger)]
    for (const [index, { runId }] of [first, second, first].entries()) await ledger.append({ runId, evidence: [statement(index)], events: [{ type: 'run_opened', at: at.toISOString(), data: { index } }] })
    const rows = await ledger.rowsAfter('evidence', 0, 2)
    assert.deepEqual(rows.map(({ runId, body }) => [runId, /"value":(\d)/.exec(body)?.[1]]), [[first.runId, '0'], [second.runId, '1']])
    assert.deepEqual((await ledger.rowsAfter('evidence', rows[1]?.position ?? 0, 2)).map(({ runId }) => runId), [first.runId])
  }))

  verifies('WIR-23', `${name}: what calls are charged with adds up by profile and by day, with their evidence or not at all`, withLedger(async (ledger, reopen) => {
    const { runId } = await begin(ledger)
    const charge = { profile: 'coder', day: '2026-11-20', calls: 1, tokens: 10, costUsd: 0.000_000_1, unpriced: 0 }
    const nothing = { calls: 0, tokens: 0, costUsd: 0, unpriced: 0 }
    assert.deepEqual(await ledger.charged({ profile: null, day: null }), nothing)
    await Promise.all([charge, charge, { ...charge, day: '2026-11-21', unpriced: 1 }, { ...charge, profile: 'reviewer', tokens: 5 }].map((each, index) => ledger.append({ runId, evidence: [statement(index)], charge: each })))
    await assert.rejects(ledger.append({ runId: 'nobody', evidence: [statement(9)], charge }), { code: 'store_failed' })
    const again = await reopen()
    assert.deepEqual(await again.charged({ profile: 'coder', day: null }), { calls: 3, tokens: 30, costUsd: 0.000_000_3, unpriced: 1 })
    assert.deepEqual(await again.charged({ profile: 'coder', day: '2026-11-20' }), { calls: 2, tokens: 20, costUsd: 0.000_000_2, unpriced: 0 })
    assert.deepEqual(await again.charged({ profile: null, day: '2026-11-20' }), { calls: 3, tokens: 25, costUsd: 0.000_000_3, unpriced: 0 })
    assert.deepEqual(await again.charged({ profile: 'nobody', day: null }), nothing)
  }))

  verifies('EVD-03', `${name}: each commit signs a head over all rows, what was refused left out, and the head of each end is kept`, withLedger(async (ledger, reopen) => {
    const [first, second] = [await begin(ledger), await begin(ledger)]
    const empty = parsed(await ledger.head())
    assert.equal(empty.size, 0)
    const writes = Array.from({ length: 70 }, (_each, index) => ledger.append({ runId: index % 7 === 3 ? 'nobody' : index % 2 === 0 ? first.runId : second.runId, evidence: [statement(index)] }))
    assert.equal((await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled').length, 60)
    assert.equal((await ledger.history(first.runId))?.checkpoint, null)
    await enter(ledger, first.runId, 'blocked', 'mismatch')
    const kept = (await ledger.history(first.runId))?.checkpoint
    const other = await reopen()
    await other.append({ runId: second.runId, evidence: [statement(70)] })
    await enter(ledger, second.runId, 'blocked', 'mismatch')
    const head = parsed(await ledger.head())
    assert.deepEqual([parsed(kept).size, head.size, head.origin], [60, 61, empty.origin])
    assert.deepEqual((await other.history(first.runId))?.checkpoint, kept)
    for (const { runId } of [first, second]) await provedIn(other, await other.history(runId), head)
    const { consistency } = await other.proofs({ positions: [], size: head.size, from: [parsed(kept).size, 7] })
    assert.ok(verifyConsistency(parsed(kept), head, consistency[0] ?? []))
    assert.ok(!verifyConsistency({ ...parsed(kept), root: empty.root }, head, consistency[0] ?? []))
  }))

  test(`${name}: a row is shown to be in the tree also where the tree is large`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger)
    await Promise.all(Array.from({ length: 1_300 }, (_each, index) => ledger.append({ runId, evidence: [statement(index)] })))
    const head = parsed(await ledger.head())
    assert.equal(head.size, 1_300)
    await provedIn(ledger, await ledger.history(runId), head)
    for (const from of [1, 255, 256, 257, 1_024, 1_299]) {
      const { consistency: [proof] } = await ledger.proofs({ positions: [], size: 1_300, from: [from] })
      assert.ok(proof !== undefined && proof.length > 0)
    }
    await assert.rejects(ledger.proofs({ positions: [1_301], size: 1_300, from: [] }), { code: 'store_failed' })
  }))

  test(`${name}: a probe can be checked, never started or accepted`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger, 'probe')
    await pass(ledger, runId, ['catalog', 'admission'])
    await assert.rejects(enter(ledger, runId, 'checked'), { code: 'store_failed' })
    await pass(ledger, runId, ['health', 'launch'], 2)
    await assert.rejects(enter(ledger, runId, 'started'), { code: 'store_failed' })
    await enter(ledger, runId, 'checked')
    const task = await begin(ledger)
    await pass(ledger, task.runId, ['catalog', 'admission', 'health'])
    await assert.rejects(enter(ledger, task.runId, 'checked'), { code: 'store_failed' }, 'a task is no probe')
  }))

  test(`${name}: only an approval can be recorded, with one statement and nothing else, and it is never accepted`, withLedger(async (ledger) => {
    const { runId } = await begin(ledger, 'approval')
    await assert.rejects(enter(ledger, runId, 'recorded'), { code: 'store_failed' }, 'an approval of nothing')
    for (const state of ['started', 'accepted', 'checked', 'closed'] as const) await assert.rejects(enter(ledger, runId, state), { code: 'store_failed' }, state)
    await ledger.append({ runId, evidence: [statement(1)], state: { to: 'recorded', reason: null, at } })
    await assert.rejects(ledger.append({ runId, evidence: [statement(2)] }), { code: 'store_failed' })
    const several = await begin(ledger, 'approval')
    await assert.rejects(ledger.append({ runId: several.runId, evidence: [statement(1), statement(2)], state: { to: 'recorded', reason: null, at } }), { code: 'store_failed' })
    const judged = await begin(ledger, 'approval')
    await assert.rejects(ledger.append({ runId: judged.runId, evidence: [statement(1)], verdict: verdictOf(judged.runId, 'catalog', 0), state: { to: 'recorded', reason: null, at } }), { code: 'store_failed' })
    const task = await begin(ledger)
    await assert.rejects(ledger.append({ runId: task.runId, evidence: [statement(1)], state: { to: 'recorded', reason: null, at } }), { code: 'store_failed' }, 'a task is no approval')
  }))

  test(`${name}: what is written to one run touches no other`, withLedger(async (ledger) => {
    const first = await begin(ledger)
    const second = await begin(ledger)
    await ledger.append({ runId: first.runId, evidence: [statement(1)] })
    await ledger.append({ runId: second.runId, evidence: [statement(2)] })
    await enter(ledger, second.runId, 'blocked', 'mismatch')
    const history = await ledger.history(first.runId)
    assert.deepEqual([history?.run.state, history?.entries.map((entry) => entry.digest)], ['open', [digestOf(statement(1))]])
  }))

  test(`${name}: runs are listed newest first`, withLedger(async (ledger) => {
    await begin(ledger)
    await begin(ledger)
    assert.deepEqual((await ledger.list()).map((run) => run.number), [2, 1])
  }))
}
