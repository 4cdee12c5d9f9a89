import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const ROOT = join(import.meta.dirname, '../..')
const planted = (body: string, ids = 'ACC-29 ACC-30'): string => `import { test } from 'node:test'\nconst verifies = (ids, name, body) => void test(\`\${name} [\${ids}]\`, body)\nverifies('${ids}', 'it holds', ${body})\n`
const HOLDS = '() => {}'

/** What is said of a tree with these test files, by a process of its own: a test run within a test run is none. */
function saidOf(t: TestContext, tests: Readonly<Record<string, string>>): { readonly passed: Record<string, number>; readonly problems: readonly string[] } {
  const root = temporaryDirectory(t)
  for (const [path, content] of Object.entries(tests)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  writeFileSync(join(root, 'main.ts'), `import { proveReliedOn } from ${JSON.stringify(join(ROOT, 'scripts/relied-on.ts'))}\nprocess.stdout.write(JSON.stringify(await proveReliedOn(import.meta.dirname, ['ACC-29', 'ACC-30'])))`)
  const printed = execFileSync(process.execPath, [join(root, 'main.ts')], { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
  return z.object({ passed: z.record(z.string(), z.number()), problems: z.array(z.string()) }).parse(JSON.parse(printed))
}

test('it counts what has passed, and nothing that a test says of other ids', (t) => {
  assert.deepEqual(saidOf(t, { 'test/a.test.ts': planted(HOLDS), 'src/b.test.ts': planted(HOLDS, 'ACC-30'), 'test/c.test.ts': planted('() => { throw new Error() }', 'ACC-3') }), { passed: { 'ACC-29': 1, 'ACC-30': 2 }, problems: [] })
})

const nothing = ['no test that names ACC-29 has passed', 'no test that names ACC-30 has passed']
for (const [what, tests, problems] of [
  ['fails', { 'test/a.test.ts': planted('() => { throw new Error() }') }, ['failed: it holds [ACC-29 ACC-30]', ...nothing]],
  ['is skipped', { 'test/a.test.ts': planted("(t) => t.skip('no database')") }, ['skipped: it holds [ACC-29 ACC-30] (no database)', ...nothing]],
  ['is skipped beside one that passes', { 'test/a.test.ts': planted(HOLDS), 'test/b.test.ts': planted("(t) => t.skip('no database')", 'ACC-29') }, ['skipped: it holds [ACC-29] (no database)']],
  ['is still to do', { 'test/a.test.ts': planted('(t) => t.todo()') }, ['to do: it holds [ACC-29 ACC-30]', ...nothing]],
  ['stands where no change runs it', { 'test/long/a.test.ts': planted(HOLDS) }, nothing],
  ['is commented out', { 'test/a.test.ts': planted(HOLDS).replace('verifies(\'', '// verifies(\'') }, nothing],
  ['is not there', {}, nothing],
] as const) {
  test(`nothing may be relied on while a test ${what}`, (t) => assert.deepEqual(saidOf(t, tests).problems, problems))
}

test('a file of tests that cannot be loaded is no pass', (t) => {
  const { problems } = saidOf(t, { 'test/a.test.ts': `${planted(HOLDS)}\nthrow new Error('broken')\n` })
  assert.ok(problems.some((problem) => problem.startsWith('failed: ')))
})
