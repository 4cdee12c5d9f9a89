import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { runCli, runProgram } from '../helpers/run-cli.ts'
import { runCommands } from '../helpers/run-commands.ts'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'
import { type Scenario, scenario } from '../e2e/scenario.ts'

let made: Scenario
let served: ServedApi
const cleanUp: (() => void)[] = []

before(async () => {
  const context = { after: (act: () => void) => void cleanUp.push(act) }
  made = await scenario(context as Parameters<typeof scenario>[0])
  served = await servedApi(context, made.directory)
})
after(() => cleanUp.reverse().forEach((act) => act()))

/** The command as a client of the server, with its token in a file. */
const remote = (words: readonly string[]) => made.portcullis(['--server', served.address, '--token-file', served.firstTokenPath, ...words])

verifies('ACC-04', 'a run over a server prints the bytes of its report, and every question about it is answered as on this machine, byte for byte', async () => {
  const ran = await remote(['run', 'task.yaml', '--json'])
  assert.deepEqual([ran.code, ran.stderr], [0, ''])
  const { run_id: run } = z.object({ run_id: z.string() }).parse(JSON.parse(ran.stdout))
  const asked = [
    ['report', run, '--json'], ['report', run], ['verify', run, '--json'], ['verify', run], ['runs', '--json'], ['runs'], ['calls', run, '--json'], ['calls', run], ['calls', '--all'],
    ['resolve', 'pi_scripted', '--purpose', 'ticket'], ['resolve', 'pi_scripted', '--purpose', 'ticket', '--json'],
    // Refusals and faults as well.
    ['resolve', 'nobody', '--purpose', 'ticket'], ['resolve', 'nobody', '--purpose', 'ticket', '--json'], ['resolve', 'pi_scripted', '--purpose', 'x', '--json'],
    ['report', '20260601T013918Z-nothing-1'], ['verify', '20260601T013918Z-nothing-1', '--json'],
  ]
  const place = { cwd: made.directory, env: made.env }
  const [there, here] = await Promise.all([runCommands(asked.map((words) => ['--server', served.address, '--token-file', served.firstTokenPath, ...words]), place), runCommands(asked, place)])
  for (const [index, words] of asked.entries()) assert.deepEqual(there[index], here[index], words.join(' '))
  assert.equal((await made.portcullis(['report', run, '--json'])).stdout, ran.stdout)
})

test('a run over a server shows each gate and how it ended', async () => {
  const blank = (text: string): string => text.replace(/\d{8}T\d{6}Z-[\w-]+/g, '(run)').replace(/ +\d+(?:\.\d+)? (?:ms|s)$/gm, '').replace(/in [\d.]+ m?s/g, 'in (time)').replace(/[\d.]+ m?s\b/g, '(time)').replace(/pid \d+/g, 'pid').replace(/[0-9a-f]{7,}/g, '(digest)')
  const [there, here] = [await remote(['run', 'task.yaml']), await made.portcullis(['run', 'task.yaml'])]
  assert.equal(there.code, here.code)
  assert.equal(blank(there.stdout), blank(here.stdout))
})

test('what is not accepted ends with the same exit code over a server', async () => {
  const [there, here] = [await remote(['run', 'task.yaml', '--purpose', 'nothing', '--json']), await made.portcullis(['run', 'task.yaml', '--purpose', 'nothing', '--json'])]
  assert.equal(here.code, 3)
  assert.equal(there.code, 3)
  const Blocked = z.object({ status: z.literal('blocked'), reason: z.string() })
  assert.equal(Blocked.parse(JSON.parse(there.stdout)).reason, Blocked.parse(JSON.parse(here.stdout)).reason)
  for (const { stdout } of [there, here]) assert.equal((await made.portcullis(['verify', z.object({ run_id: z.string() }).parse(JSON.parse(stdout)).run_id])).code, 0)
  const [gone, goneHere] = [await remote(['run', 'gone.yaml']), await made.portcullis(['run', 'gone.yaml'])]
  assert.deepEqual([gone.code, goneHere.code], [2, 2])
})

verifies('ACC-30 ACC-38', 'a run that was killed is taken up by a server, shown as it goes, and told again when it has ended', async () => {
  const counted = join(made.directory, 'boundaries')
  const killed = await runProgram(process.execPath, [join(import.meta.dirname, '../helpers/crash-run.ts'), '1', counted], { cwd: made.directory, timeoutMs: 60_000 })
  assert.equal(killed.signal, 'SIGKILL', killed.stderr)
  const [newest] = z.array(z.object({ runId: z.string(), state: z.string() })).parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout))
  assert.ok(newest?.state === 'started')
  const shown = await remote(['resume', newest.runId])
  assert.equal(shown.code, 0, shown.stderr)
  assert.match(shown.stdout, /acceptance[^]*report/)
  const [there, here, reported] = [await remote(['resume', newest.runId, '--json']), await made.portcullis(['resume', newest.runId, '--json']), await made.portcullis(['report', newest.runId, '--json'])]
  assert.deepEqual([there.code, here.code], [0, 0])
  assert.equal(there.stdout, here.stdout)
  assert.equal(there.stdout, reported.stdout)
  const [again, gone] = [await remote(['resume', newest.runId]), await remote(['resume', '20260601T013918Z-nothing-1'])]
  assert.match(again.stdout, /It had ended; nothing was decided again\./)
  assert.equal(gone.code, 2)
})

