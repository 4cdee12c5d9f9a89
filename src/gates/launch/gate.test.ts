import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Finding } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { proofOf } from '../../../test/helpers/proofs.ts'
import { verifies } from '../../../test/verifies.ts'
import { launchGate, launchProof } from './gate.ts'
import { LaunchEvidence, type LaunchFacts } from './launch-facts.ts'
import { type LaunchPlan, planDigest } from './launch-plan.ts'
import { liesInside } from './paths.ts'

const digest = 'a'.repeat(64)
const run = '/state/runs/20261120T213918Z-r1-1'

const plan: LaunchPlan = {
  agent: 'pi',
  version: { required: '0.87.1', found: '0.87.1' },
  program: { path: '/opt/pi/cli.js', sha256: digest },
  programFolder: null,
  programFiles: [],
  executable: { path: '/opt/node', identity: `sha256:${digest}` },
  argv: ['/opt/node', '/opt/pi/cli.js'],
  environmentNames: ['HOME', 'PATH', 'PORTCULLIS_RUN_TOKEN'],
  environmentSettings: { PI_OFFLINE: '1' },
  environmentDigest: digest,
  home: `${run}/agent/home`,
  configuration: `${run}/agent/home/.pi/agent`,
  workspace: `${run}/workspace`,
  temporary: `${run}/agent/temporary`,
  readable: ['/opt/pi'],
  files: [{ path: `${run}/agent/home/.pi/agent/models.json`, sha256: digest }],
  permissions: { mode: 'accept-edits', enforcedBy: 'the list of its tools' },
  dialect: 'openai-chat',
  model: { provider: 'scripted', model: 'coder-1' },
  effort: null,
  context: null,
}

const good: LaunchFacts = {
  observedAt: '2026-11-20T21:39:18.000Z',
  validForMs: 60_000,
  plan,
  refusal: null,
  isolation: { required: 'env', reached: 'env', obstacle: null },
  runDirectory: run,
  secretsFound: [],
  inheritedNames: ['PATH'],
  limits: { unenforceable: [] },
}

const decide = (facts: LaunchFacts): Finding => launchGate.decide(LaunchEvidence.schema.parse(facts), [digest])

const withPlan = (change: Partial<LaunchPlan>): LaunchFacts => ({ ...good, plan: { ...plan, ...change } })

function blocks(facts: LaunchFacts, reason: Reason): Extract<Finding, { outcome: 'block' }> {
  const finding = decide(facts)
  assert.equal(finding.outcome, 'block')
  if (finding.outcome !== 'block') throw new Error('unreachable')
  assert.equal(finding.reason, reason)
  assert.deepEqual(finding.evidence, [digest])
  for (const part of [finding.message, finding.asked, finding.found, finding.remedy]) assert.notEqual(part, '')
  return finding
}

test('a launch that stays in its run directory, with no secret in reach, passes until its facts expire', () => {
  assert.deepEqual(decide(good), {
    outcome: 'pass',
    message: 'pi 0.87.1, isolation env',
    evidence: [digest],
    expiresAt: new Date('2026-11-20T21:40:18.000Z'),
  })
})

test('an agent without a version shows none', () => {
  const finding = decide(withPlan({ agent: 'command', version: { required: null, found: '' } }))
  assert.equal(finding.outcome === 'pass' && finding.message, 'command, isolation env')
})

test('the refusal of an adapter is the block, whatever else is in the facts', () => {
  const refusal = { reason: 'agent_not_installed', message: 'pi was not found.', asked: 'pi', found: 'no such program', remedy: 'Install it.' } as const
  assert.deepEqual(blocks({ ...good, plan: null, refusal }, 'agent_not_installed').found, 'no such program')
  blocks({ ...good, refusal }, 'agent_not_installed')
})

test('neither a plan nor a refusal is no launch', () => {
  blocks({ ...good, plan: null }, 'launch_plan_unsafe')
})

test('another version than the profile names is refused, also an unknown one and a longer one', () => {
  for (const found of ['0.87.0', '0.87.10', '', '1.0.0']) {
    assert.equal(blocks(withPlan({ version: { required: '0.87.1', found } }), 'agent_version_mismatch').found, found === '' ? 'pi of an unknown version' : `pi ${found}`)
  }
  assert.equal(decide(withPlan({ version: { required: null, found: '0.1.0' } })).outcome, 'pass')
})

verifies('ISO-01', 'every isolation above the reached one blocks, every one at or below passes', () => {
  const levels = ['none', 'env', 'fs', 'network'] as const
  levels.forEach((required, needed) => {
    levels.forEach((reached, got) => {
      const facts = { ...good, isolation: { required, reached, obstacle: null } }
      if (got < needed) blocks(facts, 'isolation_not_reached')
      else assert.equal(decide(facts).outcome, 'pass', `${required} required, ${reached} reached`)
    })
  })
})

test('a level that is not reached is refused with what stood in its way', () => {
  const isolation = { required: 'network', reached: 'env', obstacle: 'bubblewrap (bwrap) is not on PATH' } as const
  assert.equal(blocks({ ...good, isolation }, 'isolation_not_reached').found, 'isolation env: bubblewrap (bwrap) is not on PATH')
  assert.equal(blocks({ ...good, isolation: { ...isolation, obstacle: null } }, 'isolation_not_reached').found, 'isolation env')
})

