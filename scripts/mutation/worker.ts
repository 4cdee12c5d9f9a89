import { Worker } from 'node:worker_threads'
import * as fastCheck from 'fast-check'
import { type Generation, loadGenerations, urlOf } from './loader.ts'
import { Answer, type LimitedTest, Question, type Reach, type TestRun } from './messages.ts'
import { watchReach } from './reach.ts'
import { type Registered, takeRegistered } from './stand-in.ts'

/*
 * Runs tests against one mutant after the other in a process of its own, as long as it lives: a mutant that never ends takes the
 * process with it, and the controller starts another. Asked and answered over the channel of `fork`.
 */

/** With another seed each time, a survivor of today would be killed tomorrow. */
const SEED = 1
const WATCH_EVERY_MS = 50

const fileOf = (test: string): string => test.slice(0, test.indexOf('#'))

interface Loaded extends Registered {
  readonly id: string
}

/** Ends the process when it has used more CPU time than it may: a thread that spins runs no timer, and on a busy machine the clock on the wall proves nothing. */
function watchCpu(): (limitMs: number | undefined) => void {
  const limit = new Float64Array(new SharedArrayBuffer(8))
  const watch = new Worker(
    `const { workerData } = require('node:worker_threads')
     const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
     setInterval(() => { if (workerData[0] > 0 && used() > workerData[0]) process.kill(process.pid, 'SIGKILL') }, ${WATCH_EVERY_MS})`,
    { eval: true, workerData: limit },
  )
  watch.unref()
  return (limitMs) => {
    const { user, system } = process.cpuUsage()
    limit[0] = limitMs === undefined ? 0 : (user + system) / 1_000 + limitMs
  }
}

/** What a worker holds between two questions. */
interface Bench {
  readonly root: string
  readonly limitCpu: (limitMs: number | undefined) => void
  generation: Generation
  /** What went wrong outside the test that is awaited. */
  stray: string | undefined
  /** Ends the wait for a test that nothing is left to settle. */
  endless: (() => void) | undefined
}

async function loadTests({ root, generation }: Bench, file: string): Promise<Loaded[]> {
  takeRegistered()
  await import(urlOf(root, file, generation.number))
  const seen = new Map<string, number>()
  return takeRegistered().map((each) => {
    const nth = (seen.get(each.name) ?? 0) + 1
    seen.set(each.name, nth)
    return { ...each, id: `${file}#${each.name}${nth === 1 ? '' : `#${nth}`}` }
  })
}

/** Why a test fails; undefined if it passes. The channel must not keep the process from noticing that nothing is left to wait for. */
async function failureOf(bench: Bench, { body, name }: Loaded): Promise<string | undefined> {
  bench.stray = undefined
  process.channel?.unref()
  try {
    const stuck = new Promise<string>((resolve) => {
      bench.endless = () => resolve('it never settles')
    })
    const ended = (async (): Promise<undefined> => void (await body({ name })))()
    return (await Promise.race([ended, stuck])) ?? bench.stray
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}` || 'it threw'
  } finally {
    bench.endless = undefined
    process.channel?.ref()
  }
}

async function answerBaseline(bench: Bench, files: readonly string[]): Promise<Answer> {
  const reach = watchReach(bench.root)
  const runs: TestRun[] = []
  const atLoading: Reach[] = []
  for (const file of files) {
    const tests = await loadTests(bench, file)
    atLoading.push(reach())
    for (const each of tests) {
      const startedAtMs = performance.now()
      const failure = await failureOf(bench, each)
      runs.push({ test: each.id, elapsedMs: performance.now() - startedAtMs, failure: failure ?? null, reached: reach() })
    }
  }
  return { kind: 'baseline', runs, loaded: atLoading }
}

async function answerMutant(bench: Bench, tests: readonly LimitedTest[]): Promise<Answer> {
  const files = new Map<string, Map<string, Loaded>>()
  let count = 0
  const end = (killedBy: string | null): Answer => ({ kind: 'mutant', killedBy, ran: count, memoryBytes: process.memoryUsage.rss() })
  for (const { test, limitMs } of tests) {
    const file = fileOf(test)
    bench.limitCpu(limitMs)
    let waiting = files.get(file)
    if (waiting === undefined) {
      try {
        waiting = new Map((await loadTests(bench, file)).map((each) => [each.id, each]))
      } catch {
        return end(`${file} does not load`)
      }
      files.set(file, waiting)
    }
    const found = waiting.get(test)
    // A test that is gone, because its name or its list comes from what was mutated, kills nothing: whatever is there in its place is run.
    for (const each of found === undefined ? [...waiting.values()] : [found]) {
      waiting.delete(each.id)
      count += 1
      bench.limitCpu(limitMs)
      if ((await failureOf(bench, each)) !== undefined) return end(each.id)
    }
  }
  return end(null)
}

async function answer(bench: Bench, question: Question): Promise<Answer> {
  const number = bench.generation.number + 1
  const affected = new Set(question.affected)
  if (question.kind === 'baseline') {
    bench.generation = { number, affected, replaced: undefined }
    return answerBaseline(bench, question.files)
  }
  bench.generation = { number, affected, replaced: { file: question.file, text: question.text } }
  try {
    return await answerMutant(bench, question.tests)
  } finally {
    bench.limitCpu(undefined)
  }
}

function serve(root: string): void {
  const bench: Bench = { root, limitCpu: watchCpu(), generation: { number: 0, affected: new Set(), replaced: undefined }, stray: undefined, endless: undefined }
  loadGenerations(root, new URL('stand-in.ts', import.meta.url).href, () => bench.generation)
  process.on('unhandledRejection', (error) => {
    bench.stray = `an unhandled rejection: ${String(error)}`
  })
  process.on('uncaughtException', (error) => {
    bench.stray = `an uncaught exception: ${String(error)}`
  })
  // Nothing is left that could ever settle the test that is awaited.
  process.on('beforeExit', () => bench.endless?.())
  const say = (message: Answer): void => void process.send?.(Answer.parse(message))
  process.on('message', (message) => {
    answer(bench, Question.parse(message)).then(say, (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      process.exit(1)
    })
  })
  fastCheck.configureGlobal({ seed: SEED })
  say({ kind: 'ready' })
}

if (import.meta.main) serve(process.argv[2] ?? process.cwd())
