import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { Report } from '../../src/gates/report/index.ts'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import { replayByHttp, replayByMcp, resumeByHttp, resumeByMcp, runByHttp, runByMcp } from '../helpers/entry-points.ts'
import { type CommandResult, PORTCULLIS, runProgram } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const ROOT = join(import.meta.dirname, '../..')
const LIBRARY = join(ROOT, 'test/fixtures/programs/run-by-library.ts')

/** A way into Portcullis, driven as a process of its own. Another surface is a row more. */
interface EntryPoint {
  readonly name: string
  run(made: Scenario): Promise<CommandResult>
  /** Takes up a run that was interrupted. */
  resume(made: Scenario, runId: string): Promise<CommandResult>
  /** The report of a run that has ended, from what is stored. */
  replay(made: Scenario, runId: string): Promise<CommandResult>
}

const node = (made: Scenario, args: readonly string[]): Promise<CommandResult> => runProgram(process.execPath, args, { cwd: made.directory, timeoutMs: 60_000 })

function entryPointsOf(command: string, library: string): readonly EntryPoint[] {
  return [
    { name: 'command line', run: (made) => node(made, [command, 'run', 'task.yaml', '--json']), resume: (made, runId) => node(made, [command, 'resume', runId, '--json']), replay: (made, runId) => node(made, [command, 'report', runId, '--json']) },
    { name: 'library', run: (made) => node(made, [LIBRARY, library, 'run', 'task.yaml']), resume: (made, runId) => node(made, [LIBRARY, library, 'resume', runId]), replay: (made, runId) => node(made, [LIBRARY, library, 'report', runId]) },
    { name: 'HTTP', run: (made) => runByHttp(command, made), resume: (made, runId) => resumeByHttp(command, made, runId), replay: (made, runId) => replayByHttp(command, made, runId) },
    { name: 'MCP', run: (made) => runByMcp(command, made), resume: (made, runId) => resumeByMcp(command, made, runId), replay: (made, runId) => replayByMcp(command, made, runId) },
  ]
}

/** What a probe does on the work; on the untouched copy each of them just fails. */
interface Case {
  readonly what: string
  /** Its definition; a program that it needs is written into the directory. */
  readonly probe: (directory: string) => Record<string, unknown>
  readonly exitCode: number
  readonly reason: string | null
  /** Statuses of the records on the result. */
  readonly statuses: readonly string[]
}

const behaving = (source: string, more: Record<string, unknown> = {}): Case['probe'] => (directory) => {
  const program = join(directory, 'probe.mjs')
  writeFileSync(program, `import { readFileSync } from 'node:fs'\nif (readFileSync('src/slugify.js', 'utf8').includes('not implemented')) process.exit(1)\n${source}\n`)
  return { kind: 'headless_run', command: ['node', program], timeout: '20s', expect: { exitCode: 0 }, ...more }
}

const CASES: readonly Case[] = [
  { what: 'passing', probe: behaving(''), exitCode: 0, reason: null, statuses: ['passed'] },
  { what: 'failing', probe: behaving('process.exit(1)'), exitCode: 4, reason: 'probe_failed', statuses: ['failed'] },
  { what: 'crashing', probe: behaving("process.kill(process.pid, 'SIGSEGV')"), exitCode: 4, reason: 'probe_failed', statuses: ['failed'] },
  { what: 'hanging', probe: behaving('setInterval(() => {}, 1000)', { timeout: '2s' }), exitCode: 4, reason: 'probe_timed_out', statuses: ['timed_out'] },
  { what: 'empty', probe: behaving('', { expect: { exitCode: 0, stdout: '^ok' } }), exitCode: 4, reason: 'probe_failed', statuses: ['failed'] },
  { what: 'vacuous', probe: () => ({ kind: 'headless_run', command: ['true'], timeout: '20s', expect: { exitCode: 0 } }), exitCode: 3, reason: 'probe_vacuous', statuses: [] },
  { what: 'corrupt', probe: behaving('process.stdout.write(Buffer.from([0xff, 0xfe, 0x00]))'), exitCode: 4, reason: 'probe_error', statuses: ['error'] },
]

/** Without what differs from run to run: its name, times and how long things took. */
const settled = (text: string, runId: string): string => text.replaceAll(runId, 'RUN').replace(/\d+(?:\.\d+)? m?s\b/g, 'T')

interface Outcome {
  readonly exitCode: number | null
  readonly reason: string | null
  readonly statuses: readonly string[]
  /** The verdicts and the evidence, as a reader sees them. */
  readonly shown: string
  /** The stored run renders the same bytes again. */
  readonly replays: boolean
}

const CRASH = join(ROOT, 'test/helpers/crash-run.ts')

/** A run whose process is killed at the first boundary behind its first probe. Its id; a run that is blocked before any probe ends instead. */
async function interrupted(made: Scenario): Promise<string> {
  const counted = join(made.directory, 'boundaries')
  rmSync(counted, { force: true })
  const { code, signal, stderr } = await node(made, [CRASH, '1', counted])
  assert.ok(signal === 'SIGKILL' || (code === 0 && readFileSync(counted, 'utf8') === '0'), `${code} ${signal} ${stderr}`)
  const [newest] = z.array(z.object({ runId: z.string(), state: z.string() })).parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout))
  assert.ok(newest !== undefined && newest.state === (signal === 'SIGKILL' ? 'started' : 'blocked'), JSON.stringify(newest))
  return newest.runId
}

