import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { PORTCULLIS, runCli, runProgram } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { CONFIGURATION, runTask, scenario } from '../e2e/scenario.ts'

const root = join(import.meta.dirname, '../..')

for (const [what, path, value, reason, asked] of [
  ['a task class', ['class'], 'code-chnge', 'task_class_unknown', /the task class code-chnge/],
  ['a probe', ['acceptance', 0, 'probes'], ['repo-tests'], 'probe_unknown', /the probe repo-tests/],
] as const) {
  test(`${what} that nobody defined is named where the run is refused, although no gate was asked yet`, async (t) => {
    const made = await scenario(t)
    made.set('task.yaml', path, value)
    const { stdout, code } = await made.portcullis(['run', 'task.yaml'])
    assert.equal(code, 3)
    assert.match(stdout, new RegExp(`BLOCKED: ${reason}\\. No process was started\\.\\n {2}asked {4}${asked.source}\\n {2}found {4}the configuration has \\S+\\n {2}do {7}Name one of the`))
    const { report, runDirectory } = await runTask(made)
    assert.match(report.refusal?.asked ?? '', asked)
    assert.match(readFileSync(join(runDirectory, 'report.md'), 'utf8'), new RegExp(`No process was started\\.\\n\\n- asked: ${asked.source}`))
  })
}

test('a branch that the repository does not have is named', async (t) => {
  const made = await scenario(t)
  assert.equal((await runProgram('git', ['init', '--quiet', '-b', 'main', 'repository'], { cwd: made.directory })).code, 0)
  made.set('task.yaml', ['repositories', 0, 'branch'], 'release')
  const { stdout, code } = await made.portcullis(['run', 'task.yaml'])
  assert.equal(code, 3)
  assert.match(stdout, /BLOCKED: workspace_unusable\.[^]*asked {4}the branch release of /)
})

for (const args of [[], ['admit'], ['help', 'bogus']]) {
  test(`portcullis ${args.join(' ')} says that a command is missing`, async (t) => {
    const { code, stdout, stderr } = await runCli(args, { cwd: temporaryDirectory(t) })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /found {4}no command that is known\n {2}do {7}See npx portcullis --help/)
  })
}

test('an option is not taken as the value of the one before it', async (t) => {
  const { code, stdout } = await runCli(['runs', '--state', '--json'], { cwd: temporaryDirectory(t) })
  assert.equal(code, 2)
  assert.match(stdout, /a value for the option state[^]*--json[^]*which is an option/)
})

test('probing a profile that does not exist is not told that none allows the purpose', async (t) => {
  const { stdout } = await (await scenario(t)).portcullis(['probe', '--profile', 'typo'])
  assert.match(stdout, /do {7}Name a profile of portcullis\.yaml; this purpose may use every profile\./)
})

test('admit create says whom it admits for what, and writes no record that has expired already', async (t) => {
  const made = await scenario(t)
  const create = (model: string, expires: string) => made.portcullis(['admit', 'create', `scripted/${model}`, '--runtime', 'pi', '--stage', 'work', 'stage-2', '--approved-by', 'a test', '--expires', expires, '--expects', 'evidence'])
  const late = await create('coder-7', '2020-01-01T00:00:00Z')
  assert.equal(late.code, 2)
  assert.match(late.stderr, /it would have expired on 2020-01-01T00:00:00Z/)
  assert.equal(existsSync(join(made.directory, 'admissions/scripted--coder-7.json')), false)
  const created = await create('coder-7', new Date(Date.now() + 86_400_000).toISOString())
  assert.match(created.stdout, /It admits runtime pi for stage work, stage-2 from now on\./)
})

test('a run goes on to its end when nobody reads its output any more', async (t) => {
  const made = await scenario(t)
  const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'], HOME: made.directory }, stdio: ['ignore', 'pipe', 'pipe'] })
  const stderr: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.deepEqual([code, Buffer.concat(stderr).toString('utf8')], [0, ''])
  assert.match((await made.portcullis(['runs'])).stdout, /slugify-1 +accepted/)
})

test('a question makes no ledger, and says where it looked for one', async (t) => {
  const made = await scenario(t)
  for (const command of [['verify', '20261121T090000Z-nope-1'], ['report', 'nope']]) {
    const { code, stderr } = await made.portcullis([...command, '--state', 'mistyped'])
    assert.equal(code, 2)
    assert.match(stderr, /found {4}no ledger at \S+mistyped\/ledger\.db\n {2}do {7}Name its directory with --state/)
  }
  assert.equal((await made.portcullis(['runs', '--state', 'mistyped', '--json'])).stdout, '[]\n')
  assert.equal((await made.portcullis(['run', 'task.yaml', '-c', 'mistyped/portcullis.yaml'])).code, 2)
  assert.equal(existsSync(join(made.directory, 'mistyped')), false)
})

test('the printed verify command works where it was printed, wherever configuration and state are', async (t) => {
  const made = await scenario(t)
  made.set('task.yaml', ['class'], 'unheard-of')
  const elsewhere = temporaryDirectory(t)
  const state = join(elsewhere, "state of O'Neill")
  const program = PORTCULLIS
  const ran = await runProgram(process.execPath, [program, 'run', join(made.directory, 'task.yaml'), '-c', join(made.directory, CONFIGURATION), '--state', state], { cwd: elsewhere })
  const printed = /npx portcullis (verify .+)/.exec(ran.stdout)?.[1]
  assert.ok(printed !== undefined, ran.stdout)
  const verified = await runProgram('/bin/sh', ['-c', `"${process.execPath}" "${program}" ${printed}`], { cwd: elsewhere })
  assert.equal(verified.code, 0, `${printed}\n${verified.stdout}${verified.stderr}`)
})

test('what run --json prints is valid by the published schema, however the run ended', async (t) => {
  const schema = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(root, 'spec/report.schema.json'), 'utf8'))))
  assert.equal(schema.safeParse({}).success, false)
  const ended = async (status: string, made: Awaited<ReturnType<typeof scenario>>): Promise<void> => {
    const { result } = await runTask(made)
    const printed: unknown = JSON.parse(result.stdout)
    assert.equal(z.object({ status: z.string() }).parse(printed).status, status)
    assert.deepEqual(schema.safeParse(printed).error?.issues, undefined)
  }
  await ended('pass', await scenario(t))
  await ended('fail', await scenario(t, { agent: 'silent.mjs' }))
  const unbound = await scenario(t)
  unbound.set('task.yaml', ['class'], 'unheard-of')
  await ended('blocked', unbound)
})
