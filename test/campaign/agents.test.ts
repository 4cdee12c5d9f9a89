import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { assistantPlaces } from '../helpers/assistant.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, RECORD, scenario, type Scenario } from '../e2e/scenario.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/concierge')
const AGENT = ['agents', 'concierge'] as const

/** The example of the concierge on ports of its own, with a scripted model of its own. */
async function concierge(context: TestContext): Promise<Scenario> {
  const made = await scenario(context)
  const places = await assistantPlaces()
  for (const name of ['agent.mjs', 'seed', CONFIGURATION, RECORD]) {
    rmSync(join(made.directory, name), { recursive: true, force: true })
    cpSync(join(EXAMPLE, name), join(made.directory, name), { recursive: true })
  }
  made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], `${made.provider.url}/v1`)
  made.set(RECORD, ['endpoint'], `${made.provider.url}/v1`)
  made.set(CONFIGURATION, ['profiles', 'concierge', 'command'], ['node', join(made.directory, 'agent.mjs'), String(places.port), String(places.mcpPort)])
  made.set(CONFIGURATION, [...AGENT, 'cardUrl'], places.cardUrl)
  made.set(CONFIGURATION, [...AGENT, 'allow'], places.allow)
  made.set(CONFIGURATION, [...AGENT, 'expects', 'mcpServers', 'workspaces', 'url'], places.mcpUrl)
  return made
}

const Fleet = z.object({
  agents: z.array(z.object({ name: z.string(), state: z.string().nullable(), reason: z.string().nullable(), stage: z.string().nullable(), message: z.string().nullable(), routable: z.boolean(), run_id: z.string().nullable(), expected: z.looseObject({ tools: z.array(z.string()) }), observed: z.looseObject({ tools: z.array(z.string()) }).nullable() })),
  deployments: z.array(z.object({ deployment: z.string(), total: z.number(), healthy: z.number(), unready: z.number() })),
})
const listed = async (made: Scenario) => Fleet.parse(JSON.parse((await made.portcullis(['agents', 'list', '--json'])).stdout))

verifies('RDY-25 RDY-26 RDY-32 RDY-40 RDY-42 RDY-43 RDY-49', 'the concierge without its seed fails with all that is missing; with it the same program passes', async (context) => {
  const made = await concierge(context)
  made.remove(CONFIGURATION, [...AGENT, 'provisioner', 'seed'])
  const began = performance.now()
  const refused = await made.portcullis(['agents', 'start', '--wait'])
  assert.equal(refused.code, 4, refused.stdout + refused.stderr)
  assert.ok(performance.now() - began < 60_000, 'it did not wait out the 300 s that the agent has')
  assert.match(refused.stdout, /No agent is ready, so nothing more is started/)
  const bare = await listed(made)
  assert.partialDeepStrictEqual(bare.agents[0], { state: 'failed', reason: 'MISSING_IDENTITY', stage: 'readiness', routable: false })
  for (const part of ['MISSING_IDENTITY', 'MISSING_MODEL', 'MISSING_MCP_SERVER', 'MISSING_TOOL']) assert.ok(bare.agents[0]?.message?.includes(part), part)
  assert.deepEqual([bare.agents[0]?.expected.tools, bare.agents[0]?.observed?.tools], [['create_workspace'], []])
  assert.deepEqual(bare.deployments, [{ deployment: 'front-desk', total: 1, healthy: 0, unready: 1 }])
  // What is told in a test environment is told everywhere: the reason does not depend on who asks, or how.
  const shown = await made.portcullis(['agents', 'show', 'concierge'])
  assert.match(shown.stdout, /failed MISSING_IDENTITY[\s\S]*Identity +False +MISSING_IDENTITY[\s\S]*Model +False +MISSING_MODEL[\s\S]*provisioning → failed {2}readiness/)

  made.set(CONFIGURATION, [...AGENT, 'provisioner', 'seed'], 'seed')
  const passed = await made.portcullis(['agents', 'start', 'concierge', '--wait', '--json'])
  assert.equal(passed.code, 0, passed.stdout + passed.stderr)
  assert.match(passed.stdout, /"state":"online"/)
  const seeded = await listed(made)
  assert.deepEqual(seeded.agents[0]?.observed?.tools, ['create_workspace'])
  // It ended with the command that kept it.
  assert.partialDeepStrictEqual(seeded.agents[0], { state: 'offline', routable: false })
  for (const { run_id: runId } of [...bare.agents, ...seeded.agents]) {
    assert.deepEqual(readdirSync(join(made.directory, '.portcullis/runs', runId ?? '')).sort(), ['backend', 'workspace'], 'output that nobody has scanned does not stay')
    const verified = await made.portcullis(['verify', runId ?? ''])
    assert.equal(verified.code, 0, verified.stdout)
  }
})

verifies('RDY-29 RDY-30 RDY-31', 'a check that found nothing to check fails, one that skipped something is no pass, and with REQUIRE_LIVE it exits 5', async (context) => {
  const made = await concierge(context)
  const check = async (...args: readonly string[]) => {
    const { code, stdout } = await made.portcullis(['agents', 'check', '--json', ...args])
    return [code, z.object({ verdict: z.string(), passed: z.array(z.string()), failed: z.array(z.string()), skipped: z.array(z.string()) }).parse(JSON.parse(stdout))]
  }
  const skipped = { verdict: 'incomplete', passed: [], failed: [], skipped: ['concierge'] }
  assert.deepEqual(await check(), [0, skipped])
  assert.deepEqual(await check('--require-live'), [5, skipped])
  made.env['REQUIRE_LIVE'] = '1'
  assert.deepEqual(await check(), [5, skipped])
  made.remove(CONFIGURATION, ['agents'])
  assert.deepEqual(await check(), [4, { verdict: 'fail', passed: [], failed: [], skipped: [] }])
  const none = await made.portcullis(['agents', 'start', '--wait'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /none in portcullis\.yaml/)
})

verifies('RDY-48', 'what failed is told by its stage and reason; the commit that the project was at stands beside it, and a new commit changes neither', async (context) => {
  const made = await concierge(context)
  made.remove(CONFIGURATION, [...AGENT, 'provisioner', 'seed'])
  const shown = async () => z.looseObject({ stage: z.string(), reason: z.string(), message: z.string(), head_commit: z.string().nullable() }).parse(JSON.parse((await made.portcullis(['agents', 'show', 'concierge', '--json'])).stdout))
  const git = (...args: readonly string[]): string => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: made.directory, encoding: 'utf8' }).trim()
  assert.equal((await made.portcullis(['agents', 'start', '--wait'])).code, 4)
  const before = await shown()
  assert.equal(before.head_commit, null, 'no repository, so no commit')
  git('init', '--quiet')
  for (const subject of ['the fix of an address', 'another']) {
    git('commit', '--quiet', '--allow-empty', '--no-gpg-sign', '-m', subject)
    assert.equal((await made.portcullis(['agents', 'start', '--wait'])).code, 4)
    const { head_commit: commit, ...told } = await shown()
    assert.equal(commit, git('rev-parse', 'HEAD'))
    assert.deepEqual([told.stage, told.reason, told.message], [before.stage, before.reason, before.message])
    assert.equal(JSON.stringify([told.stage, told.reason, told.message]).includes(commit ?? ''), false)
  }
})

test('an agent that nobody knows is a mistake of the caller', async (context) => {
  const made = await concierge(context)
  for (const args of [['agents', 'show', 'nobody'], ['agents', 'start', 'nobody', '--wait']]) assert.equal((await made.portcullis(args)).code, 2, args.join(' '))
})
