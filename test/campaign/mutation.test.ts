import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isKilled, openResults } from '../../scripts/mutation/results.ts'
import { type Judged, runMutation } from '../../scripts/mutation/run.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const GATE = `export function judge(items: readonly string[], limit: number): string {
  if (items.length > limit) return 'too many'
  let index = 0
  while (index < items.length) {
    if (items[index] === 'bad') return 'bad'
    index += 1
  }
  return 'pass'
}
export const unasked = (one: boolean, other: boolean): boolean => one && other
`
const TEST = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from './gate.ts'

test('a bad item is refused', () => assert.equal(judge(['good', 'bad'], 5), 'bad'))
test('good items pass', () => assert.equal(judge(['good'], 5), 'pass'))
test('many items are refused', () => assert.equal(judge(['good', 'good', 'good'], 1), 'too many'))
`
const SAMPLES = 'export const sample = 1\n'

function rootWith(context: TestContext, changes: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory(context)
  const files = { 'package.json': '{ "type": "module" }', 'tsconfig.json': '{ "compilerOptions": { "strict": true, "noEmit": true, "allowImportingTsExtensions": true, "types": [] }, "include": ["src"] }', 'src/gates/toy/gate.ts': GATE, 'src/gates/toy/gate.test.ts': TEST, 'src/gates/toy/samples.test.ts': `import './gate.ts'\n${SAMPLES}`, ...changes }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'), 'dir')
  return root
}

async function mutate(root: string, chosen: (file: string) => boolean = () => true): Promise<Judged[]> {
  return runMutation({ root, scope: (file) => file.startsWith('src/gates/'), chosen, results: openResults(join(root, '.mutation/results.ndjson')), progress: () => {} })
}

const changeOf = ({ mutant: { from, to } }: Judged): string => `${from} → ${to}`

test('what a test notices is killed, what none notices survives, and what never ends is ended and named', async (context) => {
  const root = rootWith(context)
  const judged = await mutate(root)
  const outcome = (change: string): string | undefined => judged.find((each) => changeOf(each) === change)?.result.outcome
  assert.equal(outcome("items[index] === 'bad' → false"), 'killed')
  assert.equal(outcome('items.length > limit → false'), 'killed')
  assert.equal(outcome('items.length > limit → items.length >= limit'), 'survived', 'no test stands at the limit')
  assert.equal(outcome('index < items.length → index <= items.length'), 'survived', 'one step too far finds nothing')
  assert.equal(outcome('index += 1 → ;'), 'ended', 'a loop without end takes the process with it')
  assert.equal(outcome('one && other → true'), 'unreached')
  assert.equal(readFileSync(join(root, 'src/gates/toy/gate.ts'), 'utf8'), GATE)

  // A second run takes what still holds; a new test makes the first result history, and kills the survivor.
  const asked: string[] = []
  const again = openResults(join(root, '.mutation/results.ndjson'))
  const kept = await runMutation({ root, scope: (file) => file.startsWith('src/gates/'), chosen: () => true, results: { last: again.last, keep: ({ id }) => asked.push(id) }, progress: () => {} })
  assert.deepEqual([asked, kept.map(({ result }) => result)], [[], judged.map(({ result }) => result)])
  writeFileSync(join(root, 'src/gates/toy/gate.test.ts'), `${TEST}test('at the limit', () => assert.equal(judge(['good'], 1), 'pass'))\n`)
  const since = await mutate(root)
  assert.equal(since.find((each) => changeOf(each) === 'items.length > limit → items.length >= limit')?.result.by, 'src/gates/toy/gate.test.ts#at the limit')
  assert.equal(since.filter(({ result }) => isKilled(result)).length, judged.filter(({ result }) => isKilled(result)).length + 1)
})

test('nothing is measured on red tests, on none, on nothing chosen, or on tests that depend on the order', async (context) => {
  const red = rootWith(context, { 'src/gates/toy/gate.test.ts': TEST.replace("'pass'))", "'never'))") })
  await assert.rejects(mutate(red), /The unmutated source is red/)
  const skipped = rootWith(context, { 'src/gates/toy/gate.test.ts': TEST.replace("test('good items pass', ", "test('good items pass', { skip: true }, ") })
  await assert.rejects(mutate(skipped), /The unmutated source is red/)
  const none = rootWith(context, { 'src/gates/toy/gate.test.ts': 'export {}\n', 'src/gates/toy/samples.test.ts': SAMPLES })
  await assert.rejects(mutate(none), /No test loads what is to be mutated/)
  await assert.rejects(mutate(rootWith(context), (file) => file === 'src/gates/toy/none.ts'), /No file is chosen/)
  const shared = rootWith(context, { 'src/gates/toy/other.test.ts': "import './gate.test.ts'\n" })
  await assert.rejects(mutate(shared), /Another test file loads src\/gates\/toy\/gate\.test\.ts/)
})
