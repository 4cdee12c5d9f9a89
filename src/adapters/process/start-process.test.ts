import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { verifies } from '../../../test/verifies.ts'
import { type ProcessSpec, processIdentity, startProcess } from './index.ts'

const keep = { headBytes: 1_024, tailBytes: 1_024 }
const path = process.env['PATH'] ?? '/usr/bin:/bin'

const spec = (argv: readonly [string, ...string[]], more: Partial<ProcessSpec> = {}): ProcessSpec => ({ argv, cwd: tmpdir(), env: { PATH: path }, stdin: 'ignore', keep, ...more })
const script = (source: string, more: Partial<ProcessSpec> = {}): ProcessSpec => spec([process.execPath, '-e', source], more)

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-process-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function until(holds: () => boolean, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > deadline) assert.fail(`not so within ${limitMs} ms`)
    await wait(10)
  }
}

const isAlive = (pid: number): boolean => processIdentity(pid) !== undefined

test('a program runs with exactly the environment given, in a session of its own', async () => {
  const running = await startProcess(spec(['sh', '-c', 'env; ps -o sess= -p $$ 2>/dev/null'], { env: { PATH: path, ONE: '1' } }))
  const exit = await running.exited
  const names = [...exit.stdout.head.toString().matchAll(/^([A-Z_a-z]+)=/gm)].map((match) => match[1] ?? '')
  assert.deepEqual(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name)).sort(), ['ONE', 'PATH', 'PORTCULLIS_PROCESS'])
  assert.equal(exit.code, 0)
  assert.equal(exit.signal, null)
  assert.equal(exit.leaked, false)
  assert.equal(exit.readFailure, null)
})

test('exit code, signal, stdout and stderr are told apart', async () => {
  const failed = await (await startProcess(spec(['sh', '-c', 'echo out; echo err >&2; exit 7']))).exited
  assert.deepEqual([failed.code, failed.signal, failed.stdout.head.toString(), failed.stderr.head.toString()], [7, null, 'out\n', 'err\n'])
  const killed = await (await startProcess(spec(['sh', '-c', 'kill -KILL $$']))).exited
  assert.deepEqual([killed.code, killed.signal], [null, 'SIGKILL'])
})

test('what cannot start rejects with the code of the system and nothing of the argv', async () => {
  const missing = startProcess(spec(['no-such-program-here', '--key=hidden-value']))
  await assert.rejects(missing, (error: Error) => 'code' in error && error.code === 'ENOENT' && !`${error.stack}${JSON.stringify(error)}`.includes('hidden-value') && error.cause === undefined)
  await assert.rejects(startProcess(spec(['true'], { cwd: '/no/such/folder' })), { code: 'ENOENT' })
  await assert.rejects(startProcess(spec(['true', 'a\0hidden'])), (error: Error) => !`${error.stack}`.includes('hidden'))
  await assert.rejects(startProcess(spec(['true'], { logs: { stdout: '/no/such/folder/out', stderr: '/no/such/folder/err', maxBytes: 1 } })), { code: 'ENOENT' })
})

