import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { digestOf, sha256 } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { type PlannedLaunch, planDigest } from '../../gates/launch/index.ts'
import { readinessGate } from '../../gates/readiness/index.ts'
import { commandAgent } from '../agent-command/index.ts'
import { launchOf, opened, permitOf, profile, readinessOf, requestFor } from '../../../test/helpers/agents.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { executableIdentity, fileDigest, findProgram, identityAtStart, resolveCommand, startAgent, type StartAgentOptions, treeDigest } from './index.ts'

const evidence = ['0'.repeat(64)] as const
const waits = ['node', '-e', 'process.stdin.resume().on("end", () => process.exit(0))']

/** A launch of a small command, with one planned file, as an agent with a configuration would have it. */
async function planned(context: TestContext, command: string[] = waits): Promise<{ request: ReturnType<typeof requestFor>; launch: PlannedLaunch; options: StartAgentOptions }> {
  const request = requestFor(context, { profile: { ...profile, agent: 'command', command } })
  const launch = launchOf(await commandAgent.plan(request))
  const files = [{ path: join(request.configuration, 'deep/agent.json'), content: '{"wire":true}' }]
  const options = {
    now: () => new Date(),
    logs: { stdout: join(request.runDirectory, 'stdout.log'), stderr: join(request.runDirectory, 'stderr.log'), maxBytes: 65_536 },
    keep: { headBytes: 4_096, tailBytes: 4_096 },
    onExceeded: () => undefined, seal: () => Promise.resolve(undefined),
  }
  return { request, launch: { ...launch, files, plan: { ...launch.plan, files: files.map(({ path, content }) => ({ path, sha256: sha256(content) })) } }, options }
}

test('the planned files stand, readable by us alone, before the agent starts in the planned workspace', async (context) => {
  const { request, launch, options } = await planned(context)
  chmodSync(request.home, 0o755)
  const agent = await startAgent(await permitOf(launch, request), launch, options)
  context.after(() => agent.stop(0))
  const path = launch.files[0]?.path ?? ''
  assert.equal(readFileSync(path, 'utf8'), '{"wire":true}')
  assert.deepEqual([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777, statSync(request.home).mode & 0o777], [0o600, 0o700, 0o700])
  assert.deepEqual(identityAtStart(agent)?.argv, launch.plan.argv)
})

const changes: readonly (readonly [string, (launch: PlannedLaunch) => PlannedLaunch, RegExp])[] = [
  ['another argument', (launch) => ({ ...launch, argv: [...launch.argv, '--yolo'] }), /other arguments/],
  ['another program', (launch) => ({ ...launch, argv: ['/bin/sh', ...launch.argv.slice(1)] }), /other arguments/],
  ['one variable more', (launch) => ({ ...launch, environment: { ...launch.environment, GH_TOKEN: 'x' } }), /other environment/],
  ['one variable less', (launch) => ({ ...launch, environment: Object.fromEntries(Object.entries(launch.environment).filter(([name]) => name !== 'HOME')) }), /other environment/],
  ['another address of the wire', (launch) => ({ ...launch, environment: { ...launch.environment, OPENAI_BASE_URL: 'https://api.example.com/v1' } }), /other environment/],
  ['another content of a file', (launch) => ({ ...launch, files: launch.files.map((file) => ({ ...file, content: '{}' })) }), /other files/],
  ['another place of a file', (launch) => ({ ...launch, files: launch.files.map((file) => ({ ...file, path: `${file.path}.bak` })) }), /other files/],
  ['one file more', (launch) => ({ ...launch, files: [...launch.files, { path: join(launch.plan.home, '.profile'), content: '' }] }), /other files/],
  ['one file less', (launch) => ({ ...launch, files: [] }), /other files/],
  ['another plan', (launch) => ({ ...launch, plan: { ...launch.plan, effort: 'max' } }), /other plan/],
]

for (const [name, change, found] of changes) {
  test(`a launch with ${name} than was permitted is not started, and leaves nothing`, async (context) => {
    const { request, launch, options } = await planned(context)
    const before = readdirSync(request.runDirectory, { recursive: true })
    await refused(startAgent(await permitOf(launch, request), change(launch), options), found)
    assert.deepEqual(readdirSync(request.runDirectory, { recursive: true }), before)
  })
}

