import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import * as z from 'zod'
import { sha256 } from '../../src/contract/canonical.ts'
import { AcceptanceEvidence, AcceptanceFacts } from '../../src/gates/acceptance/index.ts'
import { inBrowser } from '../helpers/browser.ts'
import { probesExample } from '../helpers/example-probes.ts'
import { verifies } from '../verifies.ts'

/** The binding that the acceptance gate judged by, as it lies in the ledger. */
function storedBinding(directory: string, runId: string): readonly { readonly probe: string }[] {
  const database = new DatabaseSync(join(directory, '.portcullis/ledger.db'), { readOnly: true })
  try {
    const rows = database.prepare("SELECT body FROM entry WHERE run_id = ? AND kind = 'evidence'").all(runId)
    const facts = rows.map(({ body }) => z.object({ predicateType: z.string(), predicate: z.unknown() }).parse(JSON.parse(String(body)))).filter(({ predicateType }) => predicateType === AcceptanceEvidence.type)
    return facts.flatMap(({ predicate }) => AcceptanceFacts.parse(predicate).binding)
  } finally {
    database.close()
  }
}

verifies('ACC-09', 'the probes of a run are those of its class in declared order, and the binding is stored with the run', async (context) => {
  const example = await probesExample(context)
  const path = join(example.directory, 'portcullis.yaml')
  writeFileSync(path, readFileSync(path, 'utf8').replace('command-line-tool: { completion: product, probes: [repository-tests, counts-words] }', 'command-line-tool: { completion: product, probes: [counts-words, documented, repository-tests] }'))
  const { report } = await example.run('word-count', 'good')
  assert.equal(report.status, 'pass', report.summary)
  const order = ['counts-words', 'documented', 'repository-tests']
  assert.deepEqual(report.runtime_probe_evidence.filter(({ phase }) => phase === 'result').map(({ probe }) => probe), order)
  assert.deepEqual(storedBinding(example.directory, report.run_id).map(({ probe }) => probe), order)
})

/** What stops the bad agent of each task, as a person reads it. */
const TASKS = [
  { task: 'word-count', kind: 'headless_run', bad: /^1 of 2 probes did not pass: repository-tests: exited 1 where 0 was expected, after / },
  { task: 'notes', kind: 'api_smoke', bad: /^1 of 1 probes did not pass: notes-service: POST \/notes: answered 201, not 4xx, to a body that is no JSON$/ },
  { task: 'walk', kind: 'sim_trace', bad: /^1 of 1 probes did not pass: walk-trace: the second run with seed 7 printed another trace \([0-9a-f]{12}\) than the first \([0-9a-f]{12}\)$/ },
] as const

for (const { task, kind, bad } of TASKS) {
  verifies('ACC-10 ACC-16 ACC-36', `${kind}: the example with a good agent is accepted, with a bad one it is not, in words that a person understands`, async (context) => {
    const example = await probesExample(context)
    const accepted = await example.run(task, 'good')
    assert.deepEqual([accepted.code, accepted.report.status, accepted.report.reason], [0, 'pass', null], accepted.report.summary)
    assert.ok(accepted.report.runtime_probe_evidence.some((record) => record.kind === kind && record.phase === 'result' && record.status === 'passed'))
    const refused = await example.run(task, 'bad')
    assert.deepEqual([refused.code, refused.report.status, refused.report.reason], [4, 'fail', 'probe_failed'])
    assert.match(refused.report.gates.find(({ gate }) => gate === 'acceptance')?.message ?? '', bad)
    assert.equal(refused.report.exit?.claimed_status, accepted.report.exit?.claimed_status, 'both agents say the same')
    for (const { report } of [accepted, refused]) assert.equal((await example.portcullis(['verify', report.run_id])).code, 0)
  })
}

