import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { buildSync } from 'esbuild'
import * as z from 'zod'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { runProgram } from './run-cli.ts'
import { until } from './served-wire.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const DIGEST = /^[0-9a-f]{64}$/
const MOST_BEFORE = 12
/** What SQLite, the key and the directories of a store are written with. */
const WRITES = ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'rename', 'write'] as const
const Counted = z.object({ syscall: z.string(), calls: z.int() })

let bundled: string | undefined

/** The writer as one file: it is started hundreds of times, and from the source each start compiles a hundred modules. */
function program(): string {
  if (bundled !== undefined) return bundled
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-writer-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  bundled = join(directory, 'writer.mjs')
  buildSync({ entryPoints: [join(import.meta.dirname, '../fixtures/programs/append-verdicts.ts')], bundle: true, platform: 'node', format: 'esm', target: 'node24', outfile: bundled, logLevel: 'silent', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" } })
  return bundled
}

interface Writer {
  readonly child: ChildProcess
  readonly gone: Promise<unknown>
  /** Digests of verdicts that the store acknowledged, whole lines only. */
  acknowledged(): readonly string[]
}

function writerOf(context: Pick<TestContext, 'after'>, path: string): Writer {
  const child = spawn(process.execPath, [program(), path], { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  let printed = ''
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString('utf8')))
  return { child, gone: once(child, 'close'), acknowledged: () => digestsIn(printed) }
}

/** Until so many verdicts were acknowledged, and a moment more: in the middle of whatever comes next. */
async function somewhereIn(writer: Writer): Promise<void> {
  const least = 1 + Math.floor(Math.random() * MOST_BEFORE)
  await until(() => writer.acknowledged().length >= least || writer.child.exitCode !== null, 'the writer to write', 60_000)
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
}

const digestsIn = (printed: string): readonly string[] => printed.split('\n').slice(0, -1).filter((line) => DIGEST.test(line))

/** Opens the store as whoever comes next would, and asks that all that was acknowledged is there, that it is whole, and that it takes more. */
export async function holdsAll(path: string, acknowledged: readonly string[]): Promise<void> {
  if (!existsSync(path)) return assert.deepEqual(acknowledged, [], 'rows were acknowledged of a store that is not there')
  const ledger = await openLedger(path)
  try {
    const run = await ledger.begin({ kind: 'task', taskId: 'after', startedAt: new Date() })
    await ledger.append({ runId: run.runId, events: [{ type: 'run_opened', at: new Date().toISOString(), data: {} }] })
    const { size } = await ledger.snapshot((view) => Promise.resolve(view))
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      assert.deepEqual(database.prepare('PRAGMA integrity_check').all().map((row) => Object.values(row)[0]), ['ok'])
      const found = database.prepare('SELECT count(*) AS count FROM entry WHERE digest = ?')
      for (const digest of acknowledged) assert.equal(found.get(digest)?.['count'], 1, `the acknowledged verdict ${digest}`)
      // The signed head stands for every row, none more and none less.
      assert.equal(database.prepare('SELECT count(*) AS count FROM entry').get()?.['count'], size)
      assert.equal(database.prepare('SELECT count(*) AS count FROM tree WHERE level = 0').get()?.['count'], size)
    } finally {
      database.close()
    }
  } finally {
    await ledger.close()
  }
}

/** Kills a writer so many times, each time somewhere else. Gives how many verdicts were acknowledged. */
export async function killAtRandom(context: TestContext, rounds: number): Promise<number> {
  const path = join(temporaryDirectory(context), 'ledger.db')
  let all = 0
  for (let round = 0; round < rounds; round += 1) {
    const writer = writerOf(context, path)
    // Every fourth is killed while it opens, the others while they write.
    if (round % 4 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
    else await somewhereIn(writer)
    writer.child.kill('SIGKILL')
    await writer.gone
    const acknowledged = writer.acknowledged()
    all += acknowledged.length
    await holdsAll(path, acknowledged)
  }
  return all
}

export const canTrace = (): boolean => {
  try {
    execFileSync('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=none', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const traced = (options: readonly string[], path: string, more: readonly string[]) => runProgram('strace', ['-qq', ...options, process.execPath, program(), path, ...more], { cwd: import.meta.dirname, timeoutMs: 120_000 })

/** How often each call that writes is made in one life of a writer, from an empty directory to a closed store. */
export async function writesOf(context: TestContext, rounds: string): Promise<readonly z.infer<typeof Counted>[]> {
  const directory = temporaryDirectory(context)
  const out = join(directory, 'calls')
  const { code, stderr } = await traced(['-o', out, '-e', `trace=${WRITES.join(',')}`], join(directory, 'store/ledger.db'), [rounds])
  assert.equal(code, 0, stderr)
  const lines = execFileSync('cat', [out], { encoding: 'utf8' }).split('\n')
  return WRITES.map((syscall) => ({ syscall, calls: lines.filter((line) => line.startsWith(`${syscall}(`)).length })).filter(({ calls }) => calls > 0)
}

/** Kills a writer at each call by which it writes, or at every so many of them: from an empty directory, so that making the store is among them. Gives how many kills there were. */
export async function killAtEachWrite(context: TestContext, every: number): Promise<number> {
  let kills = 0
  for (const { syscall, calls } of await writesOf(context, '1')) {
    for (let at = 1; at <= calls; at += every) {
      const directory = temporaryDirectory(context)
      const path = join(directory, 'store/ledger.db')
      const { signal, stdout } = await traced(['-o', '/dev/null', '-e', `trace=${syscall}`, '-e', `inject=${syscall}:signal=SIGKILL:when=${at}`], path, ['1'])
      // The last of a kind may be made by the end of the process alone.
      if (signal !== 'SIGKILL') continue
      kills += 1
      await holdsAll(path, digestsIn(stdout))
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return kills
}

/** Lets each write fail for want of space, one after another or every so many, and a few after it; then there is space again. Gives how many times the store said so. */
export async function fullAtEachWrite(context: TestContext, every: number): Promise<{ readonly tried: number; readonly refused: number }> {
  let [tried, refused] = [0, 0]
  const directory = temporaryDirectory(context)
  const first = join(directory, 'first/ledger.db')
  await (await openLedger(first)).close()
  const counts = await writesOf(context, '3')
  for (const { syscall, calls } of counts.filter((counted) => ['pwrite64', 'fsync', 'fdatasync', 'ftruncate'].includes(counted.syscall))) {
    for (let at = 1; at <= calls; at += every) {
      const own = temporaryDirectory(context)
      const path = join(own, 'ledger.db')
      for (const name of ['ledger.db', 'ledger.db-wal'].filter((each) => existsSync(join(directory, 'first', each)))) copyFileSync(join(directory, 'first', name), join(own, name))
      execFileSync('cp', ['-a', join(directory, 'first/keys'), join(own, 'keys')])
      const { code, stdout, stderr } = await traced(['-o', '/dev/null', '-e', `trace=${syscall}`, '-e', `inject=${syscall}:error=ENOSPC:when=${at}..${at + 4}`], path, ['3', 'goes on'])
      tried += 1
      const said = stdout.split('\n')
      // While the store is opened it may be refused altogether, with a fault that says so; what has begun goes on without a new start.
      if (said.includes('ready')) assert.ok(code === 0 && said.includes('closed'), `${syscall} ${at}: ${stdout.slice(-300)} ${stderr.slice(0, 600)}`)
      else assert.match(stderr, /store_failed|store_busy/, `${syscall} ${at}: ${stdout} ${stderr.slice(0, 600)}`)
      refused += said.filter((line) => line.startsWith('refused store_')).length
      await holdsAll(path, digestsIn(stdout))
      rmSync(own, { recursive: true, force: true })
    }
  }
  return { tried, refused }
}

/** False where it may not be mounted. */
function mountImage(image: string, at: string): boolean {
  mkdirSync(at, { recursive: true })
  try {
    execFileSync('mount', ['-o', 'loop', image, at], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const unmount = (at: string): void => {
  try {
    execFileSync('umount', [at], { stdio: 'ignore' })
  } catch {
    // It was unmounted before, or will be with its last user.
    return
  }
}

/**
 * Cuts the power so many times: the image of the file system is copied while its writer is stopped, so that what the writer's system
 * had not brought to the disk is not in the copy. The copy is mounted as after a start. Undefined where no image can be mounted.
 */
export async function cutPower(context: TestContext, rounds: number): Promise<number | undefined> {
  const mounted = new Set<string>()
  // Registered before the directory around it is removed, because a mount point cannot be.
  context.after(() => {
    for (const each of mounted) unmount(each)
  })
  const directory = temporaryDirectory(context)
  const [image, copy, at, after] = ['image', 'copy', 'disk', 'after'].map((name) => join(directory, name))
  if (image === undefined || copy === undefined || at === undefined || after === undefined) throw new Error('four names')
  writeFileSync(image, '')
  truncateSync(image, 64 * 1_048_576)
  try {
    execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  if (!mountImage(image, at)) return undefined
  mounted.add(at)
  let all = 0
  for (let round = 0; round < rounds; round += 1) {
    const writer = writerOf(context, join(at, `store-${round}`, 'ledger.db'))
    await somewhereIn(writer)
    writer.child.kill('SIGSTOP')
    copyFileSync(image, copy)
    writer.child.kill('SIGKILL')
    await writer.gone
    // All that it printed before it was stopped: the copy began after that.
    const acknowledged = writer.acknowledged()
    all += acknowledged.length
    assert.ok(mountImage(copy, after), 'the copy can be mounted')
    mounted.add(after)
    try {
      await holdsAll(join(after, `store-${round}`, 'ledger.db'), acknowledged)
    } finally {
      unmount(after)
    }
    rmSync(join(at, `store-${round}`), { recursive: true, force: true })
  }
  return all
}