async function outcomeOf(entry: EntryPoint, made: Scenario, how: 'fresh' | 'resumed'): Promise<Outcome> {
  const ran = how === 'fresh' ? await entry.run(made) : await entry.resume(made, await interrupted(made))
  const report = Report.parse(JSON.parse(ran.stdout))
  const replayed = await entry.replay(made, report.run_id)
  const toldAgain = how === 'fresh' ? ran : await entry.resume(made, report.run_id)
  const records = report.runtime_probe_evidence
  const shown = JSON.stringify({ refusal: report.refusal, items: report.acceptance.map(({ id, status }) => [id, status]), gates: report.gates.map(({ gate, outcome, reason }) => [gate, outcome, reason]), records: records.map(({ probe, kind, phase, status, summary }) => [probe, kind, phase, status, summary]) })
  return { exitCode: ran.code, reason: report.reason, statuses: records.filter(({ phase }) => phase === 'result').map(({ status }) => status), shown: settled(shown, report.run_id), replays: replayed.stdout === ran.stdout && toldAgain.stdout === ran.stdout && toldAgain.code === ran.code }
}

/** What is wrong with the answers of some entry points to one case, a sentence each. */
async function disagreements(context: TestContext, entryPoints: readonly EntryPoint[], { what, probe, exitCode, reason, statuses }: Case, how: 'fresh' | 'resumed'): Promise<string[]> {
  const made = await scenario(context)
  made.set(CONFIGURATION, ['probes', 'repository-tests'], probe(made.directory))
  made.remove('task.yaml', ['baseline', 'reference'])
  const found: string[] = []
  let first: string | undefined
  for (const entry of entryPoints) {
    const outcome = await outcomeOf(entry, made, how)
    const [asked, answered] = [{ exitCode, reason, statuses }, { exitCode: outcome.exitCode, reason: outcome.reason, statuses: outcome.statuses }].map((each) => JSON.stringify(each))
    if (asked !== answered) found.push(`${entry.name}, ${what}: ${answered}, not ${asked}`)
    if (!outcome.replays) found.push(`${entry.name}, ${what}: the stored run says something else`)
    first ??= outcome.shown
    if (first !== outcome.shown) found.push(`${entry.name}, ${what}: ${outcome.shown}, not ${first}`)
  }
  return found
}

for (const each of CASES) {
  verifies('ACC-80 ACC-36 ACC-37 ACC-04 ACC-41', `command line, library, HTTP and MCP give a ${each.what} probe the same verdict, evidence and exit code, and again from the store`, async (context) => {
    assert.deepEqual(await disagreements(context, entryPointsOf(PORTCULLIS, join(ROOT, 'src/index.ts')), each, 'fresh'), [])
  })

  verifies('ACC-80 ACC-30 ACC-38 ACC-76', `a run that was killed behind its first probe ends, by each of them that takes it up, as a ${each.what} probe makes any run end`, async (context) => {
    assert.deepEqual(await disagreements(context, entryPointsOf(PORTCULLIS, join(ROOT, 'src/index.ts')), each, 'resumed'), [])
  })
}

verifies('ACC-14', 'a class that promises a product and names no probe is refused by all of them before anything starts', async (context) => {
  const made = await scenario(context)
  made.set(CONFIGURATION, ['taskClasses', 'code-change', 'probes'], [])
  for (const entry of entryPointsOf(PORTCULLIS, join(ROOT, 'src/index.ts'))) {
    const { code, stdout } = await entry.run(made)
    const { error } = z.object({ error: z.object({ code: z.string(), found: z.string() }) }).parse(JSON.parse(stdout))
    assert.deepEqual([code, error.code], [2, 'configuration_invalid'], entry.name)
    assert.match(error.found, /expected at least one probe: completion product/)
  }
})

verifies('ACC-80 ACC-78', 'with the gate deleted in a copy of the source, every entry point is found out', async (context) => {
  const copy = temporaryDirectory(context)
  for (const part of ['bin', 'src', 'package.json', 'spec']) cpSync(join(ROOT, part), join(copy, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  const gate = join(copy, 'src/gates/acceptance/gate.ts')
  const source = readFileSync(gate, 'utf8')
  const gone = source.replace('CHECKS.map((check) => check(facts, evidence)).find((result) => result !== undefined)', '[undefined as Fault | undefined][0]')
  assert.notEqual(gone, source, 'the change applies')
  writeFileSync(gate, gone)
  const failing = CASES.find(({ what }) => what === 'failing') ?? assert.fail()
  for (const how of ['fresh', 'resumed'] as const) {
    const found = await disagreements(context, entryPointsOf(join(copy, 'bin/portcullis.js'), join(copy, 'src/index.ts')), failing, how)
    for (const name of ['command line', 'library', 'HTTP', 'MCP']) assert.ok(found.some((text) => text.startsWith(`${name}, failing: {"exitCode":0,`)), `${name}, ${how}: ${found.join('\n')}`)
  }
})

test('two runs of one entry point leave nothing to each other', async (context) => {
  const made = await scenario(context)
  const [command] = entryPointsOf(PORTCULLIS, join(ROOT, 'src/index.ts'))
  assert.ok(command !== undefined)
  const first = Report.parse(JSON.parse((await command.run(made)).stdout))
  const second = Report.parse(JSON.parse((await command.run(made)).stdout))
  assert.equal(new Set([...first.runtime_probe_evidence, ...second.runtime_probe_evidence].map(({ evidence }) => evidence)).size, first.runtime_probe_evidence.length + second.runtime_probe_evidence.length)
})
