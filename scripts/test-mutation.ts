import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { folderOf } from './mutation/mutant.ts'
import { isKilled, openResults } from './mutation/results.ts'
import { holdAgainst, readReviewed } from './mutation/reviewed.ts'
import { type Judged, runMutation } from './mutation/run.ts'
import { printSummary, summarise } from './mutation/summary.ts'

/*
 * Mutation testing of what decides (REL-09): each small change of src/contract and src/gates that opens a gate must turn a test red.
 * Ends with 0 only if every survivor is reviewed and the list of reviewed ones is right; see docs/mutation.md.
 */

const root = join(import.meta.dirname, '..')
const REVIEWED = join(import.meta.dirname, 'mutation/reviewed.json')
const RESULTS = join(root, '.mutation/results.ndjson')
const TELL_EVERY_MS = 5_000
const EXIT = { sound: 0, survivors: 1, usage: 2, interrupted: 130 } as const

const USAGE = `npm run test:mutation -- [--gate <name> ...] [--file <path> ...] [--json] [--results <file>]
  --gate     only this folder of src/gates, or contract
  --file     only this file, as a path below the root
  --json     the summary and the survivors as JSON
  --results  where results are kept, and taken from where nothing they depend on has changed; .mutation/results.ndjson
`

const scope = (file: string): boolean => /^src\/(?:contract|gates)\//.test(file)

function chooser(gates: readonly string[], files: readonly string[]): (file: string) => boolean {
  if (gates.length === 0 && files.length === 0) return () => true
  const folders = gates.map((gate) => (gate === 'contract' ? 'src/contract' : `src/gates/${gate}`))
  return (file) => files.includes(file) || folders.includes(folderOf(file))
}

/** Tells each survivor as it is found, and now and then how far the run is. */
function teller(): (judged: Judged, done: number, all: number) => void {
  let toldAtMs = 0
  let survivors = 0
  return ({ mutant, result }, done, all) => {
    if (!isKilled(result)) survivors += 1
    const nowMs = performance.now()
    if (nowMs - toldAtMs < TELL_EVERY_MS && done < all) return
    toldAtMs = nowMs
    process.stderr.write(`${done} of ${all}, ${survivors} not killed, at ${mutant.file}:${mutant.line}\n`)
  }
}

function asJson(judged: readonly Judged[], standing: ReturnType<typeof holdAgainst>): string {
  const shown = ({ mutant: { id, file, line, scope: within, operator, from, to, occurrence }, result }: Judged): object => ({ id, file, line, scope: within, operator, from, to, occurrence, outcome: result.outcome, by: result.by })
  return `${JSON.stringify(
    { ...summarise(judged, standing), survivors: standing.open.map(shown), reviewed: standing.reviewed.map((each) => ({ ...shown(each.judged), class: each.class, reason: each.reason })), faults: standing.faults },
    null,
    2,
  )}\n`
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { gate: { type: 'string', multiple: true }, file: { type: 'string', multiple: true }, json: { type: 'boolean' }, results: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help === true) {
    process.stdout.write(USAGE)
    return EXIT.sound
  }
  const judged = await runMutation({ root, scope, chosen: chooser(values.gate ?? [], values.file ?? []), results: openResults(values.results ?? RESULTS), progress: teller() })
  const standing = holdAgainst(judged, readReviewed(REVIEWED))
  process.stdout.write(values.json === true ? asJson(judged, standing) : printSummary(judged, standing))
  return standing.open.length === 0 && standing.faults.length === 0 ? EXIT.sound : EXIT.survivors
}

if (import.meta.main) {
  // What is done is kept; the copy of the source is not.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT.interrupted))
  process.exitCode = await main()
}
