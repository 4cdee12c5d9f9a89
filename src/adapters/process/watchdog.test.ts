import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { processRow } from './process-table.ts'
import { startProcess } from './index.ts'

const KEEP = { headBytes: 4_096, tailBytes: 4_096 }

/** Starts a program that leaves a child in a session of its own, prints both pids, and waits. */
const LAUNCHER = `
import { startProcess } from ${JSON.stringify(join(import.meta.dirname, 'start-process.ts'))}
const agent = 'const { spawn } = require("node:child_process"); const child = spawn(process.execPath, ["-e", "process.title; setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }); child.once("spawn", () => console.log(process.pid + " " + child.pid)); setInterval(() => {}, 1000)'
await startProcess({ argv: [process.execPath, '-e', agent], cwd: '/', env: {}, stdin: 'pipe', endsWithUs: true, keep: { headBytes: 100, tailBytes: 100 }, onStdout: (chunk) => process.stdout.write(chunk) })
`

const alive = (pid: number): boolean => processRow(pid)?.alive === true

test('a program and its child in another session end when we are killed', { skip: process.platform !== 'linux' && 'only Linux shows the marker of a process' }, async (t) => {
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', LAUNCHER], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => launcher.kill('SIGKILL'))
  const [line] = (await once(launcher.stdout, 'data')) as [Buffer]
  const pids = line.toString('utf8').trim().split(' ').map(Number)
  assert.deepEqual(pids.map(alive), [true, true])
  launcher.kill('SIGKILL')
  const deadline = performance.now() + 30_000
  while (pids.some(alive)) {
    assert.ok(performance.now() < deadline, `still there: ${pids.filter(alive).join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
})

test('a program that ends by itself leaves no watchdog, and nothing else is ended', async () => {
  const stranger = await startProcess({ argv: [process.execPath, '-e', 'process.stdin.resume()'], cwd: '/', env: {}, stdin: 'pipe', keep: KEEP })
  const before = children()
  const { exited } = await startProcess({ argv: [process.execPath, '-e', '0'], cwd: '/', env: {}, stdin: 'ignore', keep: KEEP, endsWithUs: true })
  assert.equal((await exited).code, 0)
  await new Promise((resolve) => setImmediate(resolve))
  const deadline = performance.now() + 30_000
  while (children() > before) {
    assert.ok(performance.now() < deadline, 'the watchdog is still there')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(alive(stranger.pid), true)
  await stranger.stop(0)
})

const children = (): number => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter((pid) => pid !== '').length
