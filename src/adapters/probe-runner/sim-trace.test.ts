import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { probe, SECRET, workspaceOf } from '../../../test/helpers/probed.ts'
import { verifies } from '../../../test/verifies.ts'
import { canonicalJson, sha256 } from '../../contract/canonical.ts'
import { type ProbeRecord, type ProbeRequest, SimTracePayload } from '../../gates/acceptance/index.ts'
import { ProbeDefinition } from '../../gates/catalog/index.ts'
import { processIdentity } from '../process/index.ts'
import { TraceReader, valueAt } from './trace-reader.ts'

/** A walk that depends on nothing but its seed. Each test breaks one line of it. */
const SIMULATION = `let seed = Number(process.env.SIM_SEED)
const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
const state = { position: 0, energy: 40, mood: 'calm' }
const lines = []
const print = (tick) => lines.push(JSON.stringify({ tick, state }))
print(0)
for (let tick = 1; tick <= Number(process.env.SIM_TICKS); tick++) {
  state.position += Math.floor(random() * 3)
  state.energy -= 1
  state.mood = state.energy < 30 ? 'tired' : 'calm'
  print(tick)
}
console.log(lines.join('\\n'))
`
const DEFINITION = {
  kind: 'sim_trace',
  command: [process.execPath, 'simulate.mjs'],
  timeout: '20s',
  seed: { variable: 'SIM_SEED', value: 7 },
  ticks: { variable: 'SIM_TICKS', count: 20 },
  changes: [{ at: '/position', change: 'increases', times: 5 }, { at: '/mood', change: 'differs', times: 1 }],
  invariants: [{ at: '/energy', shape: { type: 'integer', minimum: 0, maximum: 40 }, order: 'never-increases' }, { at: '/position', order: 'never-decreases' }],
}

type Change = readonly [from: string | RegExp, to: string]

async function simulate(context: TestContext, [from, to]: Change = ['', ''], definition: Record<string, unknown> = {}, change: Partial<ProbeRequest> = {}): Promise<ProbeRecord & { payload: SimTracePayload }> {
  const source = SIMULATION.replace(from, to)
  if (from !== '') assert.notEqual(source, SIMULATION, 'the change applies')
  const record = await probe(workspaceOf(context, { 'simulate.mjs': source }), { ...DEFINITION, ...definition }, change)
  return { ...record, payload: SimTracePayload.parse(record.payload) }
}

verifies('ACC-52', 'a simulation that does the same twice from its seed, with every required change and invariant, passes with its trace and digest', async (context) => {
  const kept = new Map<string, Buffer>()
  const { status, summary, payload } = await simulate(context, undefined, {}, { keep: (name, content) => (kept.set(name, content), `backend/${name}`) })
  assert.equal(status, 'passed', summary)
  assert.match(summary, /^20 ticks from seed 7, twice the same \(trace [0-9a-f]{12}\), with every required change, in /)
  const [first, second] = payload.runs
  assert.deepEqual([first?.ticks, first?.exit_code, first?.faults, second?.digest], [20, 0, [], first?.digest])
  const trace = kept.get('probe-probe-result.trace.jsonl')?.toString() ?? ''
  assert.equal(payload.trace_file, 'backend/probe-probe-result.trace.jsonl')
  const lines = trace.trimEnd().split('\n').map((line) => JSON.parse(line) as { tick: number; state: { position: number; mood: string } })
  assert.equal(sha256(lines.map((line) => `${canonicalJson(line)}\n`).join('')), first?.digest, 'the digest can be computed by others')
  const rises = lines.filter(({ state }, index) => state.position > (lines[index - 1]?.state.position ?? Number.POSITIVE_INFINITY))
  assert.deepEqual(payload.changes, [
    { at: '/position', change: 'increases', wanted: 5, found: rises.length, first_tick: rises[0]?.tick },
    { at: '/mood', change: 'differs', wanted: 1, found: 1, first_tick: lines.find(({ state }) => state.mood === 'tired')?.tick },
  ])
  const golden = await simulate(context, undefined, { golden: first?.digest })
  assert.deepEqual([golden.status, golden.payload.golden], ['passed', first?.digest])
  assert.notEqual((await simulate(context, undefined, { seed: { variable: 'SIM_SEED', value: 8 } })).payload.runs[0]?.digest, first?.digest, 'the seed is handed over')
})

