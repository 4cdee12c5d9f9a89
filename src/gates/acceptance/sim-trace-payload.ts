import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'
import { CLAIMS_AT_MOST } from '../catalog/index.ts'
import { Cause, OutputPreview, VariableNames } from './output-preview.ts'
import type { ProbeStatus } from './probe-status.ts'

/** What is wrong with one run of a simulation, or with a trace: so many faults are kept, and the others counted. */
export const TRACE_FAULTS = 5

/** One run of the program, and the trace it printed. */
export const SimulatedRun = z.strictObject({
  exit_code: z.int().nullable(),
  signal: z.string().max(50).nullable(),
  leaked: z.boolean(),
  /** Ticks that were read; the state before the first one is none. */
  ticks: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** SHA-256 over the lines of the trace as canonical JSON, each with a line end; null if it is no trace. */
  digest: Digest.nullable(),
  faults: z.array(z.string().min(1).max(300)).max(TRACE_FAULTS),
})
export type SimulatedRun = z.infer<typeof SimulatedRun>

export const SimTracePayload = z.strictObject({
  error: Cause,
  seed: z.int().nonnegative(),
  ticks: z.int().positive(),
  golden: Digest.nullable(),
  runs: z.array(SimulatedRun).max(2),
  /** Of the first run: at how many ticks each required change happened, and at which first. */
  changes: z.array(z.strictObject({ at: z.string().max(200), change: z.string().max(20), wanted: z.int().positive(), found: z.int().nonnegative(), first_tick: z.int().positive().nullable() })).max(CLAIMS_AT_MOST),
  /** The file in the directory of the run that holds the beginning of the trace; null where none is kept. */
  trace_file: z.string().max(300).nullable(),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
  environment: VariableNames,
  environment_withheld: VariableNames,
})
export type SimTracePayload = z.infer<typeof SimTracePayload>

/** Why a status cannot follow from a payload of this kind; undefined if it can. */
export function contradictionOfSimTrace(status: ProbeStatus, payload: unknown): string | undefined {
  const parsed = SimTracePayload.safeParse(payload)
  if (!parsed.success) return 'a payload that is not one of sim_trace'
  const { error, ticks, golden, runs, changes } = parsed.data
  const [first, second] = runs
  if (status === 'passed') {
    if (error !== null || first === undefined || second === undefined || !runs.every((run) => cleanRun(run, ticks))) return 'a pass without two whole traces and two clean ends'
    if (first.digest !== second.digest) return 'a pass of two different traces'
    if (golden !== null && first.digest !== golden) return 'a pass of another trace than the golden one'
    if (changes.length === 0 || changes.some(({ wanted, found }) => found < wanted)) return 'a pass without the required changes'
  }
  if (status === 'failed' && (error !== null || runs.length === 0)) return 'a failure of a simulation that was not looked at'
  if (status === 'error' && error === null) return 'an error without its cause'
  if (status === 'needs_approval') return 'a trace that waits for an approval'
  return undefined
}

/** Ended by itself with 0, left nothing behind, and printed every tick as it should. */
export const cleanRun = (run: SimulatedRun, ticks: number): boolean => run.exit_code === 0 && run.signal === null && !run.leaked && run.ticks === ticks && run.digest !== null && run.faults.length === 0
