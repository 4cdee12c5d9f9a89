import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { processIdentity } from '../../src/adapters/process/index.ts'
import { probe, workspaceOf } from '../helpers/probed.ts'
import { runProgram } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'

const PROBED = join(import.meta.dirname, '../helpers/probed.ts')
const Measured = z.object({ status: z.string(), bytes: z.number(), grown: z.number() })

verifies('ACC-47', 'a probe that prints 200 MB raises the memory of its runner by less than 32 MB', async (context) => {
  const workspace = workspaceOf(context, { 'a.txt': 'one\n' })
  // Measured in a process of its own, after a first probe has loaded and warmed what it needs.
  const measure = `
    const { probe } = await import(${JSON.stringify(PROBED)})
    const print = (bytes) => probe(${JSON.stringify(workspace)}, { kind: 'headless_run', command: ['sh', '-c', 'head -c ' + bytes + ' /dev/zero'], timeout: '60s', expect: { exitCode: 0 } })
    await print(1000000)
    global.gc()
    const before = process.memoryUsage().rss
    let peak = before
    const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage().rss) }, 2)
    const record = await print(200000000)
    clearInterval(timer)
    console.log(JSON.stringify({ status: record.status, bytes: record.payload.stdout.bytes, grown: peak - before }))`
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--expose-gc', '--input-type=module', '-e', measure], { cwd: workspace })
  assert.equal(code, 0, stderr)
  const { status, bytes, grown } = Measured.parse(JSON.parse(stdout))
  assert.deepEqual([status, bytes], ['passed', 200_000_000])
  assert.ok(grown < 32_000_000, `memory grew by ${grown} bytes`)
})

verifies('ACC-46 ACC-44 ACC-45', 'output that is no text, a missing program, an unreadable directory and a daemon each have their own record', async (context) => {
  const workspace = workspaceOf(context, { 'a.txt': 'one\n' })
  const pids = workspaceOf(context, {})
  const run = (command: readonly string[], place = workspace) => probe(place, { kind: 'headless_run', command, timeout: '20s', expect: { exitCode: 0 } })
  const unreadable = await probe(workspace, { kind: 'headless_run', command: ['cat', 'a.txt'], timeout: '20s', expect: { exitCode: 0 } }, { workspace: join(workspace, 'absent') })
  const daemon = await run(['sh', '-c', `setsid sh -c 'trap "" TERM; echo $$ > ${pids}/daemon; while :; do sleep 0.2; done' >/dev/null 2>&1 & while ! [ -s ${pids}/daemon ]; do sleep 0.02; done`])
  assert.deepEqual(
    [await run(['sh', '-c', 'head -c 9 /dev/urandom; printf "\\377\\376"']), await run(['no-such-program-anywhere']), unreadable, daemon].map(({ status, payload }) => [status, payload['error'], payload['leaked']]),
    [['error', 'output not UTF-8', false], ['error', 'ENOENT', false], ['error', 'the workspace could not be read (ENOENT)', false], ['passed', null, true]],
  )
  assert.equal(processIdentity(Number(readFileSync(join(pids, 'daemon'), 'utf8'))), undefined, 'the daemon is gone')
})
