import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { AGREEABLE, CONFIGURATION, PROFILE, RECORD, type Scenario, scenario } from '../e2e/scenario.ts'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const Profiles = z.object({ profiles: z.array(z.object({ profile: z.string(), health: z.string(), routable: z.boolean(), reason: z.string().nullable(), run_id: z.string().nullable() })) })
const profilesOf = async (served: ServedApi) => Profiles.parse((await served.ask('/profiles', { token: served.admin })).json()).profiles
const probesOf = async (made: Scenario): Promise<readonly string[]> => z.array(z.object({ runId: z.string(), kind: z.string() })).parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout)).flatMap(({ kind, runId }) => (kind === 'probe' ? [runId] : []))

async function until<Value>(look: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  for (const limit = performance.now() + 30_000; ; ) {
    const value = await look()
    if (holds(value)) return value
    assert.ok(performance.now() < limit, `waited in vain: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const PLAIN = { agent: 'command', command: ['node', '-e', '0'], permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 1000, cost: 'USD 0' } }

/** Two profiles: one whose model answers, one of a pair that nobody admitted. */
async function twoProfiles(context: TestContext, health: object): Promise<Scenario> {
  const made = await scenario(context)
  made.set(CONFIGURATION, ['profiles', 'strange'], { ...PLAIN, model: 'scripted/coder-2' })
  made.set(CONFIGURATION, ['health'], health)
  return made
}

verifies('MC-102', 'all profiles are probed when the server starts; one that has not passed is not routable, and no run of it starts an agent', async (context) => {
  const made = await twoProfiles(context, { onStart: true, every: '24h', maxAge: '26h' })
  const served = await servedApi(context, made.directory)
  const profiles = await until(() => profilesOf(served), (all) => all.every(({ health }) => health !== 'unknown'))
  assert.deepEqual(profiles.map(({ profile, health, routable, reason }) => [profile, health, routable, reason]), [[PROFILE[1], 'healthy', true, null], ['strange', 'unhealthy', false, 'missing_admission']])
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml', profile: 'strange' } })
  const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
  const { ending } = await until(async () => z.object({ ending: z.object({ exit_code: z.int() }).nullable() }).parse((await served.ask(`/runs/${run}`, { token: served.admin })).json()), (view) => view.ending !== null)
  assert.equal(ending?.exit_code, 3)
  assert.match((await served.ask(`/runs/${run}/report`, { token: served.admin })).text, /"missing_admission"/)
  for (const probe of await probesOf(made)) assert.equal((await made.portcullis(['verify', probe])).code, 0)
})

verifies('MC-106', 'a probe says nothing of a profile that means another model today: it is unknown until it is asked again, which is at once', async (context) => {
  const made = await scenario(context)
  made.set(CONFIGURATION, ['health'], { onStart: true, every: '24h', maxAge: '26h' })
  const served = await servedApi(context, made.directory)
  await until(() => profilesOf(served), ([profile]) => profile?.routable === true)
  const first = await probesOf(made)
  // A provider that takes its time: what is told until it has answered is what is known of it.
  const slow = await startScriptedProvider({ port: 0, script: { ...AGREEABLE, faults: [{ on: { always: true }, fault: { slow: '1500ms' } }] } })
  context.after(() => slow.close())
  made.set(RECORD, ['endpoint'], `${slow.url}/v1`)
  made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], `${slow.url}/v1`)
  assert.deepEqual((await profilesOf(served)).map(({ health, routable }) => [health, routable]), [['unknown', false]])
  await until(() => profilesOf(served), ([profile]) => profile?.routable === true)
  const second = await probesOf(made)
  assert.equal(second.length, first.length + 1)
  // Something else of the file is no other meaning.
  made.set(CONFIGURATION, ['health', 'maxAge'], '27h')
  assert.deepEqual((await profilesOf(served)).map(({ health }) => health), ['healthy'])
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  assert.equal((await probesOf(made)).length, second.length)
})

verifies('MC-103 MC-106', 'profiles are probed at the interval; a restart forgets nothing, and of two servers on one ledger one alone makes a probe', async (context) => {
  const made = await twoProfiles(context, { onStart: false, every: '24h', maxAge: '26h' })
  const served = await servedApi(context, made.directory)
  await until(() => profilesOf(served), (all) => all.every(({ health }) => health !== 'unknown'))
  assert.equal((await probesOf(made)).length, 2, 'one that was never asked is due')
  assert.equal(await served.end('SIGKILL'), null)
  const again = await servedApi(context, made.directory)
  assert.deepEqual((await profilesOf(again)).map(({ health }) => health), ['healthy', 'unhealthy'], 'known from the ledger')
  const beside = await servedApi(context, made.directory)
  // A profile that is new is asked at the next look, by one of the two; whatever else was due would have been asked by then.
  made.set(CONFIGURATION, ['profiles', 'new'], { ...PLAIN, model: 'scripted/coder-2' })
  for (const server of [again, beside]) await until(() => profilesOf(server), (all) => all.length === 3 && all.every(({ health }) => health !== 'unknown'))
  assert.equal((await probesOf(made)).length, 3, 'no other is due for a day')
  made.remove(CONFIGURATION, ['profiles', 'new'])

  // Now each second. The pair takes longer than that to answer.
  for (const server of [again, beside]) await server.end()
  const slow = await startScriptedProvider({ port: 0, script: { ...AGREEABLE, faults: [{ on: { always: true }, fault: { slow: '1500ms' } }] } })
  context.after(() => slow.close())
  made.remove(CONFIGURATION, ['profiles', 'strange'])
  made.set(CONFIGURATION, ['health', 'every'], '1s')
  made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], `${slow.url}/v1`)
  made.set(RECORD, ['endpoint'], `${slow.url}/v1`)
  const both = [await servedApi(context, made.directory), await servedApi(context, made.directory)]
  await until(() => probesOf(made), (probes) => probes.length >= 7)
  for (const server of both) await server.end()
  const runs = z.array(z.object({ kind: z.string(), startedAt: z.string(), endedAt: z.string().nullable() })).parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout)).filter(({ kind }) => kind === 'probe').toReversed().slice(3)
  for (const [index, { startedAt }] of runs.entries()) {
    const before = runs[index - 1]
    assert.ok(before === undefined || (before.endedAt !== null && before.endedAt <= startedAt), `${startedAt} began while another went on`)
  }
})