test('the queue of a server is filled and shown over it, as on its own machine; a file that may not be named over a server is no order', async () => {
  const asked = ['run', 'task.yaml', '--queue', '--attempts', '2', '--key', 'nightly', '--json']
  const Entry = z.object({ id: z.string(), state: z.string(), by: z.string(), attempts: z.number(), order: z.object({ task: z.string(), profile: z.string().nullable() }) })
  const [first, again] = [await remote(asked), await remote(asked)]
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.equal(again.stdout, first.stdout, 'the same key twice is one entry')
  const entry = Entry.parse(JSON.parse(first.stdout))
  assert.deepEqual([entry.state, entry.by, entry.attempts, entry.order], ['queued', 'first', 2, { task: 'task.yaml', profile: null }])
  assert.equal((await made.portcullis(['run', 'task.yaml', '--queue', '--attempts', '1'])).code, 0)
  for (const words of [['queue', '--json'], ['queue'], ['queue', entry.id, '--json'], ['queue', entry.id]]) {
    const [there, here] = [await remote(words), await made.portcullis(words)]
    assert.deepEqual([there.code, there.stdout], [here.code, here.stdout], words.join(' '))
  }
  assert.equal(z.array(Entry).parse(JSON.parse((await remote(['queue', '--json'])).stdout)).length, 2)
  for (const [words, found] of [
    [['run', 'task.yaml', '--queue', '--attempts', '3', '--key', 'nightly'], /which asks for something else/],
    [['run', '../task.yaml', '--queue', '--attempts', '1'], /below the directory of portcullis\.yaml/],
    [['run', '/etc/passwd', '--queue', '--attempts', '1'], /below the directory of portcullis\.yaml/],
    [['run', 'gone.yaml', '--queue', '--attempts', '1'], /gone\.yaml/],
    [['run', 'task.yaml', '--admission', 'task.yaml', '--queue', '--attempts', '1'], /admissions\//],
    [['queue', 'q-000000000000'], /entry q-000000000000 of the queue/],
  ] as const) {
    const refused = await remote(words)
    assert.equal(refused.code, 2, words.join(' '))
    assert.match(refused.stderr, found)
  }
  const leaking = await remote(['run', 'task.yaml', '--purpose', ['ghp', 'wJ8kQz3LmN0pXr7TyV5bC2dF6gH9sA1eU4iO'].join('_'), '--queue', '--attempts', '1'])
  assert.match(leaking.stderr, /a credential in it/)
  assert.equal(z.array(Entry).parse(JSON.parse((await made.portcullis(['queue', '--json'])).stdout)).length, 2, 'what was refused waits for nobody')
  const pages: string[] = []
  for (let cursor = ''; ; ) {
    const page = z.object({ entries: z.array(Entry), next: z.string().nullable() }).parse((await served.ask(`/queue?limit=1${cursor}`, { token: served.admin })).json())
    pages.push(...page.entries.map(({ id }) => id))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  assert.deepEqual(pages, z.array(Entry).parse(JSON.parse((await made.portcullis(['queue', '--json'])).stdout)).map(({ id }) => id))
  // A worker of the same store carries it.
  const worked = await made.portcullis(['worker', '--lease', '10s', '--until-empty'])
  assert.equal(worked.code, 0, worked.stderr)
  assert.deepEqual(z.array(z.object({ state: z.string(), outcome: z.string().nullable() })).parse(JSON.parse((await remote(['queue', '--json'])).stdout)), [{ state: 'ended', outcome: 'accepted' }, { state: 'ended', outcome: 'accepted' }])
})

test('a command that no server can be asked for says so, and does nothing here', async () => {
  for (const words of [['drill', '--profile', 'pi_scripted'], ['tokens', 'list'], ['doctor', '--soon', '30d']]) {
    const { code, stderr } = await remote(words)
    assert.equal(code, 2, words.join(' '))
    assert.match(stderr, /about this machine alone/)
  }
  const { code, stderr } = await runCli(['doctor', '--soon', '30d'], { cwd: made.directory, env: { PORTCULLIS_SERVER: served.address } })
  assert.equal(code, 2)
  assert.match(stderr, /about this machine alone/)
})

test('a token goes nowhere but to a server that was named, over TLS or loopback, and never stands in an argument', async () => {
  const token = { PORTCULLIS_TOKEN: served.admin }
  for (const [address, found] of [['http://192.0.2.1:4030', /https, or http on loopback/], ['http://me@127.0.0.1:1', /without user/], ['nonsense', /address of a server/], ['http://127.0.0.1:9', /server_unreachable|gave no answer/]] as const) {
    const { code, stderr } = await runCli(['--server', address, 'runs'], { cwd: made.directory, env: token })
    assert.ok(code === 2 || code === 1)
    assert.match(stderr, found)
    assert.equal(stderr.includes(served.admin), false)
  }
  const over = await runCli(['runs', '--json'], { cwd: made.directory, env: { ...token, PORTCULLIS_SERVER: served.address } })
  assert.deepEqual([over.code, over.stdout], [0, (await made.portcullis(['runs', '--json'])).stdout])
  const none = await runCli(['--server', served.address, 'runs'], { cwd: made.directory })
  assert.match(none.stderr, /no PORTCULLIS_TOKEN in the environment/)
  const wrong = join(made.directory, 'wrong-token')
  writeFileSync(wrong, 'pca_nonsense\n')
  const denied = await runCli(['--server', served.address, '--token-file', wrong, 'runs', '--json'], { cwd: made.directory })
  assert.equal(denied.code, 2)
  assert.match(denied.stdout, /"code": "access_denied"/)
})
