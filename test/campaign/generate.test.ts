import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { generatedFaults, generatedFiles, runGenerate, withGateTable } from '../../scripts/generate.ts'
import { ERROR_TABLE } from '../../src/contract/errors.ts'
import { GATE_QUESTIONS, LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { REASON_TABLE, REASONS } from '../../src/contract/reasons.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = join(import.meta.dirname, '../..')
const README = '# Portcullis\n\n<!-- gates:begin -->\nold\n<!-- gates:end -->\n\nThe end.\n'
const quiet = (): void => {}

function freshRoot(test: TestContext): string {
  const directory = temporaryDirectory(test)
  writeFileSync(join(directory, 'README.md'), README)
  assert.equal(runGenerate(directory, [], quiet), 0)
  return directory
}

const faultsOf = (directory: string): string[] => generatedFaults(directory, generatedFiles(directory))
const read = (directory: string, path: string): string => readFileSync(join(directory, path), 'utf8')

test('the generated files of this repository are what their sources say', () => {
  assert.deepEqual(faultsOf(root), [])
})

test('what was just generated is current, and generating again changes nothing', (t) => {
  const directory = freshRoot(t)
  assert.equal(runGenerate(directory, ['--check'], quiet), 0)
  const before = [...generatedFiles(directory)]
  assert.equal(runGenerate(directory, [], quiet), 0)
  assert.deepEqual([...generatedFiles(directory)], before)
})

for (const [what, path, change, expected] of [
  ['a schema was edited', 'spec/task.schema.json', (text: string) => text.replace('"string"', '"number"'), 'spec/task.schema.json is not what its source generates'],
  ['one space was added', 'docs/reasons.md', (text: string) => `${text} `, 'docs/reasons.md is not what its source generates'],
  ['a gate was struck from the README', 'README.md', (text: string) => text.replace(/^\| 2 .*\n/m, ''), 'README.md is not what its source generates'],
] as const) {
  test(`the check fails when ${what}`, (t) => {
    const directory = freshRoot(t)
    writeFileSync(join(directory, path), change(read(directory, path)))
    assert.deepEqual(faultsOf(directory), [expected])
    assert.equal(runGenerate(directory, ['--check'], quiet), 1)
    assert.notEqual(read(directory, path), generatedFiles(directory).get(path), 'a check writes nothing')
  })
}

test('the check fails when a file is missing, and when a schema is left over', (t) => {
  const directory = freshRoot(t)
  rmSync(join(directory, 'spec/report.schema.json'))
  writeFileSync(join(directory, 'spec/old.schema.json'), '{}')
  assert.deepEqual(faultsOf(directory), ['spec/report.schema.json is missing', 'spec/old.schema.json is generated from nothing'])
})

test('a README without the markers, or with them the wrong way round, is refused', () => {
  for (const text of ['', '<!-- gates:begin -->', '<!-- gates:end --><!-- gates:begin -->']) assert.throws(() => withGateTable(text), /Expected README\.md to hold <!-- gates:begin -->/)
})

test('the README table holds every gate in order and leaves the rest of the file alone', () => {
  const text = withGateTable(README)
  assert.ok(text.startsWith('# Portcullis\n\n<!-- gates:begin -->\n| # |'))
  assert.ok(text.endsWith('<!-- gates:end -->\n\nThe end.\n'))
  const rows = [...text.matchAll(/^\| (\d) \| (\w+) \| (.*) \| `(\w+)` \|$/gm)].map(([, ...cells]) => cells)
  assert.deepEqual(rows, LIFECYCLE.map((gate, index) => [String(index + 1), gate, GATE_QUESTIONS[gate].question, GATE_QUESTIONS[gate].grants]))
})

test('docs/reasons.md lists every reason and every fault with its codes, and no other', () => {
  const text = read(root, 'docs/reasons.md')
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*?) \| (\d+) \| (\d+) \|(?: (\w+) \|)?$/gm)].map(([, ...cells]) => cells)
  assert.deepEqual(rows, [
    ...REASONS.map((reason) => [reason, REASON_TABLE[reason].title, String(REASON_TABLE[reason].exit), String(REASON_TABLE[reason].http), REASON_TABLE[reason].retry]),
    ...Object.entries(ERROR_TABLE).map(([code, row]) => [code, row.title, String(row.exit), String(row.http), undefined]),
  ])
})

const Published = z.looseObject({ $schema: z.literal('https://json-schema.org/draft/2020-12/schema'), $id: z.string(), title: z.string().min(1), description: z.string().min(1) })

for (const name of ['portcullis', 'task', 'aliases', 'admission-record', 'provider-script', 'report']) {
  test(`spec/${name}.schema.json is a JSON Schema that refuses what is not in it`, () => {
    const parsed: unknown = JSON.parse(read(root, `spec/${name}.schema.json`))
    assert.equal(Published.parse(parsed).$id, `https://portcullis.dev/spec/${name}.schema.json`)
    const schema = z.fromJSONSchema(parsed as Parameters<typeof z.fromJSONSchema>[0])
    assert.equal(schema.safeParse({}).success, false)
    assert.equal(schema.safeParse({ anything: true }).success, false)
  })
}

test('the published schema of a task takes a task and refuses an unknown field, a missing one and a wrong one', () => {
  const parsed: unknown = JSON.parse(read(root, 'spec/task.schema.json'))
  const schema = z.fromJSONSchema(parsed as Parameters<typeof z.fromJSONSchema>[0])
  const task = {
    id: 'r1',
    title: 'Implement slugify',
    class: 'code-change',
    purpose: 'ticket',
    profile: 'pi_scripted',
    repositories: [{ path: 'repository', branch: 'work' }],
    prompt: 'Implement it.',
    acceptance: [{ id: 1, text: 'The tests pass', probes: ['repository-tests'] }],
    baseline: { untouched: 'must-fail' },
  }
  assert.deepEqual(schema.safeParse(task).success, true)
  for (const changes of [{ profil: 'x' }, { purpose: undefined }, { repositories: [] }, { baseline: { untouched: 'may-pass' } }, { id: '../r1' }]) {
    assert.equal(schema.safeParse(JSON.parse(JSON.stringify({ ...task, ...changes }))).success, false, JSON.stringify(changes))
  }
})
