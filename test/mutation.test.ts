import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { mutantsOf } from '../scripts/mutation/generate.ts'
import { applyMutant, type Mutant, type Operator, OPERATORS } from '../scripts/mutation/mutant.ts'
import { ran } from '../scripts/mutation/reach.ts'
import { openResults, type Result } from '../scripts/mutation/results.ts'
import { holdAgainst, type Reviewed } from '../scripts/mutation/reviewed.ts'
import type { Judged } from '../scripts/mutation/run.ts'
import { summarise } from '../scripts/mutation/summary.ts'
import { parseFiles } from '../scripts/mutation/syntax.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'

const SOURCE = `import type { Schema } from './schema.ts'
declare const z: { strictObject(shape: object): Schema }
type Words = 'a' | 'b'
export const Shape = z.strictObject({})
export const Name = (text: Schema) => text.min(1)
const word = /^[a-z]+$/
export function faults(found: readonly string[], limit: number): readonly string[] {
  const list: string[] = []
  if (found.length > limit) list.push('too many')
  return [...list, ...found.filter((each) => !word.test(each))]
}
export const first = (one: string | undefined, other: string | undefined): string | undefined => one ?? other
export const all = (found: readonly string[], known: ReadonlySet<string>) => found.every((each) => known.has(each) && each !== '')
export const same = (each: string): boolean => each !== 'a'
export const known = (each: string, words: ReadonlySet<string>): string => String(words.has(each))
export const until = (one: number, other: number): number => Math.min(one, other)
export function judge(bad: boolean): object {
  try {
    if (bad) throw new Error('bad')
  } catch {
    return { outcome: 'block', message: bad ? 'it is bad' : 'it is odd', found: \`\${bad ? 'x' : 'y'}\` }
  }
  return { outcome: 'pass' }
}
`

/** Parsed once: the compiler is a process of its own. */
let parsed: { readonly text: string; readonly mutants: readonly Mutant[] } | undefined
function mutantsOfSource(test: TestContext): { readonly text: string; readonly mutants: readonly Mutant[] } {
  if (parsed !== undefined) return parsed
  const root = temporaryDirectory(test)
  mkdirSync(join(root, 'src/gates/toy'), { recursive: true })
  writeFileSync(join(root, 'tsconfig.json'), '{ "compilerOptions": { "strict": true, "noEmit": true, "allowImportingTsExtensions": true, "types": [] }, "include": ["src"] }')
  writeFileSync(join(root, 'src/gates/toy/schema.ts'), 'export interface Schema { min(least: number): Schema }\n')
  writeFileSync(join(root, 'src/gates/toy/gate.ts'), SOURCE)
  const [mutants] = parseFiles(root, ['src/gates/toy/gate.ts'], mutantsOf)
  parsed = { text: SOURCE, mutants: mutants ?? [] }
  return parsed
}

const EXPECTED: Readonly<Record<Operator, readonly string[]>> = {
  condition: ['if (true) list', 'if (false) list', 'if (true) throw'],
  logic: ['=> (known.has(each))', '=> (each !== \'\')'],
  coalesce: ['=> (one)', '=> (other)'],
  relation: ['found.length >= limit'],
  equality: ["each === 'a'"],
  not: ['=> word.test(each)'],
  quantifier: ['found.some('],
  membership: ['String(true)', 'String(false)'],
  outcome: ["outcome: 'pass', expiresAt: new Date(8_640_000_000_000_000) })"],
  statement: ['if (found.length > limit) ;', 'if (bad) ;'],
  element: ['return [...found.filter', 'return [...list, ]'],
  return: ['{ return [];', '=> undefined', '=> true', '=> false'],
  catch: ['catch {}'],
  schema: ['z.looseObject({})', '=> text\n'],
  extreme: ['Math.max(one, other)'],
  filter: ['...found]'],
  anchor: ['/[a-z]+$/', '/^[a-z]+/'],
}

test('each operator makes the change that opens a check, and says where', (context) => {
  const { text, mutants } = mutantsOfSource(context)
  for (const [operator, texts] of Object.entries(EXPECTED)) {
    const made = mutants.filter((each) => each.operator === operator).map((mutant) => applyMutant(text, mutant))
    for (const each of texts) assert.ok(made.some((one) => one.includes(each) && !text.includes(each)), `${operator} makes no ${each}`)
  }
  assert.deepEqual(Object.keys(EXPECTED).toSorted(), Object.keys(OPERATORS).toSorted())
  const relation = mutants.find(({ operator }) => operator === 'relation')
  assert.deepEqual([relation?.line, relation?.scope, relation?.from, relation?.to, relation?.inFunction], [9, 'faults', 'found.length > limit', 'found.length >= limit', true])
  assert.equal(mutants.find(({ to }) => to === 'looseObject')?.inFunction, false)
})

