import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { type Stage, stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { renderCtrf, renderJunit } from '../gates/report/index.ts'

/** As ctrf.io has it, every field that we write and no other. */
const Count = z.int().nonnegative()
const Ctrf = z.strictObject({
  reportFormat: z.literal('CTRF'),
  specVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  timestamp: z.iso.datetime(),
  generatedBy: z.string(),
  extra: z.record(z.string(), z.unknown()),
  results: z.strictObject({
    tool: z.strictObject({ name: z.string().min(1), version: z.string() }),
    summary: z.strictObject({ tests: Count, passed: Count, failed: Count, skipped: Count, pending: Count, other: Count, start: Count, stop: Count }),
    tests: z.array(z.strictObject({ name: z.string().min(1), status: z.enum(['passed', 'failed', 'skipped', 'pending', 'other']), duration: Count, suite: z.array(z.string()).min(1), message: z.string().optional(), rawStatus: z.string() })),
  }),
})

/** Elements and attributes of XML as we write it; whatever is left over is not well-formed. */
function elementsOf(xml: string): { name: string; attributes: Record<string, string> }[] {
  const elements: { name: string; attributes: Record<string, string> }[] = []
  const open: string[] = []
  const rest = xml.replace(/^<\?xml [^?]*\?>/, '').replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<>]*")*)(\/?)>/g, (_all, close: string, name: string, attributes: string, empty: string) => {
    if (close !== '') assert.equal(open.pop(), name)
    else {
      elements.push({ name, attributes: Object.fromEntries([...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value])) })
      if (empty === '') open.push(name)
    }
    return ''
  })
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest, /[<>]|&(?!amp;|lt;|gt;|quot;|apos;|#10;|#13;|#9;)/)
  return elements
}

const shown = async (t: TestContext, made: Stage) => {
  const { report } = await made.run()
  const elements = elementsOf(renderJunit(report))
  return { report, elements, ctrf: Ctrf.parse(JSON.parse(renderCtrf(report))), t }
}

verifies('EVD-13', 'an accepted run is nine gates, its items, its probes and itself, all of them passed', async (t) => {
  const { report, elements, ctrf } = await shown(t, await stage(t))
  const names = elements.filter((each) => each.name === 'testcase').map(({ attributes }) => `${attributes['classname']} ${attributes['name']}`)
  assert.deepEqual(names, [...LIFECYCLE.map((gate) => `portcullis.gates ${gate}`), 'portcullis.acceptance 1. The tests pass', 'portcullis.probes tests', `portcullis.run run ${report.run_id}`])
  assert.ok(!elements.some(({ name }) => ['failure', 'error', 'skipped'].includes(name)))
  const { tests: count, failures, errors, skipped } = elements[0]?.attributes ?? {}
  assert.deepEqual([count, failures, errors, skipped], ['12', '0', '0', '0'])
  assert.deepEqual([ctrf.results.summary.tests, ctrf.results.summary.passed, ctrf.results.summary.failed], [12, 12, 0])
})

verifies('EVD-13', 'a blocked run shows the gate that refused with reason and remedy, those that did not run as skipped, and fails as a whole', async (t) => {
  const { report, elements, ctrf } = await shown(t, await stage(t, { records: [] }))
  const failures = elements.filter((each) => each.name === 'failure').map(({ attributes }) => attributes['type'])
  assert.deepEqual(failures, ['missing_admission', 'missing_admission'])
  assert.equal(elements.filter((each) => each.name === 'skipped').length, 6)
  assert.match(renderJunit(report), /asked: [^]*&#10;found: [^]*&#10;do: /)
  assert.deepEqual(ctrf.results.tests.filter((test) => test.status === 'failed').map((test) => [test.suite[1], test.rawStatus]), [['gates', 'missing_admission'], ['run', 'missing_admission']])
  assert.equal(ctrf.results.summary.passed, 2)
})

verifies('EVD-13', 'a probe that failed or gave no answer is no pass on any page, and text of strangers stays text', async (t) => {
  const evil = 'a < b && c > "d" \u0001\u001b[31m]]> <testcase name="x"/> \ud800'
  for (const [status, element] of [['failed', 'failure'], ['error', 'error'], ['timed_out', 'error']] as const) {
    const made = await stage(t, { probe: (request, record) => (request.phase === 'result' ? { ...record, status, summary: evil.toWellFormed(), payload: { ...record.payload, exit_code: status === 'failed' ? 1 : null, signal: status === 'timed_out' ? 'SIGKILL' : null, error: status === 'error' ? 'ENOENT' : null } } : record) })
    const { report, elements, ctrf } = await shown(t, made)
    assert.ok(elements.some(({ name, attributes }) => name === element && attributes['type'] === status), status)
    assert.doesNotMatch(renderJunit(report), /[\u0000-\u0008\u000b-\u001f]/)
    assert.deepEqual(ctrf.results.tests.filter((test) => test.suite[1] === 'probes').map((test) => [test.status, test.rawStatus]), [['failed', status]])
    assert.equal(ctrf.results.tests.at(-1)?.status, 'failed')
  }
})
