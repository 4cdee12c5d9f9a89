import { type Baseline, fileOf, takeBaseline, testsReaching } from './baseline.ts'
import { copySource } from './copy.ts'
import { mutantsOf } from './generate.ts'
import { type Graph, inputsOf, isTest, readGraph, testsOf } from './graph.ts'
import { applyMutant, type Mutant } from './mutant.ts'
import type { LimitedTest } from './messages.ts'
import { isKilled, type Result, type ResultFile } from './results.ts'
import { parseFiles } from './syntax.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

export interface Judged {
  readonly mutant: Mutant
  readonly result: Result
}

export interface MutationRun {
  readonly root: string
  /** What is mutated and whose tests judge it, as paths below the root. */
  readonly scope: (file: string) => boolean
  /** Which of these files are mutated this time. */
  readonly chosen: (file: string) => boolean
  readonly results: ResultFile
  progress(judged: Judged, done: number, all: number): void
}

/** CPU time: ten times what a test took, and never less than this, which is room for the compiler of a cold process. */
const LEAST_LIMIT_MS = 3_000
const LIMIT_FACTOR = 10
/** By the clock on the wall, only so that nothing hangs: an idle test is found by its having nothing to wait for. */
const WALL_LIMIT_MS = 120_000
/** Modules of former mutants are never given back: a worker is replaced before they fill the memory. */
const MEMORY_LIMIT_BYTES = 1_000_000_000

/** Judges every mutant of the chosen files, on a copy of the tree. Throws if nothing is chosen, nothing can be mutated or the unmutated tests are red. */
export async function runMutation(run: MutationRun): Promise<Judged[]> {
  const copy = copySource(run.root)
  try {
    return await runOnCopy({ ...run, root: copy.root })
  } finally {
    copy.remove()
  }
}

async function runOnCopy({ root, scope, chosen, results, progress }: MutationRun): Promise<Judged[]> {
  const graph = readGraph(root)
  const files = graph.files.filter((file) => scope(file) && !isTest(file) && chosen(file))
  if (files.length === 0) throw new Error('No file is chosen: nothing would be measured')
  const mutants = parseFiles(root, files, mutantsOf).flat()
  if (mutants.length === 0) throw new Error('Nothing in these files can be mutated: nothing would be measured')
  const tests = graph.files.filter((file) => scope(file) && isTest(file) && files.some((each) => graph.closureOf(file).has(each)))
  const inputs = new Map(files.map((file) => [file, inputsOf(graph, file, tests)]))
  const former = (mutant: Mutant): Result | undefined => results.last.get(mutant.id)
  const holds = (mutant: Mutant): boolean => former(mutant)?.inputs === inputs.get(mutant.file)

  const judged: Judged[] = []
  const told = (mutant: Mutant, result: Result): void => {
    judged.push({ mutant, result })
    progress({ mutant, result }, judged.length, mutants.length)
  }
  const open = mutants.filter((mutant) => !holds(mutant))
  // Where every result holds, so does the baseline that they were taken on: it stood on the same texts.
  const judge = open.length === 0 ? undefined : judgeOn(root, graph, await takeBaseline(root, graph, tests), tests)
  try {
    for (const mutant of mutants) {
      const kept = former(mutant)
      if (kept !== undefined && holds(mutant)) told(mutant, kept)
      else if (judge !== undefined) {
        await judge.control(mutant.file)
        const result = { ...(await judge.judge(mutant, kept)), id: mutant.id, inputs: inputs.get(mutant.file) ?? '' }
        results.keep(result)
        told(mutant, result)
      }
    }
  } finally {
    await judge?.end()
  }
  return judged
}

const limitOf = (elapsedMs: number): number => Math.max(LEAST_LIMIT_MS, LIMIT_FACTOR * elapsedMs)

type Outcome = Pick<Result, 'outcome' | 'by' | 'tests'>

interface Judge {
  /** Throws unless the file as it stands survives as a mutant does that changes nothing: what fails for another reason kills nothing. */
  control(file: string): Promise<void>

  judge(mutant: Mutant, former: Result | undefined): Promise<Outcome>
  end(): Promise<void>
}

function judgeOn(root: string, graph: Graph, baseline: Baseline, tests: readonly string[]): Judge {
  let worker: WorkerProcess | undefined
  const fresh = async (): Promise<WorkerProcess> => {
    await worker?.end()
    worker = await startWorker(root, 'mutants')
    return worker
  }
  const ask = async (mutant: Pick<Mutant, 'file' | 'start' | 'end' | 'replacement'>, ordered: readonly LimitedTest[]): Promise<Outcome> => {
    // Every test that loads the mutated file is loaded anew, with all that stands between them.
    const affected = [...graph.dependentsOf(mutant.file), ...testsOf(graph, mutant.file, tests)]
    const question = { kind: 'mutant' as const, file: mutant.file, text: applyMutant(graph.textOf(mutant.file), mutant), affected, tests: [...ordered] }
    const answer = await (worker?.alive === true ? worker : await fresh()).ask(question, WALL_LIMIT_MS + ordered.reduce((sum, { limitMs }) => sum + limitMs, 0))
    if (answer.kind === 'ended') return { outcome: 'ended', by: answer.how, tests: ordered.length }
    if (answer.kind !== 'mutant') throw new Error(`A worker answered ${answer.kind} to a mutant`)
    if (answer.memoryBytes > MEMORY_LIMIT_BYTES) await fresh()
    return answer.killedBy === null ? { outcome: 'survived', by: null, tests: ordered.length } : { outcome: 'killed', by: answer.killedBy, tests: answer.ran }
  }
  const controlled = new Set<string>()
  return {
    async control(file) {
      if (controlled.has(file)) return
      controlled.add(file)
      const able = new Set(testsOf(graph, file, tests))
      const quickest = [...able].flatMap((each) => baseline.runs.filter(({ test }) => fileOf(test) === each).toSorted((one, other) => one.elapsedMs - other.elapsedMs).slice(0, 1))
      const unchanged = { file, start: 0, end: 0, replacement: '' }
      const { outcome, by } = await ask(unchanged, quickest.map(({ test, elapsedMs }) => ({ test, limitMs: limitOf(elapsedMs) })))
      if (outcome !== 'survived') throw new Error(`${file} as it stands is ${outcome} by ${by ?? 'nothing'}: what kills it kills every mutant`)
    },
    async judge(mutant, former) {
      const reaching = testsReaching(mutant, graph, baseline, tests).map(({ test, elapsedMs }) => ({ test, limitMs: limitOf(elapsedMs) }))
      if (reaching.length === 0) return { outcome: 'unreached', by: null, tests: 0 }
      const killed = ({ test }: LimitedTest): boolean => former !== undefined && isKilled(former) && former.by === test
      const ordered = [...reaching.filter(killed), ...reaching.filter((each) => !killed(each))]
      const first = await ask(mutant, ordered)
      // What ends a worker once may be the machine; twice, it is the mutant.
      return first.outcome === 'ended' ? ask(mutant, ordered) : first
    },
    async end() {
      await worker?.end()
    },
  }
}
