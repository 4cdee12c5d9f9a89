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

/** Longer than a drill may take: it ends itself. */
const DRILL_TIMEOUT_MS = 120_000

/** So often a drill is begun again that says of itself that its time ran out: it has shown nothing, in either direction. */
const MOST_DRILLS = 3

/** Runs a drill in the scenario, with the command at `program`, and reads what it printed; again if it had no time to try everything. */
export async function readDrill(made: Scenario, args: readonly string[], program: string = PORTCULLIS): Promise<Drilled> {
  for (let drills = 1; ; drills += 1) {
    const drilled = await drillOnce(made, args, program)
    if (drills === MOST_DRILLS || !ranOutOfTime(drilled.answer)) return drilled
  }
}

const ranOutOfTime = ({ profiles }: Answer): boolean =>
  profiles.some(({ control, lines }) => (!control.accepted && control.message.startsWith('run_timed_out')) || lines.some((line) => line.verdict === 'not-proven' && control.accepted))

async function drillOnce(made: Scenario, args: readonly string[], program: string): Promise<Drilled> {
  const result = await runProgram(process.execPath, [program, ...args], { cwd: made.directory, env: made.env, timeoutMs: DRILL_TIMEOUT_MS })
  try {
    const answer = Answer.parse(JSON.parse(result.stdout))
    return { result, answer, lines: new Map((answer.profiles[0]?.lines ?? []).map((line) => [line.attack, line])) }
  } catch (error) {
    throw new Error(`drill printed no answer (exit ${result.code}): ${result.stdout.slice(0, 1_000)}\n${result.stderr.slice(0, 1_000)}`, { cause: error })
  }
}
