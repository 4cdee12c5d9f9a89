import * as z from 'zod'
import { Cause, OutputPreview, VariableNames } from './output-preview.ts'
import type { ProbeStatus } from './probe-status.ts'

export const HeadlessRunPayload = z.strictObject({
  expected: z.strictObject({ exit_code: z.int(), stdout: z.string().nullable() }),
  /** Null where no process ended by itself: it did not start, or a signal ended it. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** Null where no expression was given, or nothing could be matched. */
  stdout_matched: z.boolean().nullable(),
  /** Why the probe could not look (`ENOENT`); null if it could. */
  error: Cause,
  /** True if the command left processes behind when it exited; they were ended. */
  leaked: z.boolean(),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
  /** Names of the variables the command saw, and of those it asked for and did not get because they hold a credential. */
  environment: VariableNames,
  environment_withheld: VariableNames,
})
export type HeadlessRunPayload = z.infer<typeof HeadlessRunPayload>

/** Why a status cannot follow from a payload of this kind; undefined if it can. */
export function contradictionOfHeadlessRun(status: ProbeStatus, payload: unknown): string | undefined {
  const parsed = HeadlessRunPayload.safeParse(payload)
  if (!parsed.success) return 'a payload that is not one of headless_run'
  const { expected, exit_code, signal, stdout_matched, error } = parsed.data
  if (status === 'passed' && (exit_code !== expected.exit_code || signal !== null || error !== null)) return 'a pass with another end than the expected one'
  if (status === 'passed' && expected.stdout !== null && stdout_matched !== true) return 'a pass without the expected output'
  if (status === 'failed' && (error !== null || (exit_code === null && signal === null))) return 'a failure of a command that gave no result'
  if (status === 'error' && error === null) return 'an error without its cause'
  if (status === 'needs_approval') return 'a command that waits for an approval'
  return undefined
}