test('what an agent may read beside the system shows it no other run', () => {
  for (const path of ['/', '/state', '/state/runs', run, `${run}/..`, `${run}/x/../..`, 'relative']) {
    assert.match(blocks(withPlan({ readable: ['/opt/pi', path] }), 'launch_plan_unsafe').found, /^readable .* would show the agent the runs$/)
  }
  for (const path of ['/opt', '/state-of-others', `${run}/workspace/node_modules`]) assert.equal(decide(withPlan({ readable: [path] })).outcome, 'pass')
})

verifies('ISO-04', 'home, configuration, temporary and workspace must lie in the run directory', () => {
  for (const name of ['home', 'configuration', 'temporary', 'workspace'] as const) {
    for (const path of ['/home/user', run, `${run}/../other`, `${run}-other/x`, 'relative/path', `${run}/a/../../b`]) {
      const finding = blocks(withPlan({ [name]: path, files: [] }), 'launch_plan_unsafe')
      assert.match(finding.found, new RegExp(`${name} .* is outside the run directory`))
    }
  }
  assert.equal(decide(withPlan({ home: `${run}/x/../agent/home` })).outcome, 'pass')
})

test('the settings of the agent may not lie in the workspace, nor the workspace in them', () => {
  for (const name of ['home', 'configuration', 'temporary'] as const) {
    for (const path of [`${run}/workspace`, `${run}/workspace/.pi`]) {
      assert.match(blocks(withPlan({ [name]: path, files: [] }), 'launch_plan_unsafe').found, new RegExp(`${name} .* overlaps the workspace`))
    }
  }
  assert.match(blocks(withPlan({ workspace: `${run}/agent/home/work` }), 'launch_plan_unsafe').found, /overlaps the workspace/)
})

test('a planned file outside home, configuration and temporary is refused', () => {
  for (const path of ['/home/user/.pi/agent/models.json', `${run}/workspace/.pi/settings.json`, `${run}/models.json`]) {
    assert.match(blocks(withPlan({ files: [{ path, sha256: digest }] }), 'launch_plan_unsafe').found, /is outside home, configuration and temporary/)
  }
})

verifies('SEC-01', 'a credential in argv, environment or a file of the launch is refused, and only the surface is named', () => {
  for (const surface of ['argv', 'environment:OPENAI_API_KEY', `file:${run}/agent/home/.pi/agent/models.json`]) {
    assert.equal(blocks({ ...good, secretsFound: [surface] }, 'launch_plan_unsafe').found, `a credential in ${surface}`)
  }
})

verifies('ISO-04 ADM-E6', 'a variable inherited from our own environment outside the allow-list is refused', () => {
  for (const name of ['GITHUB_TOKEN', 'GH_TOKEN', 'AWS_PROFILE', 'XDG_CONFIG_HOME', 'CASE_MODEL_OVERRIDE', 'NODE_OPTIONS', 'HOME', 'HTTPS_PROXY']) {
    assert.match(blocks({ ...good, inheritedNames: ['PATH', name] }, 'launch_plan_unsafe').found, new RegExp(`variable ${name} inherited`))
  }
  assert.match(blocks({ ...good, inheritedNames: ['TZ'] }, 'launch_plan_unsafe').found, /variable TZ is not in the plan/)
})

test('all that is unsafe is named together', () => {
  const { found } = blocks({ ...withPlan({ home: '/root' }), secretsFound: ['argv'], inheritedNames: ['GH_TOKEN'] }, 'launch_plan_unsafe')
  for (const part of [/home \/root/, /a credential in argv/, /variable GH_TOKEN/]) assert.match(found, part)
})

verifies('MC-131', 'a permission mode that nothing enforces is refused; the mode stands in the plan', () => {
  for (const mode of ['read-only', 'ask', 'accept-edits', 'bypass'] as const) {
    assert.equal(blocks(withPlan({ permissions: { mode, enforcedBy: null } }), 'permission_mode_unsupported').asked, `permissions: ${mode}`)
  }
})

test('a limit that cannot be enforced is refused', () => {
  assert.equal(blocks({ ...good, limits: { unenforceable: ['cost: the model has no price'] } }, 'limit_not_enforceable').found, 'cost: the model has no price')
})

test('a relative path lies nowhere, wherever we happen to stand', () => {
  const below = join(process.cwd(), 'below')
  assert.deepEqual([liesInside(process.cwd(), 'below'), liesInside('.', below), liesInside('.', './below')], [false, false, false])
  assert.deepEqual([liesInside(process.cwd(), below), liesInside('/', '/a'), liesInside('/a', '/a/..b')], [true, true, true])
})

test('the permit holds the plan and its digest', async () => {
  const permit = await proofOf(launchGate, launchProof, good, new Date(good.observedAt))
  assert.deepEqual([permit.plan, permit.planDigest, permit.isolation], [plan, planDigest(plan), 'env'])
})
