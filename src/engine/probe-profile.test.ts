import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordFor, stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { PortcullisError } from '../contract/errors.ts'
import { probeProfile } from './index.ts'

const down = { outcome: 'failed', reason: 'provider_auth', servedModel: null, providerStatus: 401 } as const

verifies('MC-106', 'a profile is healthy only if its model answered, and the probe is kept as a run of its own', async (t) => {
  const made = await stage(t)
  const probed = await probeProfile(made.world, 'p', 'preflight')
  assert.deepEqual([probed.healthy, probed.static_ok, probed.stage, probed.reason, probed.pair, probed.served_model, probed.tools], [true, true, 'health', null, 'scripted/coder-1', 'coder-1', true])
  assert.deepEqual((await made.ledger.list()).map(({ kind, state, reason }) => [kind, state, reason]), [['probe', 'checked', null]])
  assert.deepEqual((await made.verify(probed.run_id)).problems, [])
  assert.deepEqual(made.acts, ['grant health', 'revoke health', 'close wire'])
})

verifies('MC-101', 'a profile whose configuration reads well is not healthy by that, and says where it stopped', async (t) => {
  const cases = [
    ['unknown profile', await stage(t, { configuration: { profiles: {} } }), false, 'catalog', 'profile_unknown', []],
    ['no record', await stage(t, { records: [] }), true, 'admission', 'missing_admission', []],
    ['record of another model', await stage(t, { records: [recordFor('coder-2')] }), true, 'admission', 'missing_admission', []],
    ['no key', await stage(t, { health: (grant) => grant.ask(down) }), true, 'health', 'provider_auth', ['grant health', 'revoke health', 'close wire']],
    ['another model answers', await stage(t, { health: (grant) => grant.ask({ servedModel: 'cheaper-1' }) }), true, 'health', 'served_model_mismatch', ['grant health', 'revoke health', 'close wire']],
    ['no call', await stage(t, { health: () => Promise.resolve() }), true, 'health', 'health_unknown', ['grant health', 'revoke health', 'close wire']],
  ] as const
  for (const [name, made, staticOk, stage, reason, acts] of cases) {
    const probed = await probeProfile(made.world, 'p', 'preflight')
    assert.deepEqual([probed.healthy, probed.static_ok, probed.stage, probed.reason], [false, staticOk, stage, reason], name)
    assert.ok(probed.refusal !== null && probed.refusal.remedy !== '', name)
    assert.deepEqual(made.acts, acts, name)
    assert.deepEqual((await made.ledger.list()).map((run) => [run.state, run.reason]), [['blocked', reason]], name)
    assert.deepEqual((await made.verify(probed.run_id)).problems, [], name)
  }
})

test('a purpose that is no preflight does not open a profile that does not list it', async (t) => {
  const made = await stage(t, { configuration: { purposes: { ticket: { needs: [] }, interactive: { needs: [] } } } })
  assert.equal((await probeProfile(made.world, 'p', 'interactive')).reason, 'runtime_purpose_violation')
  assert.deepEqual(made.acts, [])
})

test('the exception of the preflight is not open to a run', async (t) => {
  const made = await stage(t)
  assert.equal((await made.run({ purpose: 'preflight' })).report.reason, 'runtime_purpose_violation')
})

test('a probe that cannot be stored is no answer, and leaves no wire open', async (t) => {
  const made = await stage(t, { world: (world) => ({ ledger: {
    begin: (run) => world.ledger.begin(run),
    append: (write) => (write.verdict?.gate === 'health' ? Promise.reject(new PortcullisError('store_failed', { asked: 'a', found: 'f', remedy: 'r' })) : world.ledger.append(write)),
    history: (runId) => world.ledger.history(runId),
    list: () => world.ledger.list(),
    rowsAfter: (kind, position, most) => world.ledger.rowsAfter(kind, position, most),
    charged: (account) => world.ledger.charged(account),
    close: () => world.ledger.close(),
  } }) })
  await assert.rejects(probeProfile(made.world, 'p', 'preflight'), { code: 'store_failed' })
  assert.equal(made.acts.at(-1), 'close wire')
})
