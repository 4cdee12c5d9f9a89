import { describeMutant, folderOf } from './mutant.ts'
import { isKilled } from './results.ts'
import type { Standing } from './reviewed.ts'
import type { Judged } from './run.ts'

export interface FolderScore {
  readonly folder: string
  readonly mutants: number
  readonly killed: number
  /** Of the killed: those that ended the process in place of a test. */
  readonly ended: number
  readonly equivalent: number
  readonly words: number
  readonly closed: number
  /** Survivors that nobody reviewed, and of these the ones that no test reaches. */
  readonly open: number
  readonly unreached: number
  /** Killed, of those that are not reviewed as opening nothing. */
  readonly score: number
}

export interface Summary {
  readonly folders: readonly FolderScore[]
  readonly all: FolderScore
}

export function summarise(judged: readonly Judged[], standing: Standing): Summary {
  const names = [...new Set(judged.map(({ mutant }) => folderOf(mutant.file)))].toSorted()
  return { folders: names.map((name) => scoreOf(name, judged, standing, (file) => folderOf(file) === name)), all: scoreOf('all', judged, standing, () => true) }
}

function scoreOf(folder: string, judged: readonly Judged[], { open, reviewed }: Standing, within: (file: string) => boolean): FolderScore {
  const own = judged.filter(({ mutant }) => within(mutant.file))
  const reviewedAs = (name: string): number => reviewed.filter((each) => each.class === name && within(each.judged.mutant.file)).length
  const killed = own.filter(({ result }) => isKilled(result)).length
  const left = open.filter(({ mutant }) => within(mutant.file))
  return {
    folder,
    mutants: own.length,
    killed,
    ended: own.filter(({ result }) => result.outcome === 'ended').length,
    equivalent: reviewedAs('equivalent'),
    words: reviewedAs('words'),
    closed: reviewedAs('closed'),
    open: left.length,
    unreached: left.filter(({ result }) => result.outcome === 'unreached').length,
    score: killed + left.length === 0 ? 1 : killed / (killed + left.length),
  }
}

const COLUMNS = ['folder', 'mutants', 'killed', 'ended', 'equivalent', 'words', 'closed', 'open', 'unreached', 'score'] as const satisfies readonly (keyof FolderScore)[]

/** The scores as a table, then each survivor that nobody reviewed, each that ended its process, and what is wrong with the list. */
export function printSummary(judged: readonly Judged[], standing: Standing): string {
  const { folders, all } = summarise(judged, standing)
  const rows = [[...COLUMNS], ...[...folders, all].map((row) => COLUMNS.map((column) => (column === 'score' ? `${(Math.floor(row.score * 1_000) / 10).toFixed(1)} %` : String(row[column]))))]
  const widths = COLUMNS.map((_column, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const table = rows.map((row) => row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  '))
  const ended = judged.filter(({ result }) => result.outcome === 'ended')
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)])
  return [
    ...table,
    ...section('Ended the process instead of a test, which counts as killed:', ended.map(({ mutant, result }) => `${describeMutant(mutant)}\n      ${result.by ?? ''}`)),
    ...section('Survived, and nobody has said why that opens nothing:', standing.open.map(({ mutant, result }) => `${describeMutant(mutant)}${result.outcome === 'unreached' ? '\n      no test reaches it' : ''}`)),
    ...section('Wrong in the list of reviewed mutants:', standing.faults),
    '',
  ].join('\n')
}
