import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { runProgram } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'

const root = join(import.meta.dirname, '..')
const tool = (name: string): string => join(root, 'node_modules/.bin', name)
const ScanResult = z.array(z.object({ ruleId: z.string(), severity: z.literal('error'), range: z.object({ start: z.object({ line: z.int() }) }) }))

/** Runs the house rules over one file, and returns the rules that were broken, with the line from 1. */
async function scan(test: TestContext, source: string): Promise<string[]> {
  const directory = temporaryDirectory(test)
  cpSync(join(root, 'rules'), join(directory, 'rules'), { recursive: true })
  cpSync(join(root, 'sgconfig.yml'), join(directory, 'sgconfig.yml'))
  writeFileSync(join(directory, 'planted.ts'), source)
  const { code, stdout } = await runProgram(tool('ast-grep'), ['scan', '--json=compact', 'planted.ts'], { cwd: directory })
  const found = ScanResult.parse(JSON.parse(stdout))
  assert.equal(code === 0, found.length === 0, 'the exit code says whether something was found')
  return found.map((match) => `${match.ruleId}:${match.range.start.line + 1}`)
}

const inCatch = (body: string): string => `function f() {\n  for (;;) {\n    try {\n      g()\n    } catch (error) {${body}}\n  }\n}\n`

for (const [what, body] of [
  ['nothing', ''],
  ['a comment only', ' /* best effort */ '],
  ['a log line', ' console.error(error) '],
  ['an assignment', ' failed = true '],
  ['continue', ' continue '],
  ['break', ' break '],
  ['a throw behind a condition', ' if (fatal) throw error '],
  ['a return behind a condition, then more', ' if (fatal) { return } \n log(error) '],
  ['a return in a function inside', ' items.map((item) => { return item }) '],
  ['a throw in a function inside', ' const later = () => { throw error }\n later '],
] as const) {
  test(`a catch that holds ${what} is found`, async (t) => {
    assert.deepEqual(await scan(t, inCatch(body)), ['no-swallowed-error:5'])
  })
}

test('a catch without a name for the error is found', async (t) => {
  assert.deepEqual(await scan(t, 'try { g() } catch {}\n'), ['no-swallowed-error:1'])
})

for (const [what, body] of [
  ['rethrows', ' throw error '],
  ['throws another error with the cause', ' throw new Error("x", { cause: error }) '],
  ['returns', ' return '],
  ['returns a verdict', ' return { outcome: "block" } '],
  ['looks at the error and then returns', ' if (isBusy(error)) throw error\n return undefined // gone '],
] as const) {
  test(`a catch that ${what} is left alone`, async (t) => {
    assert.deepEqual(await scan(t, inCatch(body)), [])
  })
}

test('a rejection that an empty handler swallows is found', async (t) => {
  assert.deepEqual(await scan(t, 'void g().catch(() => {})\nvoid g().catch(() => { /* fine */ })\nvoid g().catch((error) => {})\n'), [1, 2, 3].map((line) => `no-swallowed-rejection:${line}`))
})

test('a rejection that is answered is left alone', async (t) => {
  assert.deepEqual(await scan(t, 'void g().catch((error) => report(error))\nvoid g().catch(() => undefined)\nvoid g().then(() => {})\n'), [])
})

test('a time limit that is held only weakly is found, one made of a controller is left alone', async (t) => {
  assert.deepEqual(await scan(t, 'AbortSignal.any([given, AbortSignal.timeout(1)])\ng(AbortSignal.any([...all, AbortSignal.timeout(f(x))]))\n'), [1, 2].map((line) => `no-weak-time-limit:${line}`))
  assert.deepEqual(await scan(t, 'AbortSignal.any([given, controller.signal])\nAbortSignal.timeout(1)\n'), [])
})

const LintResult = z.object({ diagnostics: z.array(z.object({ code: z.string() })) })

/** Lints the files with this project's own configuration and returns the codes of what was found. */
async function lint(test: TestContext, files: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = temporaryDirectory(test)
  const configuration = readFileSync(join(root, 'tsconfig.json'), 'utf8')
  copyFileSync(join(root, '.oxlintrc.json'), join(directory, '.oxlintrc.json'))
  writeFileSync(join(directory, 'tsconfig.json'), configuration)
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  mkdirSync(join(directory, 'src'))
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, 'src', path), content)
  const { code, stdout, stderr } = await runProgram(tool('oxlint'), ['--type-aware', '-f', 'json', 'src'], { cwd: directory })
  const found = LintResult.parse(JSON.parse(stdout)).diagnostics
  assert.equal(code, found.length === 0 ? 0 : 1, `${stdout}\n${stderr}`)
  return [...new Set(found.map((diagnostic) => diagnostic.code))].toSorted()
}

const WORK = 'export async function work(): Promise<void> { await Promise.resolve() }\n'

for (const [what, planted, expected] of [
  ['a floating promise', { 'a.ts': `${WORK}export function f(): void { work() }\n` }, ['typescript(no-floating-promises)']],
  ['a promise as a condition', { 'a.ts': `${WORK}export const f = (): number => { if (work()) return 1; return 2 }\n` }, ['typescript(no-misused-promises)']],
  ['a switch that leaves out a member', { 'a.ts': 'export function f(outcome: \'pass\' | \'block\'): number { switch (outcome) { case \'pass\': return 1 } return 2 }\n' }, ['typescript(switch-exhaustiveness-check)']],
  ['a switch with a default that stands for the rest', { 'a.ts': 'export function f(outcome: \'pass\' | \'block\'): number { switch (outcome) { case \'block\': return 1; default: return 2 } }\n' }, ['typescript(switch-exhaustiveness-check)']],
  ['any', { 'a.ts': 'export const f = (value: any): number => Number(value)\n' }, ['typescript(no-explicit-any)']],
  ['parsed JSON that nobody checked', { 'a.ts': 'export const f = (text: string): string => JSON.parse(text)\n' }, ['typescript(no-unsafe-return)']],
  ['a default export', { 'a.ts': 'const a = 1\nexport default a\n' }, ['import(no-default-export)']],
  ['an empty catch', { 'a.ts': 'export function f(): void { try { JSON.parse(\'\') } catch {} }\n' }, ['eslint(no-empty)']],
  ['two files that import each other', { 'a.ts': 'import { b } from \'./b.ts\'\nexport const a = (): number => b()\n', 'b.ts': 'import { a } from \'./a.ts\'\nexport const b = (): number => a()\n' }, ['import(no-cycle)']],
  ['a file of more than 400 lines', { 'a.ts': Array.from({ length: 401 }, (_, index) => `export const a${index} = ${index}\n`).join('') }, ['eslint(max-lines)']],
  ['a thrown text', { 'a.ts': 'export function f(): never { throw \'text\' }\n' }, ['eslint(no-throw-literal)', 'typescript(only-throw-error)']],
  ['a non-null assertion', { 'a.ts': 'export const f = (a: string | undefined): number => a!.length\n' }, ['typescript(no-non-null-assertion)']],
] as const) {
  test(`the linter finds ${what}`, async (t) => {
    const found = await lint(t, planted)
    assert.ok(found.some((code) => expected.some((one) => one === code)), `expected one of ${expected.join(', ')}, got ${found.join(', ') || 'nothing'}`)
  })
}

test('the linter lets the tests of node:test stand without a word', async (t) => {
  assert.deepEqual(await lint(t, { 'a.test.ts': 'import { test } from \'node:test\'\n\ntest(\'a\', async () => {\n  await Promise.resolve()\n})\n' }), [])
})