verifies('ACC-52', 'a simulation fails for each thing that it must do and does not, in words that say so', async (context) => {
  const cases: readonly (readonly [what: string, change: Change, summary: RegExp, definition?: Record<string, unknown>])[] = [
    ['chance', ['Number(process.env.SIM_SEED)', 'Date.now() + process.pid * 7919'], /^the second run with seed 7 printed another trace \([0-9a-f]{12}\) than the first \([0-9a-f]{12}\)$/],
    ['another golden trace', ['', ''], /^the trace is [0-9a-f]{12}, not the golden eeeeeeeeeeee$/, { golden: 'e'.repeat(64) }],
    ['standing still', ['Math.floor(random() * 3)', '0'], /^\/position increases at 0 of the 5 ticks that are required$/],
    ['a broken invariant', ['state.energy -= 1', 'state.energy -= 3'], /^tick 14: \/energy is -2, less than 0; and at least 4 more$/],
    ['a broken order', ['state.energy -= 1', 'state.energy += tick === 9 ? 2 : -1'], /^tick 9: \/energy increased$/],
    ['too few ticks', ['tick <= Number', 'tick < Number'], /^19 ticks of 20$/],
    ['too many ticks', ['tick <= Number(process.env.SIM_TICKS)', 'tick <= 21'], /^line 22 is one more than the 20 ticks and the state before them$/],
    ['a tick left out', ['print(tick)', 'if (tick !== 5) print(tick)'], /^line 6 is of tick 6, not 5$/],
    ['no state before the first tick', ['print(0)', ''], /^line 1 is of tick 1, not 0$/],
    ['something else among the lines', ['print(0)', "lines.push('starting')"], /^line 1 is not \{"tick": number, "state": object\} as JSON$/],
    ['a line without end', ["console.log(lines.join('\\n'))", "process.stdout.write(lines.join('\\n'))"], /^line 21 has no end$/],
    ['no output', ['console.log', 'void '], /^it printed no state$/],
    ['a failure before its first state', ['print(0)', "throw new Error('not implemented')"], /^ended with code 1 after 0 of 20 ticks$/],
    ['a failure at its end', [/$/, 'process.exitCode = 3\n'], /^ended with code 3 after 20 of 20 ticks$/],
    ['a crash', ['print(tick)\n', "print(tick); if (tick === 4) { console.log(lines.join('\\n')); process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {}) }\n"], /^ended with SIGSEGV after \d of 20 ticks$/],
    ['a state that is a list', ['const state = {', 'const state = []; const other = {'], /^line 1 is not /],
    ['no end of output', ['print(0)', `const { writeSync } = await import('node:fs'); for (;;) writeSync(1, 'x'.repeat(65536))`], /^line 1 is longer than 262144 bytes$/],
  ]
  const found = await Promise.all(cases.map(async ([what, change, , definition]) => [what, await simulate(context, change, definition)] as const))
  found.forEach(([what, { status, summary }], index) => {
    assert.equal(status, 'failed', `${what}: ${summary}`)
    assert.match(summary, cases[index]?.[2] ?? /$^/, what)
  })
})

