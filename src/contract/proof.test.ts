import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { PortcullisError } from './errors.ts'
import { definePredicate } from './evidence.ts'
import { type Finding, type GateDefinition, type Observed, defineGate, gateOf, isSealed, runGate } from './gate.ts'
import { defineProof, type Proof, type ProofMint } from './proof.ts'
import type { Pass, Verdict } from './verdict.ts'

const Facts = z.strictObject({ model: z.string(), admitted: z.boolean(), pairs: z.array(z.string()), observedAt: z.iso.datetime() })
type Facts = z.infer<typeof Facts>
interface Content {
  readonly model: string
  readonly pairs: string[]
}

const predicate = definePredicate('https://portcullis.dev/evidence/admission/v1', Facts)
const definition = defineGate({
  name: 'admission',
  facts: predicate,
  decide: (facts, evidence) =>
    facts.admitted
      ? { outcome: 'pass', message: 'admitted', evidence, expiresAt: new Date(Date.parse(facts.observedAt) + 60_000) }
      : { outcome: 'block', reason: 'not_admitted', message: 'm', asked: 'a', found: 'f', remedy: 'r', evidence },
}) satisfies GateDefinition<Facts>
const strict = { ...definition, name: 'admission' } as const
const mint: ProofMint<'admission', Content> = defineProof(strict, (facts) => ({ model: facts.model, pairs: facts.pairs }))

const subject = { name: 'run', digest: { sha256: 'a'.repeat(64) } }
const policy = { name: 'admission/v1', digest: { sha256: 'b'.repeat(64) } }
const at = { runId: '20260601T000000Z-r1-1', sequence: 1, previous: null, subject: [subject] as const }
const now = new Date('2026-06-01T00:00:00Z')
const facts: Facts = { model: 'coder-1', admitted: true, pairs: ['scripted/coder-1'], observedAt: '2026-06-01T00:00:00.000Z' }

/** Runs a gate with the name, the facts and the judgement given, and returns what a caller would hold afterwards. */
async function run(given: GateDefinition<Facts>, observedFacts: Facts): Promise<{ verdict: Verdict; observed: Observed }> {
  let observed: Observed = []
  const gate = gateOf(given, { policy, timeoutMs: 1_000, subject: [subject], observe: async () => ({ facts: observedFacts }), keep: (kept) => { observed = kept } })
  const verdict = await runGate(gate, null, at, () => now)
  return { verdict, observed }
}

const forged = (thrown: unknown): boolean => thrown instanceof PortcullisError && thrown.code === 'proof_forged'

/** A door, as every privileged act is one: it takes the proof and asks the mint before it does anything. */
function start(proof: Proof<'admission', Content>, when: Date): string {
  mint.check(proof, when)
  return `started ${proof.model}`
}

test('a gate that passed hands on a proof that opens the door', async () => {
  const { verdict, observed } = await run(definition, facts)
  const proof = mint.prove(verdict, observed, now)
  assert.ok(proof)
  assert.equal(start(proof, now), 'started coder-1')
  assert.equal(proof.verdict, verdict)
  assert.equal(mint.gate, 'admission')
})

test('a literal that looks like a proof is refused by the compiler and at run time', async () => {
  const { verdict } = await run(definition, facts)
  const literal = { model: 'gpt-anything', pairs: [], verdict: verdict as Pass }
  // @ts-expect-error A literal is no proof: without the brand the door does not compile.
  assert.throws(() => start(literal, now), forged)
  assert.throws(() => start(literal as unknown as Proof<'admission', Content>, now), forged)
})

test('a copy of a proof, changed or not, is refused', async () => {
  const { verdict, observed } = await run(definition, facts)
  const proof = mint.prove(verdict, observed, now)
  assert.ok(proof)
  assert.throws(() => start({ ...proof }, now), forged)
  assert.throws(() => start({ ...proof, model: 'gpt-anything' }, now), forged)
  assert.throws(() => start(structuredClone(proof), now), forged)
})

test('a proof cannot be changed after it was made, not even inside', async () => {
  const { verdict, observed } = await run(definition, facts)
  const proof = mint.prove(verdict, observed, now)
  assert.ok(proof)
  assert.throws(() => Object.assign(proof, { model: 'gpt-anything' }), TypeError)
  assert.throws(() => proof.pairs.push('openai/gpt-anything'), TypeError)
})

test('the proof of one gate does not open the door of another, nor one of another mint of the same name', async () => {
  const { verdict, observed } = await run(definition, facts)
  const twin = defineProof(strict, (seen) => ({ model: seen.model, pairs: seen.pairs }))
  const proof = twin.prove(verdict, observed, now)
  assert.ok(proof)
  assert.throws(() => start(proof, now), forged)
  const health = defineProof({ ...definition, name: 'health' } as const, (seen) => ({ model: seen.model, pairs: seen.pairs }))
  assert.equal(health.prove(verdict, observed, now), undefined)
  // @ts-expect-error A proof of health is no proof of admission.
  const wrong: Proof<'admission', Content> | undefined = health.prove(verdict, observed, now)
  assert.equal(wrong, undefined)
})

