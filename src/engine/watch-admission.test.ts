import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AdmissionSource, DECISION_EFFECT, type DecisionSource } from '../gates/admission/index.ts'
import type { Withdrawal } from '../gates/wire/index.ts'
import { resolveProfile } from '../gates/catalog/index.ts'
import { CONFIGURATION, recordFor } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { Configuration } from './configuration.ts'
import { watchAdmission } from './steps/admission.ts'
import type { World } from './world.ts'

const configuration = Configuration.parse(CONFIGURATION)
const admitted: AdmissionSource = { kind: 'directory', path: 'admissions/', problem: null, files: [recordFor('coder-1')] }

const NO_DECISIONS: DecisionSource = { path: 'decisions/', problem: null, files: [] }

/** Watches with these readings of the directory, and gives what was withdrawn, or undefined after a second and a bit. */
async function withdrawnAfter(context: TestContext, read: () => Promise<AdmissionSource>, readDecisions: () => Promise<DecisionSource> = () => Promise.resolve(NO_DECISIONS), asked: Configuration = configuration): Promise<Withdrawal | undefined> {
  const outcome = resolveProfile({ catalog: asked, override: null, profile: 'p', purpose: 'ticket', candidate: 0, capability: null })
  assert.ok('resolution' in outcome)
  const world = { configuration: asked, clock: () => new Date('2026-11-20T00:00:00Z'), readAdmissions: read, readDecisions } as unknown as World
  const { promise, resolve } = Promise.withResolvers<Withdrawal | undefined>()
  const end = watchAdmission(world, outcome.resolution as never, { admissionFile: null, asked: null }, { withdraw: resolve })
  context.after(end)
  const limit = new AbortController()
  const first = await Promise.race([promise, delay(1_200, undefined, { signal: limit.signal })])
  limit.abort()
  end()
  return first
}

for (const [what, source, reason] of [
  ['removed', { ...admitted, files: [] }, 'missing_admission'],
  ['revoked', { ...admitted, files: [{ ...recordFor('coder-1'), record: { ...recordFor('coder-1').record, status: 'revoked' } as never }] }, 'not_admitted'],
  ['broken', { ...admitted, files: [{ ...recordFor('coder-1'), record: null, problems: ['not JSON'] }] }, 'invalid_admission'],
] satisfies readonly (readonly [string, AdmissionSource, string])[]) {
  verifies('WIR-04', `a record that is ${what} while the agent runs ends its licence within a second`, async (t) => {
    let reads = 0
    const withdrawn = await withdrawnAfter(t, () => Promise.resolve((reads += 1) === 1 ? admitted : source))
    assert.deepEqual([withdrawn?.reason, reads], [reason, 2])
  })
}

verifies('WIR-04', 'records that cannot be read, or not in time, end the licence as well', async (t) => {
  assert.equal((await withdrawnAfter(t, () => Promise.reject(new Error('gone'))))?.reason, 'gate_crashed')
  assert.match((await withdrawnAfter(t, () => new Promise(() => undefined)))?.found ?? '', /in time/)
})

test('a record that stays in force ends nothing', async (t) => {
  assert.equal(await withdrawnAfter(t, () => Promise.resolve(admitted)), undefined)
})

verifies('ADM-D10', 'an approval of an external provider that ends while the agent runs ends its licence within a second', async (t) => {
  const external = { ...configuration, networkClasses: { loopback: { external: true } } }
  const decision = {
    decision_status: 'external_provider_approved' as const, provider_class: 'external_anthropic' as const, provider: 'scripted', model: 'coder-1', approval_source: 'a test', credential_source_class: 'no-secret',
    allowed_network_class: 'loopback', review_trigger: 'when it changes', evidence_sources: [], effect: DECISION_EFFECT,
  } as const
  const approved: DecisionSource = { ...NO_DECISIONS, files: [{ path: 'decisions/scripted--coder-1.json', sha256: 'a'.repeat(64), decision: { ...decision, evidence_sources: [] }, problems: [] }] }
  let reads = 0
  const withdrawn = await withdrawnAfter(t, () => Promise.resolve(admitted), () => Promise.resolve((reads += 1) === 1 ? approved : NO_DECISIONS), external)
  assert.deepEqual([withdrawn?.reason, reads], ['not_admitted', 2])
  assert.match(withdrawn?.found ?? '', /no decision in decisions\/ approves/)
})
