import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { PORTCULLIS, runProgram } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'

/** A package with the real command in it and the given files beside it. */
function packageWith(directory: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  mkdirSync(join(directory, 'bin'), { recursive: true })
  const command = join(directory, 'bin/portcullis.js')
  cpSync(PORTCULLIS, command)
  return command
}

/** Loaded before the command, it makes this Node look like another version. */
function pretendVersion(directory: string, version: string): string {
  const file = join(directory, `pretend-${version}.mjs`)
  writeFileSync(file, `Object.defineProperty(process.versions, 'node', { value: '${version}' })`)
  return `--import=${file}`
}

/** A `node` package as npm installs one; its program is the Node that runs this test. */
function installRuntime(folder: string, version: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'node', version }))
  symlinkSync(process.execPath, join(folder, 'bin/node'))
}

const says = (text: string): string => `export const main = async (argv) => { console.log(${JSON.stringify(text)}, argv.join(' ')); return argv.length }`
const run = (test: TestContext, command: string, args: readonly string[], flags: readonly string[] = []) => runProgram(process.execPath, [...flags, command, ...args], { cwd: temporaryDirectory(test) })

test('in a checkout the source runs, also when an older build lies beside it', async (t) => {
  const command = packageWith(temporaryDirectory(t), { 'src/cli/main.ts': says('source'), 'dist/cli/main.js': says('build') })
  assert.deepEqual(await run(t, command, ['a', 'b']), { code: 2, signal: null, stdout: 'source a b\n', stderr: '' })
})

test('an installed package runs its build, also when source lies beside it', async (t) => {
  const folder = join(temporaryDirectory(t), 'node_modules/portcullis')
  const command = packageWith(folder, { 'src/cli/main.ts': says('source'), 'dist/cli/main.js': says('build') })
  assert.equal((await run(t, command, ['a'])).stdout, 'build a\n')
})

test('compiled code is kept beside the code, in node_modules, and nowhere else', async (t) => {
  const directory = temporaryDirectory(t)
  const command = packageWith(join(directory, 'node_modules/@scope/portcullis'), { 'dist/cli/main.js': says('build') })
  await run(t, command, [])
  assert.equal(existsSync(join(directory, 'node_modules/.cache/portcullis')), true)
  const bare = temporaryDirectory(t)
  assert.equal((await run(t, packageWith(bare, { 'dist/cli/main.js': says('build') }), [])).stdout, 'build \n')
  assert.equal(existsSync(join(bare, 'node_modules')), false)
})

test('the exit code is the one that main gives', async (t) => {
  const command = packageWith(temporaryDirectory(t), { 'dist/cli/main.js': 'export const main = async () => 75' })
  assert.equal((await run(t, command, [])).code, 75)
})

test('a main that throws ends in 1', async (t) => {
  const command = packageWith(temporaryDirectory(t), { 'dist/cli/main.js': 'export const main = async () => { throw new Error("broken") }' })
  const { code, stderr } = await run(t, command, [])
  assert.equal(code, 1)
  assert.match(stderr, /^Error: broken\n/)
})

test('a package without program says so and ends in 1', async (t) => {
  const { code, stderr } = await run(t, packageWith(temporaryDirectory(t), {}), [])
  assert.equal(code, 1)
  assert.match(stderr, /asked {4}the built program\n {2}found {4}no .*main\.js\n {2}do {7}run npm run build/)
})

for (const version of ['20.20.2', '22.22.0', '24.14.9', '8.17.0']) {
  test(`Node ${version} says what it lacks and ends in 1`, async (t) => {
    const directory = temporaryDirectory(t)
    const command = packageWith(directory, { 'dist/cli/main.js': says('build') })
    const { code, stdout, stderr } = await run(t, command, ['--help'], [pretendVersion(directory, version)])
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, new RegExp(`asked {4}Node >= 24\\.15\\n {2}found {4}Node ${version.replaceAll('.', '\\.')} at .*\\n {2}do {7}install a newer Node`))
  })

  test(`Node ${version} hands over to the runtime that npm installed, with arguments and exit code`, async (t) => {
    const directory = temporaryDirectory(t)
    const command = packageWith(directory, { 'dist/cli/main.js': says('handed over') })
    installRuntime(join(directory, 'node_modules/node'), '24.21.0')
    const { code, stdout } = await run(t, command, ['run', 'a b', '--json'], [pretendVersion(directory, version)])
    assert.deepEqual([code, stdout], [3, 'handed over run a b --json\n'])
  })
}

for (const version of ['24.15.0', '24.21.0', '25.0.0', '26.10.0', '100.0.0']) {
  test(`Node ${version} is new enough`, async (t) => {
    const directory = temporaryDirectory(t)
    const command = packageWith(directory, { 'dist/cli/main.js': says('here') })
    assert.equal((await run(t, command, [], [pretendVersion(directory, version)])).stdout, 'here \n')
  })
}

test('an installed runtime that is itself too old or unreadable is not tried', async (t) => {
  const directory = temporaryDirectory(t)
  const command = packageWith(join(directory, 'node_modules/portcullis'), { 'dist/cli/main.js': says('handed over') })
  installRuntime(join(directory, 'node_modules/portcullis/node_modules/node'), '20.0.0')
  const old = pretendVersion(directory, '20.0.0')
  assert.equal((await run(t, command, [], [old])).code, 1)
  installRuntime(join(directory, 'node_modules/node'), '24.15.0')
  assert.equal((await run(t, command, [], [old])).stdout, 'handed over \n', 'the one beside the package is new enough')
})

test('a signal reaches the program that was handed over to, and the end is the same', async (t) => {
  const directory = temporaryDirectory(t)
  const main = `export const main = () => new Promise((resolve) => {
    process.on('SIGTERM', () => resolve(7))
    const alive = setInterval(() => {}, 1000)
    process.once('SIGTERM', () => clearInterval(alive))
    console.log('ready')
  })`
  const command = packageWith(directory, { 'dist/cli/main.js': main })
  installRuntime(join(directory, 'node_modules/node'), '24.15.0')
  const child = spawn(process.execPath, [pretendVersion(directory, '20.0.0'), command], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [7, null])
})

test('a program that a signal ended ends the command by the same signal', async (t) => {
  const directory = temporaryDirectory(t)
  const command = packageWith(directory, { 'dist/cli/main.js': 'export const main = () => { process.kill(process.pid, "SIGKILL"); return new Promise(() => {}) }' })
  installRuntime(join(directory, 'node_modules/node'), '24.15.0')
  const { code, signal } = await run(t, command, [], [pretendVersion(directory, '20.0.0')])
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
})

test('a runtime that does not start is reported', async (t) => {
  const directory = temporaryDirectory(t)
  const command = packageWith(directory, { 'dist/cli/main.js': says('never') })
  installRuntime(join(directory, 'node_modules/node'), '24.15.0')
  const broken = join(directory, 'node_modules/node/bin/node')
  await runProgram('rm', [broken], { cwd: directory })
  writeFileSync(broken, 'not a program')
  chmodSync(broken, 0o644)
  const { code, stderr } = await run(t, command, [], [pretendVersion(directory, '20.0.0')])
  assert.equal(code, 1)
  assert.match(stderr, /did not start: EACCES/)
})