verifies('ACC-51 ACC-10', 'render_hash: nothing passes before a person has approved the picture, then the good agent does and the bad one does not', inBrowser(async (context) => {
  const example = await probesExample(context)
  const first = await example.run('price-list', 'good')
  assert.deepEqual([first.code, first.report.reason, first.report.terminal_state.human_input_required], [4, 'approval_missing', true])
  const message = first.report.gates.find(({ gate }) => gate === 'acceptance')?.message ?? ''
  assert.ok(message.includes(`look at backend/probe-price-list-page-result.png of the run, then: npx portcullis approve render ${first.report.run_id} --probe price-list-page --by <who> --reason <why>`), message)
  const picture = join(first.runDirectory, 'backend/probe-price-list-page-result.png')
  assert.ok(existsSync(picture))

  const nameless = await example.portcullis(['approve', 'render', first.report.run_id, '--reason', 'as the design'])
  assert.equal(nameless.code, 2)
  assert.match(nameless.stderr, /nothing given for --by/)
  assert.equal((await example.portcullis(['approve', 'render', first.report.run_id, '--by', ' ', '--reason', 'x'])).code, 2)
  assert.equal((await example.portcullis(['approve', 'render', 'no-such-thing', '--by', 'J. Doe', '--reason', 'x'])).code, 2)
  assert.equal((await example.run('price-list', 'good')).report.reason, 'approval_missing', 'nothing was approved by that')

  const approved = await example.portcullis(['approve', 'render', 'price-list-page', '--by', 'J. Doe', '--reason', 'as the design', '--json'])
  assert.equal(approved.code, 0, approved.stderr)
  const approval = JSON.parse(approved.stdout) as { approval_id: string; image: { sha256: string }; approved_by: string; reason: string }
  assert.deepEqual([approval.image.sha256, approval.approved_by, approval.reason], [sha256(readFileSync(picture)), 'J. Doe', 'as the design'])
  assert.equal((await example.portcullis(['verify', approval.approval_id])).code, 0)
  assert.match((await example.portcullis(['runs'])).stdout, new RegExp(`${approval.approval_id} +recorded \\(approval\\)`))

  const accepted = await example.run('price-list', 'good')
  assert.deepEqual([accepted.code, accepted.report.status], [0, 'pass'], accepted.report.summary)
  const refused = await example.run('price-list', 'bad')
  assert.deepEqual([refused.code, refused.report.reason], [4, 'probe_failed'])
  assert.match(refused.report.gates.find(({ gate }) => gate === 'acceptance')?.message ?? '', /price-list-page: does not look as approved in \S+: [\d.]+ % of the pixels changed \(at most 0\.1 %\), distance [\d.]+ % \(at most 2 %\); see backend\/probe-price-list-page-result\.difference\.png$/)
  assert.ok(existsSync(join(refused.runDirectory, 'backend/probe-price-list-page-result.difference.png')))
  assert.equal((await example.portcullis(['verify', refused.report.run_id])).code, 0)
}))

test('render_hash: a picture that is not the one of the run is not approved', inBrowser(async (context) => {
  const example = await probesExample(context)
  const { report, runDirectory } = await example.run('price-list', 'good')
  writeFileSync(join(runDirectory, 'backend/probe-price-list-page-result.png'), readFileSync(join(runDirectory, 'report.json')))
  const answer = await example.portcullis(['approve', 'render', report.run_id, '--by', 'J. Doe', '--reason', 'as the design'])
  assert.equal(answer.code, 1)
  assert.match(answer.stderr, /it does not verify: file_changed at backend\/probe-price-list-page-result\.png/)
}))

test('render_hash: without its browser the run says so', async (context) => {
  const example = await probesExample(context)
  appendFileSync(join(example.directory, 'portcullis.yaml'), '\nbrowser: { program: /no/such/browser, sandbox: true }\n')
  const { code, report } = await example.run('price-list', 'good')
  assert.deepEqual([code, report.reason], [4, 'probe_error'])
  assert.match(report.gates.find(({ gate }) => gate === 'acceptance')?.message ?? '', /the browser that portcullis\.yaml names is not there, or is no program/)
})
