import * as z from 'zod'
import { Duration, parseDuration } from '../../contract/units.ts'

/** No probe may take longer than this, whatever its definition says (ACC-43). */
export const LONGEST_PROBE_MS = 3_600_000

/** Required in every kind: a probe without a limit is refused. */
export const ProbeTimeout = Duration.refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= LONGEST_PROBE_MS, 'expected a limit of at most 1h').describe('The probe is ended, with all its processes, when it takes longer; at most 1h.')

export const ProbeCommand = z.array(z.string().min(1)).min(1).describe('The program and its arguments; no shell is involved.')
export const ProbeEnvironment = z.array(z.string().min(1)).describe('Environment variables the command may see beside the basic ones, by name.')
export const AllowsWrites = z.boolean().describe('The command may change files; it runs on a copy that is thrown away.')

/** A variable of our choosing: none of those that decide which program is run, or how. */
export const VariableName = z
  .string()
  .max(100)
  .regex(/^(?!PATH$|HOME$|TMPDIR$|NODE_OPTIONS$|LD_|DYLD_)[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable, other than PATH, HOME, TMPDIR, NODE_OPTIONS or one that begins with LD_ or DYLD_')

export const Expression = z.string().min(1).max(1_000)

/** A path as it is asked of a service. Two slashes would name another host, and a fragment is never sent. */
export const RequestPath = z.string().max(500).regex(/^\/(?!\/)[\x21\x22\x24-\x5b\x5d-\x7e]*$/, 'expected a path that begins with one slash, without spaces, backslashes and "#"')

export const HttpStatus = z.int().min(100).max(599)

/** A program that serves HTTP on a loopback port that the probe chooses. */
export const ProbeService = z
  .strictObject({
    command: ProbeCommand,
    portVariable: VariableName.describe('The environment variable in which the service is told its port, on 127.0.0.1.'),
    ready: z
      .strictObject({
        path: RequestPath.describe('Asked again and again until it answers as expected.'),
        status: HttpStatus.describe('What it answers when the service is ready.'),
        within: Duration.describe('How long that may take.'),
      })
      .describe('How it is found out that the service is ready.'),
    stopWithin: Duration.describe('How long the service may take to end after SIGTERM.'),
  })
  .describe('The service, started for the probe and ended with it.')
export type ProbeService = z.infer<typeof ProbeService>