async function refused(starting: Promise<unknown>, found: RegExp): Promise<void> {
  await assert.rejects(starting, (error) => {
    assert.ok(error instanceof PortcullisError)
    assert.equal(error.code, 'proof_forged')
    assert.match(error.found, found)
    return true
  })
}

test('a permit that is a copy, a literal or expired starts nothing', async (context) => {
  const { request, launch, options } = await planned(context)
  const permit = await permitOf(launch, request)
  await refused(startAgent({ ...permit }, launch, options), /did not make/)
  // @ts-expect-error: a permit cannot be written by hand
  await refused(startAgent({ plan: launch.plan, planDigest: planDigest(launch.plan), verdict: permit.verdict }, launch, options), /did not make/)
  await refused(startAgent(permit, launch, { ...options, now: () => new Date(Date.now() + 3_600_000) }), /expired/)
  assert.equal(existsSync(options.logs.stdout), false)
})

test('a file that already stands where a planned one belongs stops the start', async (context) => {
  const { request, launch, options } = await planned(context)
  mkdirSync(join(request.configuration, 'deep'))
  writeFileSync(launch.files[0]?.path ?? '', 'mine')
  await assert.rejects(startAgent(await permitOf(launch, request), launch, options), { code: 'EEXIST' })
  assert.equal(existsSync(options.logs.stdout), false)
})

verifies('ISO-04 ADM-E6 ADM-E7', 'the environment of a started agent is the planned one, read from the kernel', async (context) => {
  process.env['GITHUB_TOKEN'] = 'canary'
  context.after(() => delete process.env['GITHUB_TOKEN'])
  const { request, launch, options } = await planned(context)
  const agent = await startAgent(await permitOf(launch, request), launch, options)
  context.after(() => agent.stop(0))
  const environ = readFileSync(`/proc/${agent.pid}/environ`, 'utf8').split('\0').filter((line) => line !== '' && !line.startsWith('PORTCULLIS_PROCESS='))
  assert.deepEqual(Object.fromEntries(environ.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])), launch.environment)
  assert.deepEqual([launch.environment['HOME'], launch.environment['TMPDIR'], launch.environment['GITHUB_TOKEN']], [request.home, request.temporary, undefined])
})

verifies('RDY-10', 'readiness is seen in the running process: program, argv and working directory', async (context) => {
  const { request, launch } = await planned(context)
  const session = await opened(context, commandAgent, launch, request)
  const facts = await readinessOf(session, launch)
  assert.deepEqual(facts.observed.workspace, request.workspace)
  assert.equal(readinessGate.decide(facts, evidence).outcome, 'pass')
  // The same process, held against the plan of another one.
  const other = { ...launch.plan, argv: ['/bin/sh'], workspace: request.home, executable: { path: '/bin/sh', identity: await executableIdentity('/bin/sh') } }
  const finding = readinessGate.decide(await readinessOf(session, { ...launch, plan: other }), evidence)
  for (const part of [/executable is .*node, planned \/bin\/sh/, /arguments differ/, /working directory is/]) assert.match(finding.outcome === 'block' ? finding.found : '', part)
})

test('a process that has ended, or that did not come through the door, is not the agent', async (context) => {
  const { request, launch } = await planned(context)
  const session = await opened(context, commandAgent, launch, request)
  const stranger = { ...session, process: { ...session.process } }
  assert.equal((await readinessOf(stranger, launch)).observed.alive, false)
  assert.equal((await readinessOf(session, launch)).observed.alive, true)
  await session.stop(1_000)
  const facts = await readinessOf(session, launch)
  assert.deepEqual([facts.observed.alive, facts.observed.startTicks, facts.observed.executable], [false, null, null])
  const finding = readinessGate.decide(facts, evidence)
  assert.equal(finding.outcome === 'block' && finding.reason, 'agent_not_started')
})

test('a planned file that is gone, or is a folder now, is seen as unreadable', async (context) => {
  const { request, launch } = await planned(context)
  const session = await opened(context, commandAgent, launch, request)
  const path = launch.files[0]?.path ?? ''
  rmSync(path)
  assert.deepEqual((await readinessOf(session, launch)).observed.files, [{ path, sha256: null }])
  mkdirSync(path)
  assert.deepEqual((await readinessOf(session, launch)).observed.files, [{ path, sha256: null }])
})

