import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { definePredicate } from '../contract/evidence.ts'
import { defineGate } from '../contract/gate.ts'
import { defineProof } from '../contract/proof.ts'
import { NOTHING_SPENT } from '../gates/wire/index.ts'
import { verifies } from '../../test/verifies.ts'
import { Course } from './course.ts'
import type { Ledger, LedgerWrite, RunSummary } from './ledger.ts'

const run: RunSummary = { runId: '20261120T213918Z-t-1', number: 1, kind: 'task', taskId: 't', state: 'open', reason: null, startedAt: '2026-11-20T21:39:18.001Z', endedAt: null }
const facts = definePredicate('https://portcullis.dev/evidence/example/v1', z.strictObject({ fine: z.boolean(), note: z.string() }))
const gate = defineGate({
  name: 'admission',
  facts,
  decide: ({ fine }, evidence) =>
    fine ? { outcome: 'pass', message: 'fine', evidence, expiresAt: new Date('2026-11-20T22:00:00Z') } : { outcome: 'block', reason: 'mismatch', message: 'm', asked: 'a', found: 'f', remedy: 'r' },
})
const mint = defineProof(gate, ({ note }) => ({ note }))
const subject = { name: 's', digest: { sha256: 'a'.repeat(64) } }

function courseWith(over: Partial<Ledger> = {}, scan: (bytes: Buffer) => boolean = () => false, now = new Date('2026-11-20T21:40:00Z')) {
  const written: LedgerWrite[] = []
  const ledger: Ledger = {
    begin: () => Promise.reject(new Error('not asked')),
    append: (write) => {
      written.push(write)
      return Promise.resolve()
    },
    history: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    rowsAfter: () => Promise.resolve([]),
    charged: () => Promise.resolve(NOTHING_SPENT),
    close: () => Promise.resolve(),
    ...over,
  }
  const scanner = { rules: 'r', knownValues: () => 1, know: () => undefined, scan: (bytes: Buffer) => (scan(bytes) ? [{ rule: 'raw', offset: 0, hash: 'h' }] : []), open: () => ({ write: () => undefined, end: () => [] }), redact: (text: string) => text }
  const course = new Course({ run, ledger, scanner, clock: () => now, policyDigest: 'b'.repeat(64), watcher: { gateBegan: () => undefined, gateDecided: () => undefined } })
  const decide = (fine: boolean, note = 'n') => course.decide({ definition: gate, mint, subject, timeoutMs: 1_000, observe: () => Promise.resolve({ facts: { fine, note } }) })
  return { course, decide, written }
}

verifies('EVD-01', 'facts and verdict are appended in one write, before the proof exists', async () => {
  const { decide, written } = courseWith()
  const decided = await decide(true)
  assert.ok(decided.ok)
  assert.equal(decided.proof.note, 'n')
  assert.equal(written.length, 1)
  assert.equal(written[0]?.evidence?.length, 1)
  assert.equal(sha256(canonicalJson(written[0].evidence[0])), written[0].verdict?.evidence[0])
})

verifies('EVD-02', 'each verdict names the digest of the one before it', async () => {
  const { course, decide, written } = courseWith()
  await decide(true)
  await decide(false)
  await decide(true)
  const verdicts = written.map((write) => write.verdict)
  assert.equal(verdicts[0]?.previous, null)
  assert.equal(verdicts[1]?.previous, digestOf(verdicts[0]))
  assert.equal(verdicts[2]?.previous, digestOf(verdicts[1]))
  assert.equal(course.head, digestOf(verdicts[2]))
})

test('a block gives no proof', async () => {
  const decided = await courseWith().decide(false)
  assert.ok(!decided.ok && decided.reason === 'mismatch' && !('proof' in decided))
})

test('a pass that has expired gives no proof', async () => {
  const decided = await courseWith({}, () => false, new Date('2026-11-20T23:00:00Z')).decide(true)
  assert.ok(!decided.ok && decided.reason === 'gate_output_invalid')
})

test('a ledger that cannot be written gives no proof: the fault goes up', async () => {
  await assert.rejects(courseWith({ append: () => Promise.reject(new Error('disk full')) }).decide(true), /disk full/)
})

verifies('SEC-03', 'a credential in facts, event or verdict is not stored, and the fault does not repeat it', async () => {
  const { course, decide, written } = courseWith({}, (bytes) => bytes.includes('hunter2'))
  await assert.rejects(decide(true, 'hunter2'), (error: Error & { code?: string }) => error.code === 'secret_withheld' && !JSON.stringify(error).includes('hunter2') && !error.message.includes('hunter2'))
  await assert.rejects(course.append({ events: [course.event('fault', { text: 'hunter2' })] }), { code: 'secret_withheld' })
  assert.deepEqual(written, [])
  const refused = courseWith({}, (bytes) => bytes.includes('"remedy":"r"'))
  await assert.rejects(refused.decide(false), { code: 'secret_withheld', asked: 'to store a verdict of admission' })
  assert.deepEqual(refused.written, [])
})

test('an abstention gives no proof, and its own reason', async () => {
  const { course } = courseWith()
  const abstaining = defineGate({ name: 'admission', facts, decide: () => ({ outcome: 'abstain', reason: 'health_unknown', message: 'nobody asked' }) })
  const decided = await course.decide({ definition: abstaining, mint: defineProof(abstaining, ({ note }) => ({ note })), subject, timeoutMs: 1_000, observe: () => Promise.resolve({ facts: { fine: true, note: 'n' } }) })
  assert.deepEqual([decided.ok, decided.ok ? null : decided.reason], [false, 'health_unknown'])
})

test('a verdict names its subject and the configuration that it was made by', async () => {
  const { decide, written } = courseWith()
  await decide(true)
  assert.deepEqual([written[0]?.verdict?.subject, written[0]?.verdict?.policy], [[subject], { name: 'admission/v1', digest: { sha256: 'b'.repeat(64) } }])
})
