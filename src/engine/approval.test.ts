import assert from 'node:assert/strict'
import { stage, type StageOptions } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { sha256 } from '../contract/canonical.ts'
import { DECISION_EFFECT, type DecisionFile, type DecisionSource } from '../gates/admission/index.ts'
import type { World } from './index.ts'

const EXTERNAL = { networkClasses: { loopback: { external: true } } }

const decisionFor = (model: string, status: 'external_provider_approved' | 'not_decided' = 'external_provider_approved'): DecisionFile => ({
  path: `decisions/scripted--${model}.json`,
  sha256: sha256(`${model} ${status}`),
  decision: {
    decision_status: status, provider_class: 'external_openai_codex', provider: 'scripted', model, approval_source: 'a test', credential_source_class: 'no-secret', allowed_network_class: 'loopback',
    review_trigger: { expires_at: '2036-01-01T00:00:00Z' }, evidence_sources: [], effect: DECISION_EFFECT,
  },
  problems: [],
})

verifies('ADM-D10', 'a run on an external provider that no people approved starts nothing and asks nobody, whatever its record says', async (t) => {
  const refused: readonly StageOptions[] = [{}, { decisions: [decisionFor('coder-2')] }, { decisions: [decisionFor('coder-1', 'not_decided')] }]
  for (const options of refused) {
    const made = await stage(t, { configuration: EXTERNAL, ...options })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason, report.process_started, report.model.admission_status, made.acts], ['blocked', 'not_admitted', false, 'not_admitted', ['close wire']])
    assert.deepEqual(report.model.network, { class: 'loopback', external: true, external_record: null })
    assert.match(report.refusal?.remedy ?? '', /portcullis decide --status external_provider_approved --pair scripted\/coder-1/)
    assert.deepEqual((await made.verify(report.run_id)).problems, [])
  }
})

verifies('ADM-D10', 'with the decision the same run is accepted, and the report names it by path and digest', async (t) => {
  const made = await stage(t, { configuration: EXTERNAL, decisions: [decisionFor('coder-1')] })
  const { report } = await made.run()
  const { path, sha256: digest } = decisionFor('coder-1')
  assert.deepEqual([report.status, report.model.network], ['pass', { class: 'loopback', external: true, external_record: { path, sha256: digest, expires_at: '2036-01-01T00:00:00.000Z' } }])
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

verifies('ADM-D10', 'decisions that throw, come late, are nothing or are true approve nothing', async (t) => {
  const twins: [name: string, read: () => Promise<DecisionSource>][] = [
    ['throws', () => Promise.reject(new Error('EIO'))],
    ['nothing', () => Promise.resolve(undefined as never)],
    ['true', () => Promise.resolve(true as never)],
    ['true for a list', () => Promise.resolve({ path: 'decisions/', problem: null, files: true } as never)],
    ['true for a decision', () => Promise.resolve({ path: 'decisions/', problem: null, files: [true] } as never)],
  ]
  for (const [name, readDecisions] of twins) {
    const made = await stage(t, { configuration: EXTERNAL, world: () => ({ readDecisions }) })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.process_started, report.reason === null], ['blocked', false, false], name)
    assert.ok(!made.acts.some((act) => act.startsWith('grant')), name)
  }
})

verifies('ADM-D10', 'decisions that are never read block with the deadline of the gate', async (t) => {
  /** From the verdict before on, only the deadline of the gate is waited for. */
  const ledgerOf = ({ ledger }: World): World['ledger'] => ({
    begin: (run) => ledger.begin(run),
    append: async (write) => {
      await ledger.append(write)
      if (write.verdict?.gate === 'catalog') t.mock.timers.enable({ apis: ['setTimeout'] })
    },
    history: (runId) => ledger.history(runId),
    list: () => ledger.list(),
    charged: (account) => ledger.charged(account),
    rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most),
    close: () => ledger.close(),
  })
  const readDecisions = (): Promise<never> => {
    setImmediate(() => {
      t.mock.timers.tick(86_400_000)
      t.mock.timers.reset()
    })
    return new Promise(() => undefined)
  }
  const made = await stage(t, { configuration: EXTERNAL, world: (world) => ({ ledger: ledgerOf(world), readDecisions }) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, report.process_started], ['blocked', 'gate_timed_out', false])
})
