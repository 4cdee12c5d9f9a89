import { existsSync, readFileSync } from 'node:fs'
import * as z from 'zod'
import { isOperator, type Mutant, type Operator } from './mutant.ts'
import { isKilled } from './results.ts'
import type { Judged } from './run.ts'

const Entry = z.strictObject({
  file: z.string(),
  /** The declarations around it, outermost first, joined by dots. */
  scope: z.string(),
  operator: z.custom<Operator>((value) => typeof value === 'string' && isOperator(value), 'an operator'),
  from: z.string(),
  to: z.string(),
  /** Which of those that are alike; the first if it is left out. */
  occurrence: z.int().positive().optional(),
})

/** Why a mutant that no test kills opens no gate. */
export const CLASSES = {
  equivalent: 'no input can tell it from the source',
  words: 'it changes what people read, never what is decided',
  closed: 'it can only refuse more, or give a fault in place of a refusal',
} as const

/** Mutants that somebody looked at, and found to open nothing. */
export const Reviewed = z.array(z.strictObject({ class: z.enum(['equivalent', 'words', 'closed']), reason: z.string().min(20), mutants: z.array(Entry).min(1) }))
export type Reviewed = z.infer<typeof Reviewed>

const keyOf = ({ file, scope, operator, from, to, occurrence = 1 }: z.infer<typeof Entry> | Mutant): string => JSON.stringify([file, scope, operator, from, to, occurrence])

/** Reads the reviewed mutants; none if there is no such file. Throws for one that is no such list. */
export const readReviewed = (path: string): Reviewed => (existsSync(path) ? Reviewed.parse(JSON.parse(readFileSync(path, 'utf8'))) : [])

export interface Standing {
  /** Survivors that nobody has reviewed. */
  readonly open: readonly Judged[]
  readonly reviewed: readonly { readonly judged: Judged; readonly class: keyof typeof CLASSES; readonly reason: string }[]
  /** Entries that are wrong: what they name is gone, is killed now, or is named twice. */
  readonly faults: readonly string[]
}

/** Holds the survivors against the list. An entry for a file that was not judged is left alone. */
export function holdAgainst(judged: readonly Judged[], reviewed: Reviewed): Standing {
  const byKey = new Map(judged.map((each) => [keyOf(each.mutant), each]))
  const files = new Set(judged.map(({ mutant }) => mutant.file))
  const found: Standing['reviewed'][number][] = []
  const seen = new Set<string>()
  const faults: string[] = []
  for (const group of reviewed) {
    for (const entry of group.mutants.filter(({ file }) => files.has(file))) {
      const key = keyOf(entry)
      const named = `${entry.file}  ${entry.operator}  in ${entry.scope}: ${entry.from} → ${entry.to}`
      const match = byKey.get(key)
      if (seen.has(key)) faults.push(`${named}\n      is listed twice`)
      else if (match === undefined) faults.push(`${named}\n      is listed and there is no such mutant any more`)
      else if (isKilled(match.result)) faults.push(`${named}\n      is listed and is killed now, by ${match.result.by ?? 'nothing'}`)
      else found.push({ judged: match, class: group.class, reason: group.reason })
      seen.add(key)
    }
  }
  return { open: judged.filter(({ mutant, result }) => !isKilled(result) && !seen.has(keyOf(mutant))), reviewed: found, faults }
}
