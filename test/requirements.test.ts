import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { coverageFaults, readCoverage, runRequirements } from '../scripts/requirements.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'
import { requirementIds, verifies } from './verifies.ts'

// The calls are put together here so that no reader of this file takes them for its own.
const call = (ids: string, name = 'a test'): string => `verifies('${ids}', '${name}', () => {})\n`

const SOUND: Readonly<Record<string, string>> = {
  'spec/requirements/admission.md': '# Admission\n\n- **ADM-A1** (S) One.\n- **ADM-A2** (S) Two, unlike **ADM-A9**.\n',
  'spec/requirements/evidence.md': '- **EVD-01** One.\n',
  'spec/requirements/uncited.txt': '# heading\nEVD-01\n',
  'src/gates/admission/gate.test.ts': `import { verifies } from 'x'\n${call('ADM-A1 ADM-A2')}`,
  'test/a.test.ts': call('ADM-A2'),
}

function rootWith(test: TestContext, planted: Readonly<Record<string, string | undefined>> = {}): string {
  const root = temporaryDirectory(test)
  for (const [path, content] of Object.entries({ ...SOUND, ...planted })) {
    if (content === undefined) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

const faultsOf = (root: string): string[] => coverageFaults(root, readCoverage(root))
const HINT = 'if the tests are right: npm run requirements -- --write'

test('citations and definitions are counted, and what no test names is listed', (t) => {
  const root = rootWith(t)
  const coverage = readCoverage(root)
  assert.deepEqual(coverage, {
    files: [
      { file: 'admission.md', ids: ['ADM-A1', 'ADM-A2'], cited: ['ADM-A1', 'ADM-A2'] },
      { file: 'evidence.md', ids: ['EVD-01'], cited: [] },
    ],
    uncited: ['EVD-01'],
    unknown: [],
    unreadable: [],
    citations: 3,
  })
  assert.deepEqual(faultsOf(root), [])
})

for (const [what, planted, expected] of [
  ['a test cites an id that no file defines', { 'test/b.test.ts': `\n${call('ADM-A1 ADM-A9')}` }, ['test/b.test.ts:2 cites "ADM-A9", which no requirement file defines']],
  ['a test cites nothing', { 'test/b.test.ts': call('') }, ['test/b.test.ts:1 cites "", which no requirement file defines']],
  ['the ids of a test are computed', { 'test/b.test.ts': 'verifies(ids, name, () => {})' }, ['test/b.test.ts:1 calls verifies() with ids that are computed; write them as a text, so that they can be read without running the test']],
  ['no test cites anything', { 'test/a.test.ts': '', 'src/gates/admission/gate.test.ts': undefined, 'spec/requirements/uncited.txt': 'ADM-A1\nADM-A2\nEVD-01\n' }, ['no test cites any requirement']],
  ['a citation was lost', { 'src/gates/admission/gate.test.ts': call('ADM-A2') }, ['ADM-A1 is named by no test and is not in uncited.txt', HINT]],
  ['a citation was commented out', { 'src/gates/admission/gate.test.ts': `// ${call('ADM-A1')}` }, ['ADM-A1 is named by no test and is not in uncited.txt', HINT]],
  ['a citation stands in a text only', { 'src/gates/admission/gate.test.ts': `const text = \`${call('ADM-A1')}\`` }, ['ADM-A1 is named by no test and is not in uncited.txt', HINT]],
  ['a citation stands in no test file', { 'src/gates/admission/gate.test.ts': undefined, 'src/gates/admission/gate.ts': call('ADM-A1') }, ['ADM-A1 is named by no test and is not in uncited.txt', HINT]],
  ['a listed id is named now', { 'test/b.test.ts': call('EVD-01') }, ['EVD-01 is in uncited.txt, and a test names it or no file defines it', HINT]],
  ['a listed id is not defined any more', { 'spec/requirements/uncited.txt': 'EVD-01\nEVD-99\n' }, ['EVD-99 is in uncited.txt, and a test names it or no file defines it', HINT]],
  ['the list is missing', { 'spec/requirements/uncited.txt': undefined }, ['spec/requirements/uncited.txt is missing: npm run requirements -- --write']],
] as const) {
  test(`the check fails when ${what}`, (t) => {
    const root = rootWith(t, planted)
    assert.deepEqual(faultsOf(root), expected)
    assert.equal(runRequirements(root, ['--check'], () => {}), 1)
  })
}

test('the check fails when there are no requirements to check', (t) => {
  const root = rootWith(t, { 'spec/requirements/admission.md': '', 'spec/requirements/evidence.md': undefined, 'test/a.test.ts': undefined, 'src/gates/admission/gate.test.ts': undefined, 'spec/requirements/uncited.txt': '' })
  assert.deepEqual(faultsOf(root), ['no test cites any requirement', 'no requirement file defines any id'])
})

test('--write makes the check pass again, and is stable', (t) => {
  const root = rootWith(t, { 'test/b.test.ts': call('EVD-01'), 'src/gates/admission/gate.test.ts': undefined })
  assert.equal(runRequirements(root, ['--check'], () => {}), 1)
  assert.equal(runRequirements(root, ['--write'], () => {}), 0)
  assert.equal(runRequirements(root, ['--check'], () => {}), 0)
  const written = readFileSync(join(root, 'spec/requirements/uncited.txt'), 'utf8')
  assert.match(written, /^# .*\nADM-A1\n$/)
  runRequirements(root, ['--write'], () => {})
  assert.equal(readFileSync(join(root, 'spec/requirements/uncited.txt'), 'utf8'), written)
})

test('people get a table, programs get JSON', (t) => {
  const root = rootWith(t)
  const printed = (args: readonly string[]): string => {
    const parts: string[] = []
    runRequirements(root, args, (text) => parts.push(text))
    return parts.join('')
  }
  assert.equal(printed([]), 'admission.md     2 of    2\nevidence.md      0 of    1\ntotal            2 of    3\n\nnamed by no test:\nevidence.md: EVD-01\n')
  const parsed: unknown = JSON.parse(printed(['--json']))
  assert.deepEqual(parsed, { ...readCoverage(root), faults: [] })
})

test('a citation of an unknown id fails when the test file is loaded, too', () => {
  const register = verifies
  for (const ids of ['ADM-X99', '', 'ADM-A1  ADM-A2']) assert.throws(() => register(ids, 'never registered', () => {}), /No requirement file defines "/)
})

test('this program and verifies() know the same ids', () => {
  const ids = readCoverage(join(import.meta.dirname, '..')).files.flatMap((file) => file.ids)
  assert.ok(ids.length > 300, `${ids.length} ids`)
  assert.equal(new Set(ids).size, ids.length, 'no id is defined twice')
  assert.deepEqual(new Set(ids), requirementIds())
})
