import { milliseconds, printMilliseconds } from '../../contract/units.ts'
import { cleanRun, type SimTracePayload, type SimulatedRun } from '../../gates/acceptance/index.ts'
import type { ProbeDefinition, SimTraceProbe } from '../../gates/catalog/index.ts'
import { ProcessError, type ProcessExit, startProcess } from '../process/index.ts'
import { environmentOf } from './environment.ts'
import type { ProbeFinding, ProbeKindRunner, ProbePlace } from './kind.ts'
import { exitWithin, type Limit, startLimit } from './limit.ts'
import { type ReadTrace, TraceReader } from './trace-reader.ts'

/** A simulation that must do the same twice from the same seed, and in it what was declared (ACC-52). */
export const simTrace: ProbeKindRunner = {
  async run(definition, place) {
    const probe = simTraceOf(definition)
    const limit = startLimit(milliseconds(probe.timeout), place.signal)
    const startedAt = performance.now()
    try {
      const first = await simulate(probe, place, limit)
      // What failed once is not run again: the second run only compares.
      const again = limit.ended() === 'by itself' && cleanRun(first.run, probe.ticks.count)
      const second = again ? await simulate(probe, place, limit) : undefined
      return judge(probe, place, { limit, first, second, tookMs: performance.now() - startedAt })
    } catch (fault) {
      if (!(fault instanceof ProcessError)) throw fault
      return { status: 'error', summary: `the simulation could not be started: ${fault.code}`, payload: { ...blankPayload(probe), error: fault.code } }
    } finally {
      limit.close()
    }
  },
  notBegun: (definition, cause) => ({ ...blankPayload(simTraceOf(definition)), error: cause }),
}

function simTraceOf(definition: ProbeDefinition): SimTraceProbe {
  if (definition.kind !== 'sim_trace') throw new TypeError(`Expected a definition of sim_trace, got ${definition.kind}`)
  return definition
}

const blankPayload = (probe: SimTraceProbe): SimTracePayload => ({
  error: null, seed: probe.seed.value, ticks: probe.ticks.count, golden: probe.golden ?? null, runs: [], changes: [], trace_file: null, stdout: null, stderr: null, environment: [], environment_withheld: [],
})

interface Simulated {
  readonly exit: ProcessExit
  readonly trace: ReadTrace
  readonly run: SimulatedRun
  readonly names: readonly string[]
  readonly withheld: readonly string[]
}

async function simulate(probe: SimTraceProbe, place: ProbePlace, limit: Limit): Promise<Simulated> {
  const { environment, names, withheld } = environmentOf(probe.environment, place, { [probe.seed.variable]: String(probe.seed.value), [probe.ticks.variable]: String(probe.ticks.count) })
  const wrong = Promise.withResolvers<void>()
  const reader = new TraceReader(probe, wrong.resolve)
  const [program = '', ...rest] = probe.command
  const keptBytes = place.withheld.keptBytes()
  const running = await startProcess({ argv: [program, ...rest], cwd: place.workspace, env: environment, stdin: 'ignore', keep: { headBytes: keptBytes, tailBytes: keptBytes }, onStdout: (chunk) => reader.add(chunk) })
  // A trace that is none already is not waited for; a program that cannot be ended is reported by the wait for its end.
  void wrong.promise.then(() => running.stop(0).catch(() => undefined))
  const exit = await exitWithin(running, limit)
  const trace = reader.end()
  const faults = trace.faults.map((text) => place.withheld.redact(text).slice(0, 300).toWellFormed())
  return { exit, trace, names, withheld, run: { exit_code: exit.code, signal: exit.signal, leaked: exit.leaked, ticks: trace.ticks, bytes: trace.bytes, digest: trace.digest, faults } }
}

interface Outcome {
  readonly limit: Limit
  readonly first: Simulated
  readonly second: Simulated | undefined
  readonly tookMs: number
}

function judge(probe: SimTraceProbe, place: ProbePlace, { limit, first, second, tookMs }: Outcome): ProbeFinding {
  const payload: SimTracePayload = {
    ...blankPayload(probe),
    runs: [first.run, ...(second === undefined ? [] : [second.run])],
    changes: probe.changes.map(({ at, change, times }, index) => ({ at: place.withheld.redact(at), change, wanted: times, found: first.trace.changes[index]?.found ?? 0, first_tick: first.trace.changes[index]?.firstTick ?? null })),
    trace_file: first.trace.kept.length === 0 ? null : place.keep('trace.jsonl', first.trace.kept),
    stdout: place.withheld.preview(first.exit.stdout),
    stderr: place.withheld.preview(first.exit.stderr),
    environment: [...first.names],
    environment_withheld: [...first.withheld],
  }
  if (limit.ended() === 'cancelled') return { status: 'cancelled', summary: 'was cancelled before it ended', payload }
  if (limit.ended() === 'limit') return { status: 'timed_out', summary: `did not end within ${probe.timeout}`, payload }
  if ([first, second].some((each) => each !== undefined && each.exit.readFailure !== null)) return { status: 'error', summary: 'ended, but its output could not be read', payload: { ...payload, error: 'output not read' } }
  const fault = faultOf(probe, payload)
  if (fault !== undefined) return { status: 'failed', summary: place.withheld.redact(fault), payload }
  return { status: 'passed', summary: `${probe.ticks.count} ticks from seed ${probe.seed.value}, twice the same (trace ${(first.run.digest ?? '').slice(0, 12)}), with every required change, in ${printMilliseconds(tookMs)}`, payload }
}

/** What is wrong, the most telling first; undefined if nothing is. */
function faultOf(probe: SimTraceProbe, { runs, changes, golden }: SimTracePayload): string | undefined {
  const [first, second] = runs
  for (const [which, run] of [['', first], ['the second run: ', second]] as const) {
    const fault = run === undefined ? undefined : faultOfRun(run, probe.ticks.count)
    if (fault !== undefined) return `${which}${fault}`
  }
  const missing = changes.filter(({ wanted, found }) => found < wanted)
  if (missing.length > 0) return missing.map(({ at, change, wanted, found }) => `${at} ${change} at ${found} of the ${wanted} ticks that are required`).join('; ')
  if (first?.digest !== second?.digest) return `the second run with seed ${probe.seed.value} printed another trace (${(second?.digest ?? '').slice(0, 12)}) than the first (${(first?.digest ?? '').slice(0, 12)})`
  if (golden !== null && first?.digest !== golden) return `the trace is ${(first?.digest ?? '').slice(0, 12)}, not the golden ${golden.slice(0, 12)}`
  return undefined
}

function faultOfRun(run: SimulatedRun, ticks: number): string | undefined {
  const [first, ...more] = run.faults
  // A program that was ended because of its trace did not choose its end; one that ended by itself says more by its code than by what it left out.
  if (first !== undefined && run.digest === null && (run.signal !== null || run.exit_code === 0)) return first
  if (run.exit_code !== 0) return `ended with ${run.exit_code === null ? (run.signal ?? 'a signal') : `code ${run.exit_code}`} after ${run.ticks} of ${ticks} ticks`
  if (first !== undefined) return more.length === 0 ? first : `${first}; and ${more.length === 4 ? 'at least 4' : more.length} more`
  return run.leaked ? 'left processes behind when it ended' : undefined
}
