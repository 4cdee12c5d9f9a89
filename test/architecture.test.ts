import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { LIFECYCLE } from '../src/contract/lifecycle.ts'
import { architectureViolations } from './architecture.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'

const root = join(import.meta.dirname, '..')

test('the source tree keeps its own rules', () => {
  assert.deepEqual(architectureViolations(root), [])
})

test('no file of test/ and scripts/ has more than 400 lines or a default export', () => {
  const files = globSync('{test,scripts}/**/*.ts', { cwd: root })
  assert.ok(files.length > 0)
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    assert.ok(text.split('\n').length <= 401, file)
    assert.doesNotMatch(text, /^export default\b/m, file)
  }
})

/** A small tree that keeps every rule, to plant violations in. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': '{ "dependencies": { "zod": "4", "kysely": "0" } }',
  'src/contract/lifecycle.ts': 'import { z } from \'zod\'\nimport { createHash } from \'node:crypto\'\nexport const Gate = z.string()\nexport const hash = createHash\n',
  'src/contract/lifecycle.test.ts': 'import { test } from \'node:test\'\nimport { Gate } from \'../../test/verifies.ts\'\nvoid test(Gate)\n',
  ...Object.fromEntries(
    LIFECYCLE.flatMap((gate) => [
      [`src/gates/${gate}/gate.ts`, 'import type { Port } from \'./ports.ts\'\nimport { Gate } from \'../../contract/lifecycle.ts\'\nexport const decide = (port: Port) => Gate.parse(port)\n'],
      [`src/gates/${gate}/ports.ts`, 'export interface Port { readonly name: string }\n'],
      [`src/gates/${gate}/index.ts`, 'export { decide } from \'./gate.ts\'\n'],
      [`src/gates/${gate}/gate.test.ts`, 'import { decide } from \'./gate.ts\'\nimport { readFileSync } from \'node:fs\'\nvoid decide\nvoid readFileSync\n'],
    ]),
  ),
  'src/gates/health/gate.ts': 'import { decide as earlier } from \'../catalog/index.ts\'\nexport const decide = earlier\n',
  'src/engine/ports.ts': 'import type { decide } from \'../gates/health/index.ts\'\nexport type Decide = typeof decide\n',
  'src/engine/run.ts': 'import { decide } from \'../gates/report/index.ts\'\nexport const run = decide\n',
  'src/adapters/process/ports.ts': 'export interface Process { readonly pid: number }\n',
  'src/adapters/process/index.ts': 'import { spawn } from \'node:child_process\'\nexport const start = spawn\n',
  'src/adapters/store/index.ts': 'import { Kysely } from \'kysely\'\nimport { start } from \'../process/index.ts\'\nimport type { Process } from \'../process/ports.ts\'\nimport type { Decide } from \'../../engine/ports.ts\'\nexport const store = (process: Process, decide: Decide) => [Kysely, start, process, decide]\n',
  'src/app.ts': 'import { run } from \'./engine/run.ts\'\nimport { store } from \'./adapters/store/index.ts\'\nimport { decide } from \'./gates/wire/index.ts\'\nexport const app = [run, store, decide]\n',
  'src/cli/main.ts': 'import { app } from \'../app.ts\'\nexport const main = async () => (await import(\'./run.ts\')).run(app)\n',
  'src/version.ts': 'import { readFileSync } from \'node:fs\'\nexport const VERSION = readFileSync\n',
  'src/cli/run.ts': 'import { VERSION } from \'../version.ts\'\nvoid VERSION\nexport const run = (app: unknown) => app\n',
  'src/index.ts': 'export { app } from \'./app.ts\'\nexport type { Decide } from \'./engine/ports.ts\'\nexport { Gate } from \'./contract/lifecycle.ts\'\n',
}

function violationsOf(test: TestContext, planted: Readonly<Record<string, string | undefined>>): string[] {
  const directory = temporaryDirectory(test)
  for (const [path, content] of Object.entries({ ...SOUND, ...planted })) {
    if (content === undefined) continue
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return architectureViolations(directory)
}

test('a tree that keeps every rule is left alone', (t) => {
  assert.deepEqual(violationsOf(t, {}), [])
})

const lines = (count: number): string => 'export {}\n'.repeat(count)

for (const [what, planted, expected] of [
  ['the contract imports a gate', { 'src/contract/a.ts': 'import { decide } from \'../gates/catalog/index.ts\'' }, ['contract/a.ts:1 may not import gates/catalog/index.ts']],
  ['the contract imports a type of the engine', { 'src/contract/a.ts': 'import type { run } from \'../engine/run.ts\'' }, ['contract/a.ts:1 may not import engine/run.ts']],
  ['the contract imports a file module', { 'src/contract/a.ts': 'import { readFileSync } from \'node:fs\'' }, ['contract/a.ts:1 imports node:fs; contract may import zod, node:crypto only']],
  ['the contract imports a package', { 'src/contract/a.ts': 'import { Kysely } from \'kysely\'' }, ['contract/a.ts:1 imports kysely; contract may import zod, node:crypto only']],
  ['a gate imports a later gate', { 'src/gates/catalog/a.ts': 'import { decide } from \'../admission/index.ts\'' }, ['gates/catalog/a.ts:1 may not import gates/admission/index.ts']],
  ['a gate imports a type of a later gate', { 'src/gates/catalog/a.ts': '\nimport type { decide } from \'../report/index.ts\'' }, ['gates/catalog/a.ts:2 may not import gates/report/index.ts']],
  ['a gate enters an earlier gate past its index', { 'src/gates/wire/a.ts': 'import { decide } from \'../catalog/gate.ts\'' }, ['gates/wire/a.ts:1 may not import gates/catalog/gate.ts']],
  ['a gate imports the engine', { 'src/gates/wire/a.ts': 'export { run } from \'../../engine/run.ts\'' }, ['gates/wire/a.ts:1 may not import engine/run.ts']],
  ['a gate imports an adapter', { 'src/gates/wire/a.ts': 'import \'../../adapters/store/index.ts\'' }, ['gates/wire/a.ts:1 may not import adapters/store/index.ts']],
  ['a gate reads files', { 'src/gates/wire/a.ts': 'import { readFileSync } from \'node:fs\'' }, ['gates/wire/a.ts:1 imports node:fs; gates may import zod, node:buffer, node:crypto, node:path only']],
  ['a gate reads files by a dynamic import', { 'src/gates/wire/a.ts': 'export const read = () => import(\'node:fs\')' }, ['gates/wire/a.ts:1 imports node:fs; gates may import zod, node:buffer, node:crypto, node:path only']],
  ['a gate reads the clock', { 'src/gates/wire/a.ts': 'export const a = () => Date.now()\nexport const b = () => new Date()' }, ['gates/wire/a.ts:1 a gate is pure, and reads Date.now', 'gates/wire/a.ts:2 a gate is pure, and reads new Date']],
  ['a gate reads the environment', { 'src/gates/wire/a.ts': 'export const a = process.env' }, ['gates/wire/a.ts:1 a gate is pure, and reads process.env']],
  ['a gate asks the network or chance', { 'src/gates/wire/a.ts': 'export const a = () => fetch(\'http://localhost\')\nexport const b = Math.random()' }, ['gates/wire/a.ts:1 a gate is pure, and reads fetch', 'gates/wire/a.ts:2 a gate is pure, and reads Math.random']],
  ['the engine imports an adapter', { 'src/engine/a.ts': 'import { store } from \'../adapters/store/index.ts\'' }, ['engine/a.ts:1 may not import adapters/store/index.ts']],
  ['the engine enters a gate past its index', { 'src/engine/a.ts': 'import { decide } from \'../gates/wire/gate.ts\'' }, ['engine/a.ts:1 may not import gates/wire/gate.ts']],
  ['an adapter imports the application', { 'src/adapters/store/a.ts': 'import { app } from \'../../app.ts\'' }, ['adapters/store/a.ts:1 may not import app.ts']],
  ['an adapter enters another past its index', { 'src/adapters/store/a.ts': 'import { spawn } from \'../process/start.ts\'', 'src/adapters/process/start.ts': lines(1) }, ['adapters/store/a.ts:1 may not import adapters/process/start.ts']],
  ['an adapter takes a value from another\'s ports', { 'src/adapters/store/a.ts': 'import { Process } from \'../process/ports.ts\'' }, ['adapters/store/a.ts:1 may not import adapters/process/ports.ts']],
  ['a surface imports a gate', { 'src/cli/a.ts': 'import { decide } from \'../gates/wire/index.ts\'' }, ['cli/a.ts:1 may not import gates/wire/index.ts']],
  ['a surface imports an adapter', { 'src/http/a.ts': 'import { store } from \'../adapters/store/index.ts\'' }, ['http/a.ts:1 may not import adapters/store/index.ts']],
  ['a surface imports the engine', { 'src/mcp/a.ts': 'import type { run } from \'../engine/run.ts\'' }, ['mcp/a.ts:1 may not import engine/run.ts']],
  ['the version imports the application', { 'src/version.ts': 'import { app } from \'./app.ts\'' }, ['version.ts:1 may not import app.ts']],
  ['a surface imports another surface', { 'src/http/a.ts': 'import { main } from \'../cli/main.ts\'' }, ['http/a.ts:1 may not import cli/main.ts']],
  ['a surface enters one that it starts past its index', { 'src/cli/a.ts': 'import { listen } from \'../http/listen.ts\'', 'src/http/listen.ts': lines(1) }, ['cli/a.ts:1 may not import http/listen.ts']],
  ['a surface imports the one that starts it', { 'src/mcp/a.ts': 'import { listen } from \'../http/index.ts\'', 'src/http/index.ts': lines(1) }, ['mcp/a.ts:1 may not import http/index.ts']],
  ['the application imports a surface', { 'src/app.ts': 'import { main } from \'./cli/main.ts\'' }, ['app.ts:1 may not import cli/main.ts', 'import cycle: app.ts, cli/main.ts']],
  ['the library exports a function of the engine', { 'src/index.ts': 'export { run } from \'./engine/run.ts\'' }, ['index.ts:1 may not import engine/run.ts']],
  ['the library exports an adapter', { 'src/index.ts': 'export type { Process } from \'./adapters/process/index.ts\'' }, ['index.ts:1 may not import adapters/process/index.ts']],
  ['a file lies outside the layers', { 'src/utils/a.ts': lines(1), 'src/helper.ts': lines(1), 'src/gates/a.ts': lines(1) }, ['gates/a.ts belongs to no layer', 'gates/a.ts is not in LIFECYCLE', 'helper.ts belongs to no layer', 'utils/a.ts belongs to no layer']],
  ['a gate lacks its files', { 'src/gates/wire/gate.test.ts': undefined, 'src/gates/wire/ports.ts': undefined, 'src/gates/wire/gate.ts': lines(1) }, ['gates/wire has no gate.test.ts', 'gates/wire has no ports.ts']],
  ['a gate is missing', Object.fromEntries(Object.keys(SOUND).filter((path) => path.includes('/report/')).map((path) => [path, undefined])), ['engine/run.ts:1 imports gates/report/index.ts, which is no file of src', 'gates/report is in LIFECYCLE and has no folder']],
  ['a folder is no gate', { 'src/gates/vibes/index.ts': lines(1) }, ['gates/vibes is not in LIFECYCLE']],
  ['a file is too long', { 'src/engine/a.ts': lines(401), 'src/engine/b.ts': lines(400), 'src/engine/a.test.ts': lines(500) }, ['engine/a.test.ts has 500 lines, more than 400', 'engine/a.ts has 401 lines, more than 400']],
  ['a file has a default export', { 'src/engine/a.ts': 'export default 1', 'src/engine/b.ts': 'const b = 1\nexport { b as default }' }, ['engine/a.ts has a default export', 'engine/b.ts has a default export']],
  ['a file imports what is not declared', { 'src/engine/a.ts': 'import typescript from \'typescript\'\nimport { x } from \'@scope/name/deep\'' }, ['engine/a.ts:1 imports typescript, which is not in dependencies', 'engine/a.ts:2 imports @scope/name, which is not in dependencies']],
  ['a builtin goes by its old name', { 'src/engine/a.ts': 'import { join } from \'path\'' }, ['engine/a.ts:1 imports path without node:']],
  ['a path is computed', { 'src/engine/a.ts': 'export const load = (name: string) => import(`./${name}.ts`)' }, ['engine/a.ts:1 imports a computed path, which no check can follow']],
  ['a program imports a test', { 'src/engine/a.ts': 'import \'./a.test.ts\'', 'src/engine/a.test.ts': lines(1) }, ['engine/a.ts:1 imports a test']],
  ['a program imports from outside src', { 'src/engine/a.ts': 'import { x } from \'../../test/helpers.ts\'' }, ['engine/a.ts:1 imports ../test/helpers.ts, which is no file of src']],
  ['two files import each other', { 'src/engine/a.ts': 'import { b } from \'./b.ts\'', 'src/engine/b.ts': 'import { a } from \'./a.ts\'' }, ['import cycle: engine/a.ts, engine/b.ts']],
  ['three files import each other, one by re-export and one at run time', { 'src/engine/a.ts': 'export * from \'./b.ts\'', 'src/engine/b.ts': 'export const c = () => import(\'./c.ts\')', 'src/engine/c.ts': 'import { type A } from \'./a.ts\'' }, ['import cycle: engine/a.ts, engine/b.ts, engine/c.ts']],
  ['a file imports itself', { 'src/engine/a.ts': 'import * as self from \'./a.ts\'' }, ['import cycle: engine/a.ts']],
] as const) {
  test(`it is found when ${what}`, (t) => {
    assert.deepEqual(violationsOf(t, planted), expected)
  })
}

for (const [what, planted] of [
  ['types only go round in a circle', { 'src/engine/a.ts': 'import type { B } from \'./b.ts\'', 'src/engine/b.ts': 'import type { A } from \'./a.ts\'' }],
  ['the command line starts the server', { 'src/cli/a.ts': 'export const start = () => import(\'../http/index.ts\')', 'src/http/index.ts': 'export {}\n' }],
  ['an import stands in a comment', { 'src/contract/a.ts': '// import { run } from \'../engine/run.ts\'\n/* import \'node:fs\'\n*/' }],
  ['an import stands in a text', { 'src/contract/a.ts': 'export const a = "import { run } from \'../engine/run.ts\'"\nexport const b = `import(\'node:fs\')`' }],
  ['a gate speaks of process.env or Date.now() in a text', { 'src/gates/wire/a.ts': 'export const a = \'process.env, Date.now()\' // new Date()' }],
  ['a gate makes a date of its facts', { 'src/gates/wire/a.ts': 'export const a = (at: string) => new Date(Date.parse(at) + 1)' }],
  ['a gate has a field named like a clock', { 'src/gates/wire/a.ts': 'export const a = (facts: { process: { pid: number }; performance: number }) => facts.process.pid + facts.performance' }],
] as const) {
  test(`it is no violation when ${what}`, (t) => {
    assert.deepEqual(violationsOf(t, planted), [])
  })
}