for (const [what, value] of [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a text', 'proof'],
  ['an empty object', {}],
] as const) {
  test(`${what} is no proof`, () => {
    assert.throws(() => start(value as unknown as Proof<'admission', Content>, now), forged)
  })
}

test('a verdict literal that runGate did not seal proves nothing', async () => {
  const { verdict, observed } = await run(definition, facts)
  assert.equal(isSealed(verdict), true)
  const literal: Verdict = { ...verdict }
  assert.equal(mint.prove(literal, observed, now), undefined)
  assert.equal(mint.prove(JSON.parse(JSON.stringify(verdict)) as Verdict, observed, now), undefined)
})

test('a block proves nothing', async () => {
  const { verdict, observed } = await run(definition, { ...facts, admitted: false })
  assert.equal(verdict.outcome, 'block')
  assert.equal(mint.prove(verdict, observed, now), undefined)
})

const always = (expiresAt: Date): GateDefinition<Facts> => ({
  ...definition,
  decide: (_facts, evidence): Finding => ({ outcome: 'pass', message: 'anything goes', evidence, expiresAt }),
})

test('a sealed pass of a lax gate proves nothing where the real gate would block', async () => {
  const { verdict, observed } = await run(always(new Date('2026-06-01T00:01:00Z')), { ...facts, admitted: false })
  assert.equal(verdict.outcome, 'pass')
  assert.equal(isSealed(verdict), true)
  assert.equal(mint.prove(verdict, observed, now), undefined)
})

test('a sealed pass of a lax gate that grants more time than the real gate proves nothing', async () => {
  const { verdict, observed } = await run(always(new Date('2099-01-01T00:00:00Z')), facts)
  assert.equal(verdict.outcome, 'pass')
  assert.equal(mint.prove(verdict, observed, now), undefined)
})

test('a pass of another gate with the same facts proves nothing', async () => {
  const { verdict, observed } = await run({ ...definition, name: 'catalog' }, facts)
  assert.equal(verdict.outcome, 'pass')
  assert.equal(mint.prove(verdict, observed, now), undefined)
})

test('statements that the verdict does not name prove nothing', async () => {
  const { verdict, observed } = await run(definition, facts)
  const other = predicate.state([subject], { ...facts, model: 'gpt-anything' })
  const same = predicate.state([subject], facts)
  for (const swapped of [[other], [], [same, other], [other, same]]) assert.equal(mint.prove(verdict, swapped, now), undefined)
  assert.ok(mint.prove(verdict, [same], now), 'the same statement, made again, has the same digest')
  assert.ok(mint.prove(verdict, observed, now))
})

test('the order of the statements counts: the first one holds the facts', async () => {
  let observed: Observed = []
  const supporting = predicate.state([subject], { ...facts, model: 'gpt-anything' })
  const gate = gateOf(definition, { policy, timeoutMs: 1_000, subject: [subject], observe: async () => ({ facts, supporting: [supporting] }), keep: (kept) => { observed = kept } })
  const verdict = await runGate(gate, null, at, () => now)
  assert.equal(mint.prove(verdict, observed.toReversed(), now), undefined)
  assert.equal(mint.prove(verdict, observed.slice(0, 1), now), undefined, 'a statement that was withheld counts, too')
  assert.equal(mint.prove(verdict, observed, now)?.model, 'coder-1')
})

test('facts that no longer validate prove nothing, also when the verdict names their digest', async () => {
  const loose = definePredicate(predicate.type, z.looseObject({ model: z.string() }))
  const lax = defineGate({
    name: 'admission',
    facts: loose,
    decide: (_facts, evidence): Finding => ({ outcome: 'pass', message: 'ok', evidence, expiresAt: new Date('2026-06-01T00:01:00Z') }),
  })
  let observed: Observed = []
  const gate = gateOf(lax, { policy, timeoutMs: 1_000, subject: [subject], observe: async () => ({ facts: { model: 'coder-1' } }), keep: (kept) => { observed = kept } })
  const verdict = await runGate(gate, null, at, () => now)
  assert.equal(verdict.outcome, 'pass')
  assert.equal(mint.prove(verdict, observed, now), undefined)
})

test('nothing is proved by an expired verdict or at a time that is no time', async () => {
  const { verdict, observed } = await run(definition, facts)
  assert.ok(mint.prove(verdict, observed, new Date('2026-06-01T00:00:59.999Z')))
  assert.equal(mint.prove(verdict, observed, new Date('2026-06-01T00:01:00Z')), undefined)
  assert.equal(mint.prove(verdict, observed, new Date(Number.NaN)), undefined)
})

test('a proof closes again when it expires, and says so', async () => {
  const { verdict, observed } = await run(definition, facts)
  const proof = mint.prove(verdict, observed, now)
  assert.ok(proof)
  assert.equal(start(proof, new Date('2026-06-01T00:00:59.999Z')), 'started coder-1')
  assert.throws(() => start(proof, new Date(Number.NaN)), forged)
  assert.throws(
    () => start(proof, new Date('2026-06-01T00:01:00Z')),
    (thrown) => forged(thrown) && (thrown as PortcullisError).found === 'a proof that expired at 2026-06-01T00:01:00.000Z',
  )
})