test('a program that hands over to another by exec is not the one that was planned', async (context) => {
  const { request, launch } = await planned(context, ['sh', '-c', 'exec node -e "console.log(1); process.stdin.resume()"'])
  const session = await opened(context, commandAgent, launch, request)
  // Its first output says that the exec has happened.
  const deadline = Date.now() + 30_000
  while (statSync(join(request.runDirectory, 'stdout.log')).size === 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  const finding = readinessGate.decide(await readinessOf(session, launch), evidence)
  assert.match(finding.outcome === 'block' ? finding.found : '', /executable is .*node, planned /)
})

test('a digest is read again as soon as the file is another one, also with its old size and time', async (context) => {
  const path = join(temporaryDirectory(context), 'file')
  writeFileSync(path, 'one')
  const { atime, mtime } = statSync(path)
  assert.equal(await fileDigest(path), sha256('one'))
  writeFileSync(path, 'two')
  utimesSync(path, atime, mtime)
  assert.equal(await fileDigest(path), sha256('two'))
})

test('the digest of a folder depends on every name and every content', async (context) => {
  const folder = temporaryDirectory(context)
  mkdirSync(join(folder, 'a'))
  writeFileSync(join(folder, 'a/one.js'), '1')
  writeFileSync(join(folder, 'two.js'), '2')
  const seen = [await treeDigest(folder)]
  writeFileSync(join(folder, 'a/one.js'), '3')
  seen.push(await treeDigest(folder))
  writeFileSync(join(folder, 'three.js'), '')
  seen.push(await treeDigest(folder))
  assert.equal(new Set(seen).size, 3)
  assert.equal(await treeDigest(folder), seen[2])
})

test('our own interpreter is known by its place, every other program by its content', async () => {
  assert.match(await executableIdentity(process.execPath), /^inode:/)
  assert.equal(await executableIdentity(`/proc/${process.pid}/exe`), await executableIdentity(process.execPath))
  assert.match(await executableIdentity('/bin/sh'), /^sha256:[0-9a-f]{64}$/)
})

test('a program is found along the path or from the directory, and must be an executable file', async (context) => {
  const folder = temporaryDirectory(context)
  for (const [name, mode] of [['tool', 0o755], ['text', 0o644]] as const) {
    writeFileSync(join(folder, name), '')
    chmodSync(join(folder, name), mode)
  }
  mkdirSync(join(folder, 'directory'))
  assert.equal(await findProgram('tool', `relative:/nonexistent:${folder}`, '/'), join(folder, 'tool'))
  assert.equal(await findProgram('./tool', '', folder), join(folder, 'tool'))
  for (const name of ['text', 'directory', 'missing', './text']) assert.equal(await findProgram(name, folder, folder), undefined)
})

test('what runs a script is found before it is started', async (context) => {
  const folder = temporaryDirectory(context)
  const script = (name: string, firstLine: string): string => {
    writeFileSync(join(folder, name), `${firstLine}\n`)
    chmodSync(join(folder, name), 0o755)
    return join(folder, name)
  }
  symlinkSync(process.execPath, join(folder, 'node'))
  const path = `${folder}:/usr/bin:/bin`
  const argvOf = async (...argv: string[]): Promise<readonly string[] | undefined> => (await resolveCommand(argv, path, folder))?.argv
  const plain = script('plain', '#!/bin/sh -e')
  const byEnv = script('by-env', '#!/usr/bin/env node')
  const split = script('split', '#!/usr/bin/env -S node --no-warnings')
  const nested = script('nested', `#!${plain}`)
  assert.deepEqual(await argvOf('plain', 'x'), ['/bin/sh', '-e', plain, 'x'])
  assert.deepEqual(await argvOf(byEnv), [join(folder, 'node'), byEnv])
  assert.deepEqual(await argvOf(split), [join(folder, 'node'), '--no-warnings', split])
  assert.deepEqual(await argvOf(nested), ['/bin/sh', '-e', plain, nested])
  script('assigns', '#!/usr/bin/env -S A=1 node')
  assert.equal((await argvOf('assigns'))?.[0], '/usr/bin/env')
  script('endless', `#!${join(folder, 'endless')}`)
  script('orphan', '#!/nonexistent/interpreter')
  assert.deepEqual([await argvOf('endless'), await argvOf('orphan'), await argvOf(), await argvOf('missing')], [undefined, undefined, undefined, undefined])
  assert.equal(digestOf((await resolveCommand(['node'], path, folder))?.executable), digestOf((await resolveCommand([process.execPath], '', folder))?.executable))
})
