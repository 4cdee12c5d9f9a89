import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lineOf, readSource } from './source-text.ts'

/** Where one requirement is named by a test. */
interface Citation {
  readonly id: string
  readonly at: string
}

export interface Coverage {
  /** Every id the requirement files define, by file, in the order in which they are written. */
  readonly files: readonly { readonly file: string; readonly ids: readonly string[]; readonly cited: readonly string[] }[]
  readonly uncited: readonly string[]
  /** Ids that a test names and no file defines. */
  readonly unknown: readonly Citation[]
  /** Calls whose ids are computed, which this program cannot read. */
  readonly unreadable: readonly string[]
  readonly citations: number
}

const HEADING = '# Requirements that no test names yet. Written by `npm run requirements -- --write`; `npm run check` compares.\n'

const requirementFolder = (root: string): string => join(root, 'spec/requirements')
const uncitedFile = (root: string): string => join(requirementFolder(root), 'uncited.txt')

/** Compares `<root>/spec/requirements/*.md` with the `verifies('ID ID', ...)` calls in the tests of `<root>/src` and `<root>/test`. */
export function readCoverage(root: string): Coverage {
  const defined = globSync('*.md', { cwd: requirementFolder(root) })
    .toSorted()
    .map((file) => ({ file, ids: definedIds(readFileSync(join(requirementFolder(root), file), 'utf8')) }))
  const known = new Set(defined.flatMap(({ ids }) => ids))
  const tests = globSync(['{src,test}/**/*.test.ts', 'test/suites/*.ts'], { cwd: root }).toSorted()
  const read = tests.map((path) => citedIds(path, readFileSync(join(root, path), 'utf8')))
  const citations = read.flatMap((file) => file.citations)
  const cited = new Set(citations.map(({ id }) => id))
  return {
    files: defined.map(({ file, ids }) => ({ file, ids, cited: ids.filter((id) => cited.has(id)) })),
    uncited: [...known].filter((id) => !cited.has(id)),
    unknown: citations.filter(({ id }) => !known.has(id)),
    unreadable: read.flatMap((file) => file.unreadable),
    citations: citations.length,
  }
}

const definedIds = (text: string): string[] => [...text.matchAll(/^- \*\*([A-Z]+-[A-Z]?\d+)\*\*/gm)].flatMap(([, id]) => (id === undefined ? [] : [id]))

/** Every id that the tests of a file name, and the calls that cannot be read. */
export function citedIds(path: string, text: string): { citations: Citation[]; unreadable: string[] } {
  const { code, strings } = readSource(text)
  const citations: Citation[] = []
  const unreadable: string[] = []
  for (const call of code.matchAll(/(?<![.\w$])verifies\s*\(\s*(?:"(\d+)"\s*,)?/g)) {
    const at = `${path}:${lineOf(code, call.index)}`
    if (call[1] === undefined) unreadable.push(at)
    else for (const id of (strings[Number(call[1])] ?? '').split(' ')) citations.push({ id, at })
  }
  return { citations, unreadable }
}

/** What makes `--check` fail, one sentence each; nothing when the citations are sound and the committed list is exact. */
export function coverageFaults(root: string, coverage: Coverage): string[] {
  const faults = coverage.unknown.map(({ id, at }) => `${at} cites ${JSON.stringify(id)}, which no requirement file defines`)
  faults.push(...coverage.unreadable.map((at) => `${at} calls verifies() with ids that are computed; write them as a text, so that they can be read without running the test`))
  // A reader that finds nothing is broken, and would otherwise agree with an empty list.
  if (coverage.citations === 0) faults.push('no test cites any requirement')
  if (coverage.files.every(({ ids }) => ids.length === 0)) faults.push('no requirement file defines any id')
  const listed = readUncited(root)
  if (listed === undefined) return [...faults, 'spec/requirements/uncited.txt is missing: npm run requirements -- --write']
  const differences = [
    ...coverage.uncited.filter((id) => !listed.includes(id)).map((id) => `${id} is named by no test and is not in uncited.txt`),
    ...listed.filter((id) => !coverage.uncited.includes(id)).map((id) => `${id} is in uncited.txt, and a test names it or no file defines it`),
  ]
  return [...faults, ...differences, ...(differences.length > 0 ? ['if the tests are right: npm run requirements -- --write'] : [])]
}

function readUncited(root: string): string[] | undefined {
  const file = uncitedFile(root)
  if (!existsSync(file)) return undefined
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

export function writeUncited(root: string, coverage: Coverage): void {
  writeFileSync(uncitedFile(root), `${HEADING}${coverage.uncited.map((id) => `${id}\n`).join('')}`)
}

/** The table for people: cited and defined ids of each file, then the ids no test names. */
export function printCoverage(coverage: Coverage): string {
  const width = Math.max(...coverage.files.map(({ file }) => file.length), 5)
  const row = (name: string, cited: number, total: number): string => `${name.padEnd(width)}  ${String(cited).padStart(4)} of ${String(total).padStart(4)}`
  const rows = coverage.files.map(({ file, ids, cited }) => row(file, cited.length, ids.length))
  const sum = (of: (file: Coverage['files'][number]) => readonly string[]): number => coverage.files.reduce((total, file) => total + of(file).length, 0)
  const open = coverage.files.filter(({ ids, cited }) => cited.length < ids.length)
  const lists = open.map(({ file, ids, cited }) => `${file}: ${ids.filter((id) => !cited.includes(id)).join(' ')}`)
  return [...rows, row('total', sum(({ cited }) => cited), sum(({ ids }) => ids)), '', 'named by no test:', ...(lists.length > 0 ? lists : ['none']), ''].join('\n')
}

/** Returns the exit code. */
export function runRequirements(root: string, args: readonly string[], print: (text: string) => void): 0 | 1 {
  const { values } = parseArgs({ args: [...args], options: { check: { type: 'boolean' }, json: { type: 'boolean' }, write: { type: 'boolean' } } })
  const coverage = readCoverage(root)
  if (values.write === true) writeUncited(root, coverage)
  const faults = values.check === true ? coverageFaults(root, coverage) : []
  if (values.json === true) print(`${JSON.stringify({ ...coverage, faults }, null, 2)}\n`)
  else print(`${values.check === true ? '' : printCoverage(coverage)}${faults.map((fault) => `${fault}\n`).join('')}`)
  if (values.check === true && faults.length === 0 && values.json !== true) print(`requirements: ${coverage.citations} citations, ${coverage.uncited.length} ids not named yet, as listed\n`)
  return faults.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = runRequirements(join(import.meta.dirname, '..'), process.argv.slice(2), (text) => process.stdout.write(text))