verifies('ACC-44 ACC-69', 'a simulation that hangs ends at its limit or when it is cancelled, with everything it started', async (context) => {
  const pids = workspaceOf(context, {})
  const hang = (name: string): Change => [/$/, `\n;(await import('node:child_process')).spawn('sh', ['-c', 'trap "" TERM; echo $$ > ${pids}/${name}; while :; do sleep 0.2; done'], { detached: true, stdio: 'ignore' }); await new Promise((resolve) => setTimeout(resolve, 60000))`]
  const limited = await simulate(context, hang('limited'), { timeout: '1500ms' })
  assert.deepEqual([limited.status, limited.summary], ['timed_out', 'did not end within 1500ms'])
  const cancel = new AbortController()
  const running = simulate(context, hang('cancelled'), {}, { signal: cancel.signal })
  while (!existsSync(join(pids, 'cancelled')) || readFileSync(join(pids, 'cancelled'), 'utf8') === '') await wait(10)
  cancel.abort()
  assert.equal((await running).status, 'cancelled')
  for (const name of ['limited', 'cancelled']) assert.equal(processIdentity(Number(readFileSync(join(pids, name), 'utf8'))), undefined, name)
})

verifies('ACC-46 ACC-48 ACC-49', 'a missing program is an error, a credential in no record, and a changed workspace no pass', async (context) => {
  const missing = await simulate(context, undefined, { command: ['no-such-program-anywhere'] })
  assert.deepEqual([missing.status, missing.payload.error], ['error', 'ENOENT'])
  const leaking = await simulate(context, ["mood: 'calm'", `mood: '${SECRET}'`])
  assert.equal(JSON.stringify(leaking).includes(SECRET), false)
  const writing = await simulate(context, ['print(0)', `print(0); (await import('node:fs')).writeFileSync('saved.json', '[]')`])
  assert.deepEqual([writing.status, writing.changed_workspace], ['failed', true])
})

test('a definition in which nothing has to happen, or that repeats itself, is refused', () => {
  const refused = (change: Record<string, unknown>): boolean => !ProbeDefinition.safeParse({ ...DEFINITION, ...change }).success
  assert.equal(refused({}), false)
  for (const change of [
    { changes: [] }, { changes: [{ at: '', change: 'differs', times: 1 }] }, { changes: [{ at: '/position', change: 'differs', times: 21 }] }, { invariants: [{ at: '/position' }] }, { timeout: undefined },
    { ticks: { variable: 'SIM_SEED', count: 20 } }, { ticks: { variable: 'SIM_TICKS', count: 0 } }, { seed: { variable: 'NODE_OPTIONS', value: 1 } }, { golden: 'abc' }, { allowsWrites: true },
  ]) assert.equal(refused(change), true, JSON.stringify(change))
})

test('a trace reads the same however it is cut into pieces, and only its first fault ends it', () => {
  const parsed = ProbeDefinition.parse({ ...DEFINITION, ticks: { variable: 'SIM_TICKS', count: 2 }, changes: [{ at: '/a~1b/0', change: 'decreases', times: 1 }], invariants: [] })
  assert.ok(parsed.kind === 'sim_trace')
  const text = Buffer.from('{"tick":0,"state":{"a/b":[3],"é":1}}\n{"state":{"a/b":[2],"é":1},"tick":1}\n{"tick":2,"state":{"é":1,"a/b":[2]}}\n')
  const digests = new Set<string | null>()
  for (const size of [1, 2, 7, 40, 1_000]) {
    const reader = new TraceReader(parsed, () => assert.fail('nothing is wrong'))
    for (let at = 0; at < text.length; at += size) reader.add(text.subarray(at, at + size))
    const { ticks, faults, changes, digest, kept } = reader.end()
    assert.deepEqual([ticks, faults, changes, kept], [2, [], [{ found: 1, firstTick: 1 }], text])
    digests.add(digest)
  }
  assert.equal(digests.size, 1)
  let gaveUp = 0
  const broken = new TraceReader(parsed, () => (gaveUp += 1))
  for (const line of ['nothing\n', 'nothing\n', '{"tick":0,"state":{}}\n']) broken.add(Buffer.from(line))
  assert.deepEqual([gaveUp, broken.end().faults.length, broken.end().digest], [1, 1, null])
  assert.deepEqual([valueAt({ a: { b: [1, { c: null }] } }, '/a/b/1/c'), valueAt({ a: 1 }, '/toString'), valueAt({ '': 2 }, '/')], [null, undefined, 2])
})