test('head and tail are kept, in order, with the length and digest of all of it', async () => {
  const text = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`).join('')
  const exit = await (await startProcess(script(`process.stdout.write(Array.from({length:5000},(_,i)=>'line '+i+'\\n').join(''))`))).exited
  assert.equal(exit.stdout.bytes, Buffer.byteLength(text))
  assert.equal(exit.stdout.sha256, createHash('sha256').update(text).digest('hex'))
  assert.equal(exit.stdout.head.toString(), text.slice(0, 1_024))
  assert.equal(exit.stdout.tail.toString(), text.slice(-1_024))
  assert.equal(exit.stdout.truncated, true)
  assert.deepEqual([exit.stderr.bytes, exit.stderr.truncated, exit.stderr.head.length, exit.stderr.tail.length], [0, false, 0, 0])
})

test('output that fits is head and then tail, without a byte lost or twice', async () => {
  for (const length of [0, 1, 1_023, 1_024, 1_025, 2_047, 2_048]) {
    const exit = await (await startProcess(script(`for (let i = 0; i < ${length}; i++) process.stdout.write(String(i % 10))`))).exited
    const expected = Array.from({ length }, (_, index) => String(index % 10)).join('')
    assert.equal(Buffer.concat([exit.stdout.head, exit.stdout.tail]).toString(), expected)
    assert.equal(exit.stdout.truncated, false)
  }
})

verifies('ACC-47', '200 MB of output are counted and digested while memory grows by less than 32 MB', async () => {
  // Measured in a process of its own, so that the rest of the tests is not in the figure.
  const measure = `
    import { startProcess } from ${JSON.stringify(import.meta.resolve('./index.ts'))}
    const start = (argv) => startProcess({ argv, cwd: '/', env: { PATH: process.env.PATH }, stdin: 'ignore', keep: { headBytes: 4096, tailBytes: 4096 } })
    await (await start(['head', '-c', '1000000', '/dev/zero'])).exited
    const before = process.memoryUsage().rss
    let peak = before
    const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage().rss) }, 2)
    const exit = await (await start(['head', '-c', '200000000', '/dev/zero'])).exited
    clearInterval(timer)
    console.log(JSON.stringify({ bytes: exit.stdout.bytes, sha256: exit.stdout.sha256, kept: exit.stdout.head.length + exit.stdout.tail.length, grown: peak - before }))`
  const exit = await (await startProcess(spec([process.execPath, '--input-type=module', '-e', measure]))).exited
  const measured = JSON.parse(exit.stdout.head.toString()) as { bytes: number; sha256: string; kept: number; grown: number }
  assert.equal(measured.bytes, 200_000_000)
  assert.equal(measured.kept, 8_192)
  assert.equal(measured.sha256, 'd162f6594b643795442d4c7bba3a1711962b9e63717625d9f1f9696df315c86b')
  assert.ok(measured.grown < 32_000_000, `memory grew by ${measured.grown} bytes`)
})

test('logs hold the streams up to their bound, readable by the owner only', async (context) => {
  const directory = temporaryDirectory(context)
  const logs = { stdout: join(directory, 'out'), stderr: join(directory, 'err'), maxBytes: 10 }
  const exit = await (await startProcess(spec(['sh', '-c', 'echo 0123456789abc; echo e >&2'], { logs }))).exited
  assert.equal(readFileSync(logs.stdout, 'utf8'), '0123456789')
  assert.equal(readFileSync(logs.stderr, 'utf8'), 'e\n')
  assert.equal(statSync(logs.stdout).mode & 0o777, 0o600)
  assert.equal(exit.stdout.bytes, 14)
})

test('an observer sees every chunk; its throw is reported and the rest is still read', async () => {
  const seen: Buffer[] = []
  const observed = await (await startProcess(script(`process.stdout.write('x'.repeat(300000))`, { onStdout: (chunk) => void seen.push(chunk) }))).exited
  assert.equal(Buffer.concat(seen).toString(), 'x'.repeat(300_000))
  assert.equal(observed.readFailure, null)
  const onStdout = (): void => {
    throw new TypeError('hidden-value')
  }
  const failed = await (await startProcess(spec(['echo', 'text'], { onStdout }))).exited
  assert.equal(failed.readFailure, 'the observer of the output threw (TypeError)')
  assert.equal(failed.stdout.head.toString(), 'text\n')
})

test('input is written, and a write to a closed or missing input rejects', async () => {
  const cat = await startProcess(spec(['cat'], { stdin: 'pipe' }))
  await cat.write('héllo')
  cat.closeStdin()
  assert.equal((await cat.exited).stdout.head.toString(), 'héllo')
  await assert.rejects(cat.write('more'), { name: 'ProcessError' })
  const deaf = await startProcess(spec(['sleep', '30']))
  await assert.rejects(deaf.write('text'), { code: 'EPIPE' })
  await deaf.stop(0)
  const gone = await startProcess(spec(['sh', '-c', 'exec 0<&-; echo ready; exec sleep 30'], { stdin: 'pipe', onStdout: () => undefined }))
  await until(() => processIdentity(gone.pid)?.argv[0] === 'sleep', 2_000)
  await assert.rejects(gone.write('text'), { code: 'EPIPE' })
  await gone.stop(0)
})

/** Starts a shell and resolves with it and the pids that its first line of output names. */
async function startedWithPids(source: string, more: Partial<ProcessSpec> = {}): Promise<{ running: Awaited<ReturnType<typeof startProcess>>; pids: number[] }> {
  const announced = Promise.withResolvers<number[]>()
  let text = ''
  const onStdout = (chunk: Buffer): void => {
    text += chunk.toString()
    const line = /^(.*)\n/.exec(text)?.[1]
    if (line !== undefined) announced.resolve(line.trim().split(' ').map(Number))
  }
  const running = await startProcess(spec(['sh', '-c', source], { onStdout, ...more }))
  return { running, pids: await announced.promise }
}

verifies('ACC-45', 'a leader that exits 0 while a child holds the pipe is judged by its exit code, with the leak flagged', async () => {
  const startedAt = performance.now()
  const { running, pids } = await startedWithPids('sleep 60 & echo $!; exit 0')
  const exit = await running.exited
  assert.deepEqual([exit.code, exit.leaked], [0, true])
  assert.ok(performance.now() - startedAt < 2_000)
  assert.deepEqual(pids.filter(isAlive), [])
})

test('a child that holds no pipe is a leak too, also in a session of its own', async () => {
  for (const source of ['sleep 60 >/dev/null 2>&1 & echo $!', 'setsid sleep 60 >/dev/null 2>&1 & echo $!']) {
    const { running, pids } = await startedWithPids(source)
    const exit = await running.exited
    assert.deepEqual([exit.code, exit.leaked], [0, true], source)
    assert.deepEqual(pids.filter(isAlive), [])
  }
})

test('a helper that ends by itself shortly after the leader is no leak', async () => {
  const { running } = await startedWithPids('sleep 0.05 & echo $!; exit 3')
  const exit = await running.exited
  assert.deepEqual([exit.code, exit.leaked], [3, false])
})

// Deaf first, announced then: whoever is told of it may send a signal at once.
const DEAF = `trap '' TERM`
const STUBBORN = 'while :; do sleep 0.2; done'

/** Announces its leader, a stubborn child of its group and a daemon: new session, parent gone, deaf to SIGTERM, no pipe held. */
const DAEMONISED = `
  ${DEAF}
  sh stubborn.sh child & (setsid sh stubborn.sh daemon >/dev/null 2>&1 &)
  while ! [ -s child ] || ! [ -s daemon ]; do sleep 0.01; done
  echo $$ $(cat child) $(cat daemon)
  ${STUBBORN}`

verifies('ACC-44', 'stop ends the whole group and a daemonised grandchild deaf to SIGTERM within 2 s', async (context) => {
  const directory = temporaryDirectory(context)
  writeFileSync(join(directory, 'stubborn.sh'), `${DEAF}; echo $$ > $1; ${STUBBORN}`)
  const { running, pids } = await startedWithPids(DAEMONISED, { cwd: directory })
  assert.equal(pids.length, 3)
  assert.deepEqual(pids.filter(isAlive), pids)
  const startedAt = performance.now()
  await running.stop(200)
  const exit = await running.exited
  assert.ok(performance.now() - startedAt < 2_000)
  assert.deepEqual(pids.filter(isAlive), [])
  assert.deepEqual([exit.code, exit.signal], [null, 'SIGKILL'])
})

test('a program that ends on SIGTERM has its grace, and its helpers too', async (context) => {
  const directory = temporaryDirectory(context)
  const source = `sh -c 'trap "sleep 0.5; echo done > finished; exit 0" TERM; echo $$; while :; do sleep 0.02; done' & trap 'exit 4' TERM; while :; do sleep 0.02; done`
  const { running } = await startedWithPids(source, { cwd: directory })
  await running.stop(5_000)
  assert.equal((await running.exited).code, 4)
  assert.equal(existsSync(join(directory, 'finished')), true)
})

test('a stop that finds helpers alive after their leader has ended says so each time', async () => {
  // Whoever looks first when the grace is over must not decide what is reported: done several times, one of them would show it.
  const source = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.02; done' & trap 'exit 0' TERM; while :; do sleep 0.02; done`
  const exits = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const { running } = await startedWithPids(source)
      await running.stop(100 + 3 * index)
      return running.exited
    }),
  )
  assert.deepEqual(exits.map(({ code, leaked }) => [code, leaked]), exits.map(() => [0, true]))
})

test('a second stop may shorten the grace, and a stop after the end does nothing', async () => {
  const { running } = await startedWithPids(`${DEAF}; echo $$; ${STUBBORN}`)
  const patient = running.stop(60_000)
  await running.stop(0)
  await patient
  await running.exited
  await running.stop(0)
})

test('identity says what the kernel runs, and nothing for a process that is gone', async () => {
  const running = await startProcess(spec(['sleep', '30']))
  const identity = processIdentity(running.pid)
  assert.deepEqual(identity?.argv, ['sleep', '30'])
  assert.match(identity?.executable ?? '', /^\//)
  assert.ok((identity?.startTicks ?? 0) > 0)
  await running.stop(0)
  assert.equal(processIdentity(running.pid), undefined)
})
