import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Graph, testsOf } from './graph.ts'
import type { Reach, TestRun } from './messages.ts'
import { folderOf, type Mutant } from './mutant.ts'
import { ran } from './reach.ts'
import { startWorker } from './worker-process.ts'

/** The tests on the source as it stands: all green, and what each reaches. */
export interface Baseline {
  readonly runs: readonly TestRun[]
  readonly loaded: readonly Reach[]
}

/** Longer than all tests of a folder may take on a busy machine. */
const BASELINE_LIMIT_MS = 600_000

export const fileOf = (test: string): string => test.slice(0, test.indexOf('#'))

/**
 * Runs the tests unmutated, once as `node --test` runs them and once as the mutants will be, and throws unless both are green and
 * have the same number of tests: a mutant that "fails" where everything fails proves nothing, and a test that is not run kills nothing.
 */
export async function takeBaseline(root: string, graph: Graph, tests: readonly string[]): Promise<Baseline> {
  if (tests.length === 0) throw new Error('No test loads what is to be mutated: every mutant would survive, and nothing would be measured')
  const passed = runAsUsual(root, tests)
  const worker = await startWorker(root, 'reach')
  try {
    const answer = await worker.ask({ kind: 'baseline', affected: [...graph.files], files: [...tests] }, BASELINE_LIMIT_MS)
    if (answer.kind !== 'baseline') throw new Error(`The unmutated tests ended the worker: ${answer.kind}`)
    const failed = answer.runs.filter(({ failure }) => failure !== null)
    if (failed.length > 0) throw new Error(`The unmutated source is red, so no mutant can be judged:\n${failed.map(({ test, failure }) => `  ${test}: ${failure}`).join('\n')}`)
    if (answer.runs.length !== passed) throw new Error(`node --test passes ${passed} tests of these files and the mutation run ${answer.runs.length}: what it measures is not what is tested`)
    const own = new Set(answer.runs.map(({ test }) => fileOf(test)))
    const shared = tests.filter((file) => own.has(file) && tests.some((each) => each !== file && graph.dependentsOf(file).has(each)))
    if (shared.length > 0) throw new Error(`Another test file loads ${shared.join(', ')}: whose tests are whose would depend on the order`)
    return answer
  } finally {
    await worker.end()
  }
}

/** How many tests `node --test` passes. Throws unless all pass and none is skipped. */
function runAsUsual(root: string, tests: readonly string[]): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', '--test-isolation=none', '--test-reporter=tap', ...tests.map((file) => join(root, file))], { cwd: root, encoding: 'utf8', timeout: BASELINE_LIMIT_MS, maxBuffer: 100_000_000, env: withoutTestContext() })
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1] ?? Number.NaN)
  if (status !== 0 || count('pass') !== count('tests') || count('skipped') !== 0 || count('todo') !== 0) {
    throw new Error(`The unmutated source is red, so no mutant can be judged: node --test ended with ${status}\n${[...stdout.matchAll(/^\s*not ok .*$/gm)].map(([line]) => line).join('\n')}${stderr}`)
  }
  // A file that holds none, only samples for others, is counted as one that passed.
  const withoutTests = [...stdout.matchAll(/^ok \d+ - (.*)$/gm)].filter(([, name]) => tests.some((file) => name === file || name === join(root, file))).length
  return count('pass') - withoutTests
}

/** Inside a test, `node --test` would report to the runner above it and run nothing of its own. */
function withoutTestContext(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _above, ...env } = process.env
  return env
}

/** The tests that reach a mutant, most telling first: those of its own folder, then the quickest. Those that cannot notice it are left out. */
export function testsReaching(mutant: Mutant, graph: Graph, baseline: Baseline, tests: readonly string[]): TestRun[] {
  const able = new Set(testsOf(graph, mutant.file, tests))
  // What runs while a file is loaded decides for all that load it.
  const whenLoaded = !mutant.inFunction || baseline.loaded.some((reach) => ran(reach[mutant.file], mutant.start))
  const folder = `${folderOf(mutant.file)}/`
  const distance = ({ test }: TestRun): number => (test.startsWith(`${mutant.file.replace(/\.ts$/, '')}.test.ts#`) ? 0 : test.startsWith(folder) ? 1 : 2)
  return baseline.runs
    .filter((run) => able.has(fileOf(run.test)) && (whenLoaded || ran(run.reached[mutant.file], mutant.start)))
    .toSorted((one, other) => distance(one) - distance(other) || one.elapsedMs - other.elapsedMs)
}
