import * as z from 'zod'
import type { Scenario } from '../e2e/scenario.ts'
import { type CommandResult, PORTCULLIS, runProgram } from './run-cli.ts'

const Line = z.strictObject({
  attack: z.string(),
  title: z.string(),
  tried: z.string(),
  verdict: z.enum(['closed', 'open', 'not-applicable', 'not-proven']),
  expected: z.strictObject({ by: z.string(), reason: z.string() }),
  found: z.strictObject({ by: z.string().nullable(), reason: z.string().nullable(), message: z.string() }).nullable(),
  because: z.array(z.string()),
  elapsed_ms: z.number(),
})
export type Line = z.infer<typeof Line>

/** What `drill --json` prints. */
export const Answer = z.strictObject({
  profiles: z.array(z.strictObject({ profile: z.string(), purpose: z.string().nullable(), model: z.string(), control: z.strictObject({ accepted: z.boolean(), message: z.string(), elapsed_ms: z.number() }), lines: z.array(Line) })),
  closed: z.int(),
  open: z.int(),
  not_applicable: z.int(),
  not_proven: z.int(),
  elapsed_ms: z.number(),
  exit_code: z.int(),
})
export type Answer = z.infer<typeof Answer>

export interface Drilled {
  readonly result: CommandResult
  readonly answer: Answer
  /** Of the first profile, by the name of the attack. */
  readonly lines: ReadonlyMap<string, Line>
}

const DRILL_LIMIT = '5m'
/** Longer than that: it ends itself. */
const DRILL_TIMEOUT_MS = 320_000

/** Runs a drill in the scenario, with the command at `program`. On a busy machine it may take its time: what it has to show is not how quick it is. */
export const drill = (made: Scenario, args: readonly string[], program: string = PORTCULLIS): Promise<CommandResult> =>
  runProgram(process.execPath, [program, 'drill', '--limit', DRILL_LIMIT, ...args], { cwd: made.directory, env: made.env, timeoutMs: DRILL_TIMEOUT_MS })

/** The same with `--json`, and reads what it printed. */
export async function readDrill(made: Scenario, args: readonly string[] = [], program: string = PORTCULLIS): Promise<Drilled> {
  const result = await drill(made, ['--json', ...args], program)
  try {
    const answer = Answer.parse(JSON.parse(result.stdout))
    return { result, answer, lines: new Map((answer.profiles[0]?.lines ?? []).map((line) => [line.attack, line])) }
  } catch (error) {
    throw new Error(`drill printed no answer (exit ${result.code}): ${result.stdout.slice(0, 1_000)}\n${result.stderr.slice(0, 1_000)}`, { cause: error })
  }
}
