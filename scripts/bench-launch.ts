import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import * as z from 'zod'
import { createIsolation, type Isolation } from '../src/adapters/isolation/index.ts'
import { NO_WIRE, startSealed } from '../test/helpers/sealed.ts'

const ROUNDS = 15
/** ISO-06: what a launch may take longer at `network` than without a seal. */
export const MAXIMUM_LAUNCH_MS = 150
const LEVELS = ['env', 'fs', 'network'] as const

const LaunchRow = z.strictObject({ level: z.enum(LEVELS), medianMs: z.number(), fastestMs: z.number(), slowestMs: z.number(), addedMs: z.number(), obstacle: z.string().nullable() })
export type LaunchRow = z.infer<typeof LaunchRow>

/** What was measured in each round beside the launches, because a launch at `network` has each of it once: the trial of the level and the start of a Node. */
const LaunchParts = z.strictObject({ trialMs: z.number(), nodeMs: z.number() })
const Launches = z.strictObject({ rows: z.array(LaunchRow), parts: LaunchParts })
export type Launches = z.infer<typeof Launches>

const isolationHere = (): Isolation => createIsolation({ searchPath: process.env['PATH'] ?? '', node: process.execPath, temporaryDirectory: tmpdir() })
const medianOf = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0

async function timed(what: () => unknown): Promise<number> {
  const beganAt = performance.now()
  await what()
  return performance.now() - beganAt
}

/** From the question whether the level is reached, asked anew each time as each run asks it, to the first byte that the agent prints. */
async function launchMs(level: (typeof LEVELS)[number]): Promise<number> {
  const after: (() => unknown)[] = []
  const heard = Promise.withResolvers<void>()
  const beganAt = performance.now()
  await isolationHere().reach(level)
  const { agent } = await startSealed({ after: (end: () => unknown) => void after.push(end) }, level, ['sh', '-c', 'echo; read line'], { wire: NO_WIRE, onStdout: () => heard.resolve() })
  await heard.promise
  const elapsedMs = performance.now() - beganAt
  await agent.stop(0)
  for (const end of after.toReversed()) await end()
  return elapsedMs
}

async function measure(): Promise<Launches> {
  const isolation = isolationHere()
  const parts = { trialMs: [] as number[], nodeMs: [] as number[] }
  const obstacles = new Map(await Promise.all(LEVELS.map(async (level) => [level, (await isolation.reach(level)).obstacle] as const)))
  const times = new Map(LEVELS.map((level) => [level, [] as number[]]))
  // The first round fills the disk cache and is not counted; in the others a busy moment of the machine hits every level.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const level of LEVELS) {
      if (obstacles.get(level) !== null) continue
      const elapsedMs = await launchMs(level)
      if (round > 0) times.get(level)?.push(elapsedMs)
    }
    parts.trialMs.push(await timed(() => isolationHere().reach('network')))
    parts.nodeMs.push(await timed(() => spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' })))
  }
  const of = (level: (typeof LEVELS)[number]): readonly number[] => times.get(level) ?? []
  const rows = LEVELS.map((level) => ({ level, medianMs: medianOf(of(level)), fastestMs: Math.min(...of(level)), slowestMs: Math.max(0, ...of(level)), addedMs: medianOf(of(level)) - medianOf(of('env')), obstacle: obstacles.get(level) ?? null }))
  return { rows: rows.map((row) => (row.obstacle === null ? row : { ...row, fastestMs: 0 })), parts: { trialMs: medianOf(parts.trialMs.slice(1)), nodeMs: medianOf(parts.nodeMs.slice(1)) } }
}

/** What a start costs at each level, measured in a process of its own. */
export function measureLaunch(): Launches {
  const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  if (status !== 0) throw new Error(`Expected the measurement of launches to end in 0, got ${status}:\n${stderr}`)
  return Launches.parse(JSON.parse(stdout))
}

export const launchHolds = ({ rows }: Launches): boolean => rows.some(({ level, obstacle, addedMs }) => level === 'network' && obstacle === null && addedMs <= MAXIMUM_LAUNCH_MS)

export function printLaunch(launches: Launches): string {
  const { rows, parts } = launches
  const lines = rows.map(({ level, medianMs, fastestMs, slowestMs, addedMs, obstacle }) =>
    obstacle === null ? `${level.padEnd(8)} ${medianMs.toFixed(1).padStart(7)} ms   fastest ${fastestMs.toFixed(1).padStart(7)} ms   slowest ${slowestMs.toFixed(1).padStart(7)} ms   over env ${addedMs.toFixed(1).padStart(6)} ms` : `${level.padEnd(8)} not reached here: ${obstacle}`,
  )
  return `${lines.join('\n')}\n\nA launch at network may take ${MAXIMUM_LAUNCH_MS} ms over one at env (ISO-06): ${launchHolds(launches) ? 'it holds' : 'it does not'}\nIn the same rounds the trial of network took ${parts.trialMs.toFixed(1)} ms, and node -e 0, as the relay is a Node, ${parts.nodeMs.toFixed(1)} ms\n`
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`)
