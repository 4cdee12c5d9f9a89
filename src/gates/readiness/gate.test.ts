import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { proofOf } from '../../../test/helpers/proofs.ts'
import { verifies } from '../../../test/verifies.ts'
import { readinessGate, readinessProof } from './gate.ts'
import { ReadinessEvidence, type ReadinessFacts } from './readiness-facts.ts'

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string]
const none = { model: null, provider: null, version: null, effort: null }

const good: ReadinessFacts = {
  observedAt: '2026-11-20T21:39:18.000Z',
  validForMs: 30_000,
  planned: {
    planDigest: a,
    executable: { path: '/opt/node', identity: `sha256:${a}` },
    program: { path: '/opt/pi/cli.js', sha256: a },
    programFiles: [{ path: '/opt/extra.js', sha256: b }],
    argvDigest: c,
    workspace: '/run/workspace',
    files: [{ path: '/run/home/models.json', sha256: a }, { path: '/run/home/settings.json', sha256: b }],
    model: { provider: 'scripted', model: 'coder-1' },
    version: '0.87.1',
    effort: null,
  },
  observed: {
    pid: 4242,
    startTicks: 99,
    alive: true,
    executable: { path: '/opt/node', identity: `sha256:${a}` },
    program: { path: '/opt/pi/cli.js', sha256: a },
    programFiles: [{ path: '/opt/extra.js', sha256: b }],
    argvDigest: c,
    workspace: '/run/workspace',
    files: [{ path: '/run/home/models.json', sha256: a }, { path: '/run/home/settings.json', sha256: b }],
    responded: true,
    claims: { ...none, model: 'coder-1', provider: 'scripted' },
  },
}

const decide = (facts: ReadinessFacts): Finding => readinessGate.decide(ReadinessEvidence.schema.parse(facts), [a])
const observing = (change: Partial<ReadinessFacts['observed']>): ReadinessFacts => ({ ...good, observed: { ...good.observed, ...change } })

function blocks(facts: ReadinessFacts, reason: Reason): Extract<Finding, { outcome: 'block' }> {
  const finding = decide(facts)
  assert.equal(finding.outcome, 'block')
  if (finding.outcome !== 'block') throw new Error('unreachable')
  assert.equal(finding.reason, reason)
  assert.deepEqual(finding.evidence, [a])
  return finding
}

test('an agent that is what was planned passes until the observation expires', () => {
  assert.deepEqual(decide(good), {
    outcome: 'pass',
    message: 'program, version and configuration as planned',
    evidence: [a],
    expiresAt: new Date('2026-11-20T21:39:48.000Z'),
  })
})

test('an agent without an interface of its own passes on what was observed', () => {
  assert.equal(decide(observing({ responded: null, claims: none })).outcome, 'pass')
})

test('a process that is not alive did not start, whatever else is right', () => {
  blocks(observing({ alive: false }), 'agent_not_started')
  blocks(observing({ startTicks: null }), 'agent_not_started')
})

const differences: readonly (readonly [string, Partial<ReadinessFacts['observed']>, RegExp])[] = [
  ['an executable that cannot be observed', { executable: null }, /executable could not be observed/],
  ['another executable', { executable: { path: '/bin/sh', identity: `sha256:${a}` } }, /executable is \/bin\/sh, planned \/opt\/node/],
  ['an executable of other content', { executable: { path: '/opt/node', identity: `sha256:${b}` } }, /executable \/opt\/node has other content/],
  ['an executable of unknown content', { executable: { path: '/opt/node', identity: null } }, /executable \/opt\/node has other content/],
  ['a changed program', { program: { path: '/opt/pi/cli.js', sha256: b } }, /file \/opt\/pi\/cli\.js was changed/],
  ['a program that cannot be read', { program: { path: '/opt/pi/cli.js', sha256: null } }, /file \/opt\/pi\/cli\.js cannot be read/],
  ['another program', { program: { path: '/opt/other.js', sha256: a } }, /file \/opt\/pi\/cli\.js cannot be read/],
  ['a changed part of the program', { programFiles: [{ path: '/opt/extra.js', sha256: c }] }, /file \/opt\/extra\.js was changed/],
  ['a part of the program that is gone', { programFiles: [] }, /file \/opt\/extra\.js cannot be read/],
  ['other arguments', { argvDigest: b }, /arguments differ/],
  ['arguments that cannot be observed', { argvDigest: null }, /arguments could not be observed/],
  ['another working directory', { workspace: '/home/user' }, /working directory is \/home\/user, planned \/run\/workspace/],
  ['a working directory that cannot be observed', { workspace: null }, /working directory is unknown/],
  ['a changed file', { files: [{ path: '/run/home/models.json', sha256: c }, { path: '/run/home/settings.json', sha256: b }] }, /file \/run\/home\/models\.json was changed/],
  ['a file that is gone', { files: [{ path: '/run/home/models.json', sha256: a }, { path: '/run/home/settings.json', sha256: null }] }, /settings\.json cannot be read/],
  ['a file seen once as planned and once not', { files: [...good.observed.files, { path: '/run/home/models.json', sha256: b }] }, /models\.json was changed/],
  ['a file seen once not as planned and then as planned', { files: [{ path: '/run/home/models.json', sha256: b }, ...good.observed.files] }, /models\.json was changed/],
  ['files that were not looked at', { files: [] }, /models\.json cannot be read; file \/run\/home\/settings\.json cannot be read/],
]

for (const [name, change, found] of differences) {
  test(`${name} is not the agent that was planned`, () => {
    assert.match(blocks(observing(change), 'agent_not_as_planned').found, found)
  })
}

verifies('RDY-08', 'everything that differs is named in one verdict', () => {
  const { found, message } = blocks(
    observing({
      executable: { path: '/bin/sh', identity: `sha256:${a}` },
      program: { path: '/opt/pi/cli.js', sha256: b },
      programFiles: [],
      argvDigest: b,
      workspace: null,
      files: [{ path: '/run/home/models.json', sha256: c }],
      claims: { ...none, model: 'coder-2' },
    }),
    'agent_not_as_planned',
  )
  for (const part of [/executable/, /cli\.js/, /extra\.js/, /arguments/, /working directory/, /models\.json/, /settings\.json/, /model "coder-2"/]) assert.match(found, part)
  assert.match(message, /differs from its plan in 8 parts/)
})

for (const [name, claim] of [['model', 'coder-10'], ['provider', 'anthropic'], ['version', '0.87.2'], ['effort', 'high']] as const) {
  test(`an agent that says another ${name} than planned contradicts its plan`, () => {
    assert.match(blocks(observing({ claims: { ...none, [name]: claim } }), 'agent_not_as_planned').found, new RegExp(`the agent says ${name} "${claim}", planned ${name === 'effort' ? 'none' : '"'}`))
  })
}

verifies('RDY-10', 'what an agent says about itself satisfies no check', () => {
  const claims = { model: 'coder-1', provider: 'scripted', version: '0.87.1', effort: null }
  for (const [, change, found] of differences) assert.match(blocks(observing({ ...change, claims, responded: true }), 'agent_not_as_planned').found, found)
  blocks(observing({ alive: false, claims }), 'agent_not_started')
})

test('an agent that does not answer on its interface is not ready', () => {
  blocks(observing({ responded: false }), 'agent_not_ready')
})

test('the proof names the process for ever, and the plan it was held against', async () => {
  const ready = await proofOf(readinessGate, readinessProof, good, new Date(good.observedAt))
  assert.deepEqual([ready.pid, ready.startTicks, ready.planDigest], [4242, 99, a])
})