test('every mutant differs from the source and from every other, and words and types have none', (context) => {
  const { text, mutants } = mutantsOfSource(context)
  const texts = mutants.map((mutant) => applyMutant(text, mutant))
  assert.equal(new Set([text, ...texts]).size, mutants.length + 1)
  assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length)
  for (const kept of ["bad ? 'it is bad' : 'it is odd'", "bad ? 'x' : 'y'", "type Words = 'a' | 'b'"]) {
    const at = text.indexOf(kept)
    assert.deepEqual(mutants.filter(({ start, end }) => start >= at && end <= at + kept.length), [])
  }
})

test('a file that the project does not hold is a fault, not a file without a survivor', (context) => {
  const root = temporaryDirectory(context)
  writeFileSync(join(root, 'tsconfig.json'), '{ "compilerOptions": { "types": [] }, "include": ["src"] }')
  assert.throws(() => parseFiles(root, ['src/none.ts'], mutantsOf), /src\/none\.ts/)
})

test('a place ran if the innermost range around it did', () => {
  assert.equal(ran([[0, 100, 1], [10, 20, 0]], 15), false)
  assert.equal(ran([[0, 100, 1], [10, 20, 0]], 20), true)
  assert.equal(ran([[0, 100, 0], [10, 20, 3]], 10), true)
  assert.equal(ran([[10, 20, 3]], 5), false)
  assert.equal(ran(undefined, 5), false)
})

const mutant = (id: string, changes: Partial<Mutant> = {}): Mutant => ({ id, file: 'src/gates/toy/gate.ts', line: 1, scope: 'decide', operator: 'not', from: '!a', to: id, occurrence: 1, start: 0, end: 2, replacement: 'a', inFunction: true, ...changes })
const judged = (id: string, outcome: Result['outcome'], changes: Partial<Mutant> = {}): Judged => ({ mutant: mutant(id, changes), result: { id, inputs: 'x', outcome, by: outcome === 'killed' ? 'a test' : null, tests: 1 } })
const listed = (...ids: readonly string[]): Reviewed => [{ class: 'equivalent', reason: 'a reason that is long enough', mutants: ids.map((to) => ({ file: 'src/gates/toy/gate.ts', scope: 'decide', operator: 'not', from: '!a', to })) }]

test('a survivor is open until it is reviewed; an entry that is killed, gone or doubled is a fault', () => {
  const run = [judged('one', 'killed'), judged('two', 'survived'), judged('three', 'unreached'), judged('four', 'ended')]
  assert.deepEqual(holdAgainst(run, []).open.map((each) => each.mutant.id), ['two', 'three'])
  const sound = holdAgainst(run, listed('two'))
  assert.deepEqual([sound.open.map((each) => each.mutant.id), sound.reviewed.map((each) => each.judged.mutant.id), sound.faults], [['three'], ['two'], []])
  assert.match(holdAgainst(run, listed('one')).faults[0] ?? '', /is listed and is killed now, by a test/)
  assert.match(holdAgainst(run, listed('four')).faults[0] ?? '', /is killed now/)
  assert.match(holdAgainst(run, listed('five')).faults[0] ?? '', /no such mutant any more/)
  assert.match(holdAgainst(run, listed('two', 'two')).faults[0] ?? '', /listed twice/)
  // One of several alike is not another: the second stays open.
  assert.deepEqual(holdAgainst([judged('two', 'survived'), judged('two', 'survived', { occurrence: 2 })], listed('two')).open.map((each) => each.mutant.occurrence), [2])
})

test('the score counts what opens a gate, by folder, and is never better than it is', () => {
  const run = [judged('one', 'killed'), judged('two', 'survived'), judged('three', 'unreached'), judged('four', 'survived', { file: 'src/contract/a.ts' }), judged('five', 'ended')]
  const { folders, all } = summarise(run, holdAgainst(run, listed('two')))
  assert.deepEqual(folders.map(({ folder, mutants, killed, ended, equivalent, open, unreached, score }) => [folder, mutants, killed, ended, equivalent, open, unreached, score]), [
    ['src/contract', 1, 0, 0, 0, 1, 0, 0],
    ['src/gates/toy', 4, 2, 1, 1, 1, 1, 2 / 3],
  ])
  assert.equal(all.score, 0.5)
})

test('results are kept as they come and found again; a line that was cut off is dropped', (context) => {
  const path = join(temporaryDirectory(context), 'deep/results.ndjson')
  const results = openResults(path)
  results.keep({ id: 'one', inputs: 'x', outcome: 'survived', by: null, tests: 3 })
  results.keep({ id: 'one', inputs: 'y', outcome: 'killed', by: 'a test', tests: 1 })
  appendFileSync(path, '{"id":"two","inputs":"x","outc')
  const again = openResults(path)
  assert.deepEqual([...again.last.values()], [{ id: 'one', inputs: 'y', outcome: 'killed', by: 'a test', tests: 1 }])
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 2)
  writeFileSync(path, '{"id":"one","outcome":"killed"}\n')
  assert.throws(() => openResults(path))
})
