import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION, scenario } from '../e2e/scenario.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const DISK_KB = 24 * 1_024
const Runs = z.array(z.object({ runId: z.string(), kind: z.string(), state: z.string() }))

/** A file system of its own for the state of a project; undefined where none may be mounted. */
function smallDisk(context: TestContext): string | undefined {
  let mounted: string | undefined
  // Registered before the directory around it is removed, because a mount point cannot be.
  context.after(() => {
    if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted], { stdio: 'ignore' })
  })
  const directory = join(temporaryDirectory(context), 'disk')
  mkdirSync(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_KB}k`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  mounted = directory
  return directory
}

const freeKb = (directory: string): number => Number(execFileSync('df', ['--output=avail', '-k', directory], { encoding: 'utf8' }).split('\n')[1])

verifies('REL-02', 'a disk that is full at some point of a run: the run is not accepted, its command says so, and all goes on without repair once there is space', async (context) => {
  const disk = smallDisk(context)
  if (disk === undefined) return context.skip('a small file system can be mounted by root on Linux only')
  const made = await scenario(context)
  made.set(CONFIGURATION, ['probes', 'repository-tests', 'command'], ['grep', '-q', 'normalize', 'src/slugify.js'])
  const state = ['--state', join(disk, 'state')]
  const filler = join(disk, 'filler')
  assert.equal((await made.portcullis(['run', 'task.yaml', '--json', ...state])).code, 0, 'with space it is accepted')
  let blocked = 0
  for (const leftKb of [0, 16, 80, 200, 400]) {
    writeFileSync(filler, Buffer.alloc(Math.max(0, freeKb(disk) - leftKb) * 1_024))
    const full = await made.portcullis(['run', 'task.yaml', '--json', ...state])
    rmSync(filler)
    const runs = Runs.parse(JSON.parse((await made.portcullis(['runs', '--json', ...state])).stdout)).filter(({ kind }) => kind === 'task')
    if (full.code === 0) {
      // Enough was left for all of it.
      assert.equal(runs[0]?.state, 'accepted')
      continue
    }
    blocked += 1
    assert.ok(full.code === 1 || full.code === 3 || full.code === 4 || full.code === 75, `${leftKb} kB left: exit ${full.code}`)
    assert.match(full.stdout + full.stderr, /"(code|reason)": ?"[a-z_]+"/, `${leftKb} kB left: no reason`)
    for (const { runId, state: at } of runs.filter(({ state: reached }) => reached === 'open' || reached === 'started')) {
      const resumed = await made.portcullis(['resume', runId, '--json', ...state])
      assert.ok(resumed.code !== 0 || at === 'started', `${runId}, ${at} with ${leftKb} kB left, was accepted`)
    }
  }
  assert.ok(blocked >= 3, `${blocked} runs met a full disk`)
  const after = await made.portcullis(['run', 'task.yaml', '--json', ...state])
  assert.equal(after.code, 0, after.stdout.slice(0, 1_000) + after.stderr)
  const verified = await made.portcullis(['verify', '--rows', ...state])
  assert.equal(verified.code, 0, verified.stdout.slice(0, 1_000) + verified.stderr)
})
