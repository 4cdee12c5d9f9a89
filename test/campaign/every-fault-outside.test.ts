/**
 * The faults of REL-08 that somebody can bring about from outside, against the command as its users start it: files, the provider,
 * the program of the agent and the programs of probes. What lies inside is in every-fault.test.ts.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { GateName } from '../../src/contract/lifecycle.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, runsOf, type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const TEN_MB = 10 * 1_048_576
const ALIASES = 'aliases.json'

interface Faulty {
  readonly made: Scenario
  /** What the provider does with a model call; undefined forwards it. */
  provider: ((answer: ServerResponse) => void) | undefined
  /** Whether the probe of the health gate meets it as well. */
  alsoHealth: boolean
}

/** The example with a provider that can be made to fail, and an agent that does its work whatever its model says. */
async function faulty(context: TestContext): Promise<Faulty> {
  const made = await scenario(context)
  const held: Faulty = { made, provider: undefined, alsoHealth: false }
  const server = createServer((asked, answer) => void forward(held, asked, answer))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`
  made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], url)
  made.set(CONFIGURATION, ['providers', 'scripted', 'timeouts'], { connect: '5s', firstByte: '5s', idle: '5s', total: '10s' })
  made.set(RECORD, ['endpoint'], url)
  made.set(CONFIGURATION, ['probes', 'repository-tests', 'command'], ['grep', '-q', 'normalize', 'src/slugify.js'])
  assert.equal((await runTask(made)).result.code, 0, 'where nothing is at fault it passes')
  return held
}

async function forward(held: Faulty, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of asked) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  if (held.provider !== undefined && (held.alsoHealth || !body.includes('portcullis_probe'))) return held.provider(answer)
  const given = await fetch(`${held.made.provider.url}${asked.url ?? ''}`, { method: asked.method ?? 'POST', headers: { 'content-type': 'application/json' }, ...(body.length === 0 ? {} : { body }) })
  answer.writeHead(given.status, { 'content-type': given.headers.get('content-type') ?? 'application/json' }).end(Buffer.from(await given.arrayBuffer()))
}

type Place = (path: string, whole: string) => void

/** What stands where a file is read. */
const FILES: Readonly<Record<string, Place>> = {
  late: (path) => void execFileSync('mkfifo', [path]),
  crash: (path) => mkdirSync(path),
  'malformed JSON': (path) => writeFileSync(path, '{"version": 1, "aliases": }'),
  'empty output': (path) => writeFileSync(path, ''),
  '10 MB of output': (path) => writeFileSync(path, Buffer.alloc(TEN_MB, ' ')),
  'wrong type': (path) => writeFileSync(path, 'true'),
  'partial write': (path, whole) => writeFileSync(path, whole.slice(0, whole.length / 2)),
}

const json = { 'content-type': 'application/json' }
/** What a provider does in the place of its answer. */
const ANSWERS: Readonly<Record<string, (answer: ServerResponse) => void>> = {
  late: () => undefined,
  crash: (answer) => answer.destroy(),
  'non-zero exit': (answer) => void answer.writeHead(500, json).end('{"error":{"message":"broken"}}'),
  'malformed JSON': (answer) => void answer.writeHead(200, json).end('{"model":"coder-1","choices":[{'),
  'empty output': (answer) => void answer.writeHead(200, json).end(),
  '10 MB of output': (answer) => void answer.writeHead(200, json).end(Buffer.alloc(TEN_MB, 'x')),
  'wrong type': (answer) => void answer.writeHead(200, json).end('true'),
  'partial write': (answer) => {
    answer.writeHead(200, { ...json, 'content-length': '900' })
    answer.write('{"id":"1","object":"chat.completion","model":"coder-1","choices":[')
    setTimeout(() => answer.destroy(), 50)
  },
}

/** What the program of a probe does that is to print a JSON document. On the untouched copy each of them just fails. */
const PROGRAMS: Readonly<Record<string, string>> = {
  late: 'setInterval(() => undefined, 1000)',
  crash: "process.kill(process.pid, 'SIGSEGV')",
  'non-zero exit': "process.stdout.write('{\"ok\":true}'); process.exitCode = 1",
  'malformed JSON': "process.stdout.write('{\"ok\":')",
  'empty output': '',
  '10 MB of output': `process.stdout.write('x'.repeat(${TEN_MB}))`,
  'wrong type': "process.stdout.write('true')",
  'partial write': "process.stdout.write('{\"ok\":true', () => process.kill(process.pid, 'SIGKILL'))",
}

/** What is wrong with how the command ended: it must have blocked, with a reason, by the gate itself, and nothing may count. */
async function problemsOf(made: Scenario, gate: GateName, fault: string): Promise<string[]> {
  const { result, report, runDirectory } = await runTask(made)
  const own = report.gates.findLast(({ gate: name }) => name === gate)
  return [
    ...(result.code === 3 || result.code === 4 || result.code === 75 ? [] : [`exit ${result.code}`]),
    ...(report.status === 'pass' ? ['it passed'] : []),
    ...(report.reason === null || report.refusal === null ? ['no reason'] : []),
    ...(own?.outcome === 'block' ? [] : [`${gate} is ${own?.outcome}: ${report.reason}`]),
    ...(readFileSync(join(runDirectory, 'report.json'), 'utf8') === result.stdout ? [] : ['its report says something else']),
  ].map((problem) => `${gate}, ${fault}: ${problem}`)
}

const all = async (faults: readonly string[], problems: (fault: string) => Promise<string[]>): Promise<void> => {
  assert.ok(faults.length >= 7)
  const found: string[] = []
  for (const fault of faults) found.push(...(await problems(fault)))
  assert.deepEqual(found, [])
}

const ORIGINAL = JSON.stringify({ version: 1, reason: 'test', aliases: { best: { candidates: ['scripted/coder-1'] } } })

verifies('REL-08', 'catalog: an override that cannot be read, in any way in which a file can be at fault, blocks the command', async (context) => {
  const { made } = await faulty(context)
  const path = join(made.directory, ALIASES)
  await all(Object.keys(FILES), async (fault) => {
    FILES[fault]?.(path, ORIGINAL)
    const found = await problemsOf(made, 'catalog', fault)
    rmSync(path, { recursive: true })
    return found
  })
})

verifies('REL-08', 'admission: a record that cannot be read, in any way in which a file can be at fault, blocks the command', async (context) => {
  const { made } = await faulty(context)
  const path = join(made.directory, RECORD)
  await all(Object.keys(FILES), async (fault) => {
    rmSync(path, { recursive: true })
    FILES[fault]?.(path, ORIGINAL)
    return problemsOf(made, 'admission', fault)
  })
})

for (const gate of ['health', 'wire'] as const) {
  verifies('REL-08', `${gate}: a provider that fails in any way ${gate === 'health' ? 'when it is probed' : 'while the agent asks it'} blocks the command, whatever the agent then does`, async (context) => {
    const held = await faulty(context)
    held.alsoHealth = gate === 'health'
    await all(Object.keys(ANSWERS), async (fault) => {
      held.provider = ANSWERS[fault]
      return problemsOf(held.made, gate, fault)
    })
  })
}

verifies('REL-08', 'acceptance: a probe whose program fails in any way blocks the command', async (context) => {
  const { made } = await faulty(context)
  const program = join(made.directory, 'probe.mjs')
  const define = (source: string): void => {
    writeFileSync(program, `import { readFileSync } from 'node:fs'\nif (readFileSync('src/slugify.js', 'utf8').includes('not implemented')) process.exit(1)\n${source}\n`)
    made.set(CONFIGURATION, ['probes', 'repository-tests'], { kind: 'headless_run', command: ['node', program], timeout: '10s', expect: { exitCode: 0, stdout: String.raw`^\{"ok":true\}$` } })
  }
  made.remove('task.yaml', ['baseline', 'reference'])
  define("process.stdout.write('{\"ok\":true}')")
  assert.equal((await runTask(made)).result.code, 0, 'what it is to print passes')
  await all(Object.keys(PROGRAMS), async (fault) => {
    define(PROGRAMS[fault] ?? '')
    return problemsOf(made, 'acceptance', fault)
  })
})

test('launch: a program that is not there, is no program, or may not be started blocks the command', async (context) => {
  const { made } = await faulty(context)
  const path = join(made.directory, 'agent')
  const places: readonly [string, () => void][] = [
    ['not there', () => undefined],
    ['a directory', () => mkdirSync(path)],
    ['not executable', () => writeFileSync(path, '#!/bin/sh\nexit 0\n')],
    ['empty', () => writeFileSync(path, '')],
  ]
  made.set(CONFIGURATION, [...PROFILE, 'command'], [path])
  for (const [what, place] of places) {
    rmSync(path, { recursive: true, force: true })
    place()
    const { result, report } = await runTask(made)
    assert.ok(result.code !== 0 && report.status !== 'pass' && report.reason !== null, `${what}: ${result.code} ${report.reason}`)
  }
  // One that starts and does nothing is found out by what it did not ask.
  writeFileSync(path, '#!/bin/sh\nexit 0\n')
  chmodSync(path, 0o755)
  const { result, report } = await runTask(made)
  assert.deepEqual([result.code, report.reason], [4, 'no_model_call'])
  assert.ok(runsOf(made).length > places.length)
})
