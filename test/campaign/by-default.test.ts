import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { CONFIGURATION, runTask, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Every environment variable that the source names, but those that lead to programs, to another machine and to another store. */
function variablesOfTheSource(): string[] {
  const text = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts')).map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  const names = [...text.matchAll(/\b(PORTCULLIS_[A-Z_]+)\b|env(?:ironment)?(?:\['|\.)([A-Z][A-Z_]+)/g)].map(([, own, read]) => own ?? read ?? '')
  return [...new Set(names)].filter((name) => !['PATH', 'HOME', 'PORTCULLIS_SERVER', 'PORTCULLIS_TOKEN', 'PORTCULLIS_DATABASE_URL'].includes(name))
}

verifies('ACC-40', 'the gate is there without any variable, and no variable that Portcullis knows takes it away', async (t) => {
  const names = variablesOfTheSource()
  assert.ok(names.length > 3, names.join())
  for (const value of [undefined, '', '0', '1', 'off', 'false']) {
    const made = await scenario(t, { agent: 'idles.mjs' })
    if (value !== undefined) for (const name of names) made.env[name] = value
    const { report, result } = await runTask(made)
    assert.deepEqual([result.code, report.status, report.reason], [4, 'fail', 'probe_failed'], `${value}`)
  }
})

verifies('ACC-40', 'a variable that names another store starts nothing, whatever it holds', async (t) => {
  const made = await scenario(t)
  for (const value of ['off', 'postgres://keeper@127.0.0.1:1/ledger']) {
    made.env['PORTCULLIS_DATABASE_URL'] = value
    const { code, stdout } = await made.portcullis(['run', 'task.yaml', '--json'])
    assert.deepEqual([code, z.object({ error: z.object({ code: z.string() }) }).parse(JSON.parse(stdout)).error.code], [2, 'usage'])
  }
  assert.equal(made.provider.requests.length, 0)
})

verifies('ACC-40 ACC-14', 'work that is asked for without probes says so in the verdict, the report, on the screen and in the trace', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['taskClasses', 'code-change'], { completion: 'code', probes: [] })
  made.set('task.yaml', ['acceptance'], [])
  made.remove('task.yaml', ['baseline', 'reference'])
  const { report, runDirectory } = await runTask(made)
  const told = /completion code asks for no probe/
  assert.match(report.gates.find(({ gate }) => gate === 'acceptance')?.message ?? '', told)
  for (const file of ['report.md', 'trace.jsonl']) assert.match(readFileSync(join(runDirectory, file), 'utf8'), told, file)
  assert.match((await made.portcullis(['run', 'task.yaml'])).stdout, told)
})

verifies('ACC-13', 'only the task class that the operator names binds the probes: another, none and two are refused, and what was bound is evidence', async (t) => {
  const made = await scenario(t)
  const { report } = await runTask(made)
  assert.equal(report.status, 'pass')
  const Bound = z.array(z.object({ probe: z.string() }).loose())
  assert.deepEqual([...new Set(Bound.parse(report.runtime_probe_evidence).map(({ probe }) => probe))], ['repository-tests'])
  const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'), { readOnly: true })
  try {
    const stored = database.prepare(`SELECT body FROM entry WHERE run_id = ? AND kind = 'evidence'`).all(report.run_id).map(({ body }) => String(body)).filter((body) => body.includes('evidence/acceptance-probe/v1'))
    assert.equal(stored.length, report.runtime_probe_evidence.length)
    for (const body of stored) assert.ok(body.includes('"task_class":"code-change"'), body)
  } finally {
    database.close()
  }

  made.set('task.yaml', ['class'], 'code-chang')
  const unknown = await runTask(made)
  assert.deepEqual([unknown.result.code, unknown.report.reason, unknown.report.process_started], [3, 'task_class_unknown', false])

  const task = readFileSync(join(made.directory, 'task.yaml'), 'utf8')
  for (const text of [task.replace(/^class:.*\n/m, ''), `${task}\nclass: code-change\n`]) {
    made.write('task.yaml', text)
    const { code, stdout } = await made.portcullis(['run', 'task.yaml', '--json'])
    assert.equal(code, 2, stdout)
    assert.match(stdout, /class|stands twice/)
  }
})

verifies('ACC-72', 'the field of probe evidence has exactly the shape that its readers were promised, and stands beside what was there before it', async (t) => {
  const { report } = await runTask(await scenario(t))
  const Shape = z.object({ properties: z.object({ runtime_probe_evidence: z.object({ items: z.object({ required: z.array(z.string()), properties: z.record(z.string(), z.unknown()) }) }) }), required: z.array(z.string()) })
  const schema = Shape.parse(JSON.parse(readFileSync(join(ROOT, 'spec/report.schema.json'), 'utf8')))
  const promised = Object.keys(schema.properties.runtime_probe_evidence.items.properties).toSorted()
  assert.deepEqual(promised, PROMISED)
  assert.ok(report.runtime_probe_evidence.length > 0)
  for (const record of report.runtime_probe_evidence) assert.deepEqual(Object.keys(record).toSorted(), PROMISED)
  assert.ok(schema.required.includes('status') && schema.required.includes('gates') && schema.required.includes('reason'), 'what older readers read')
})

const PROMISED = ['duration_ms', 'evidence', 'kind', 'phase', 'probe', 'status', 'summary']
