import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureLedger, printLedger } from './bench-ledger.ts'
import { launchHolds, measureLaunch, printLaunch } from './bench-launch.ts'
import { printRows, scanRows } from './bench-scan.ts'

const root = join(import.meta.dirname, '..')
const MAXIMUM_DIFFERENCE_MS = 150
const ROUNDS = 15

interface Subject {
  readonly name: string
  readonly args: readonly string[]
  readonly cwd: string
}

interface Measurement {
  readonly name: string
  readonly medianMs: number
  readonly fastestMs: number
  readonly differenceMs: number
  readonly ratio: number
}

/** Time from start to exit of one process. Throws if it fails: a command that refuses is quick and proves nothing. */
function timed({ name, args, cwd }: Subject): number {
  const startedAtMs = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  const elapsedMs = performance.now() - startedAtMs
  if (status !== 0) throw new Error(`Expected ${name} to end in 0, got ${status}:\n${stderr}`)
  return elapsedMs
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}

/** Runs each subject once a round, so that a busy moment of the machine hits all of them. The first subject is what the others are compared with. */
function measure(subjects: readonly Subject[]): Measurement[] {
  // The first round fills the disk cache and is not counted.
  const rounds = Array.from({ length: ROUNDS + 1 }, () => subjects.map(timed)).slice(1)
  const medians = subjects.map((_subject, index) => median(rounds.map((round) => round[index] ?? Number.NaN)))
  const baseline = medians[0] ?? Number.NaN
  return subjects.map(({ name }, index) => {
    const medianMs = medians[index] ?? Number.NaN
    return { name, medianMs, fastestMs: Math.min(...rounds.map((round) => round[index] ?? Number.NaN)), differenceMs: medianMs - baseline, ratio: medianMs / baseline }
  })
}

/** The package as npm lays it out: built, inside node_modules, so that the command takes dist/. Undefined if there is no build. */
function installedCopy(place: string): string | undefined {
  if (!existsSync(join(root, 'dist/cli/main.js'))) return undefined
  const packaged = join(place, 'node_modules/portcullis')
  mkdirSync(packaged, { recursive: true })
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(packaged, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(packaged, 'node_modules'))
  return join(packaged, 'bin/portcullis.js')
}

function subjectsIn(place: string, profile: string): Subject[] {
  const cwd = join(place, 'project')
  cpSync(join(root, 'examples/slugify'), cwd, { recursive: true })
  const resolve = ['resolve', profile, '--purpose', 'ticket']
  const built = installedCopy(place)
  writeFileSync(join(place, 'nothing.js'), '')
  return [
    { name: 'node -e 0', args: ['-e', '0'], cwd },
    ...(built === undefined ? [] : [{ name: 'portcullis resolve (built)', args: [built, ...resolve], cwd }]),
    { name: 'portcullis resolve (source)', args: [join(root, 'bin/portcullis.js'), ...resolve], cwd },
    { name: 'portcullis --help (source)', args: [join(root, 'bin/portcullis.js'), '--help'], cwd },
  ]
}

function printMeasurements(measurements: readonly Measurement[]): string {
  const cells = [['', 'median', 'fastest', 'over node', 'ratio'], ...measurements.map(({ name, medianMs, fastestMs, differenceMs, ratio }) => [name, `${medianMs.toFixed(1)} ms`, `${fastestMs.toFixed(1)} ms`, `${differenceMs.toFixed(1)} ms`, ratio.toFixed(2)])]
  const widths = cells[0]?.map((_cell, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? []
  return cells.map((row) => `${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ')}\n`).join('')
}

/** Returns the exit code: 1 only with `--assert`, when a `resolve` takes longer than it may, no build was measured, or the secret scan is not what it must be. */
export function bench(args: readonly string[], print: (text: string) => void): 0 | 1 {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' }, assert: { type: 'boolean' } } })
  const place = mkdtempSync(join(tmpdir(), 'portcullis-bench-'))
  try {
    const measurements = measure(subjectsIn(place, 'pi_scripted'))
    const resolved = measurements.filter(({ name }) => name.startsWith('portcullis resolve (built)'))
    const within = resolved.length > 0 && resolved.every(({ differenceMs }) => differenceMs <= MAXIMUM_DIFFERENCE_MS)
    // The ledger last, so that its disk and its memory are in nobody's way.
    const ledger = measureLedger()
    const verdict = resolved.length === 0 ? 'no build to measure: npm run build' : `portcullis resolve (built) may take ${MAXIMUM_DIFFERENCE_MS} ms over node -e 0: ${within ? 'it holds' : 'it does not'}`
    const launch = measureLaunch()
    const scan = scanRows()
    if (values.json === true) print(`${JSON.stringify({ rounds: ROUNDS, node: process.versions.node, maximumDifferenceMs: MAXIMUM_DIFFERENCE_MS, within, measurements, launch, scan, ledger }, null, 2)}\n`)
    else print(`Cold start, ${ROUNDS} alternating rounds, Node ${process.versions.node}\n\n${printMeasurements(measurements)}\n${verdict}\n\nStart of an agent\n\n${printLaunch(launch)}\n${printRows(scan)}\n\nThe ledger (EVD-11), with full durability\n\n${printLedger(ledger)}`)
    return values.assert === true && !(within && launchHolds(launch) && scan.every((row) => row.within)) ? 1 : 0
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

if (import.meta.main) process.exitCode = bench(process.argv.slice(2), (text) => process.stdout.write(text))
