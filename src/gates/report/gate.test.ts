import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { REQUIRED_SURFACES, reportGate, type ReportFacts } from './index.ts'

const evidence = ['e'.repeat(64)] as const
const surface = (name: string, findings: { rule: string; offset: number; hash: string }[] = [], scanned = true) => ({ name, bytes: 10, sha256: 'a'.repeat(64), scanned, findings })
const facts = (over: Partial<ReportFacts> = {}): ReportFacts => ({
  observedAt: '2026-11-20T21:39:18.001Z',
  validForMs: 60_000,
  rules: 'known-values/v1',
  knownValues: 1,
  ledger: { rows: 30, root: 'b'.repeat(64) },
  expected: ['backend/agent.stdout.log'],
  surfaces: [...REQUIRED_SURFACES, 'backend/agent.stdout.log'].map((name) => surface(name)),
  ...over,
})
const leak = { rule: 'base64', offset: 7, hash: '0011223344556677' }

test('a run directory whose every artefact was scanned clean passes, with evidence and an expiry', () => {
  const finding = reportGate.decide(facts(), evidence)
  assert.deepEqual(finding, { outcome: 'pass', message: 'no secret in 4 artefacts', evidence, expiresAt: new Date('2026-11-20T21:40:18.001Z') })
})

verifies('ADM-X4', 'a finding in any artefact blocks, named by surface, rule and hash', () => {
  for (const name of facts().surfaces.map((each) => each.name)) {
    const surfaces = facts().surfaces.map((each) => (each.name === name ? surface(name, [leak]) : each))
    const finding = reportGate.decide(facts({ surfaces }), evidence)
    assert.equal(finding.outcome, 'block')
    assert.ok(finding.outcome === 'block' && finding.reason === 'secret_leak' && finding.found === `${name} (base64 at byte 7, #0011223344556677)`, name)
  }
})

for (const name of [...REQUIRED_SURFACES, 'backend/agent.stdout.log']) {
  verifies('SEC-07', `a scan without ${name} blocks`, () => {
    const finding = reportGate.decide(facts({ surfaces: facts().surfaces.filter((each) => each.name !== name) }), evidence)
    assert.ok(finding.outcome === 'block' && finding.reason === 'secret_scan_incomplete' && finding.found.includes(name))
  })
  verifies('SEC-07', `${name} that could not be scanned blocks`, () => {
    const finding = reportGate.decide(facts({ surfaces: facts().surfaces.map((each) => (each.name === name ? surface(name, [], false) : each)) }), evidence)
    assert.ok(finding.outcome === 'block' && finding.reason === 'secret_scan_incomplete' && finding.found.includes(name))
  })
}

test('a scan of nothing blocks', () => {
  const finding = reportGate.decide(facts({ surfaces: [], expected: [] }), evidence)
  assert.ok(finding.outcome === 'block' && finding.reason === 'secret_scan_incomplete')
})

test('two artefacts of one name block: one of them could hide the other', () => {
  const finding = reportGate.decide(facts({ surfaces: [...facts().surfaces, surface('report.json')] }), evidence)
  assert.ok(finding.outcome === 'block' && finding.reason === 'secret_scan_incomplete')
})

test('a leak is named as a leak even when the scan is incomplete as well', () => {
  const finding = reportGate.decide(facts({ surfaces: [surface('report.json', [leak])] }), evidence)
  assert.ok(finding.outcome === 'block' && finding.reason === 'secret_leak')
})
