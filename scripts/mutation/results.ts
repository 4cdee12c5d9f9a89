import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'

/** What became of a mutant. A worker that spins, hangs or dies under it ends no test green: that counts as killed, and is named. */
export const Result = z.strictObject({
  id: z.string(),
  /** Everything that the outcome can depend on, as a digest: with another one it is history. */
  inputs: z.string(),
  outcome: z.enum(['killed', 'ended', 'survived', 'unreached']),
  /** The test that failed, or how the worker ended. */
  by: z.string().nullable(),
  tests: z.int(),
})
export type Result = z.infer<typeof Result>

export const isKilled = ({ outcome }: Result): boolean => outcome === 'killed' || outcome === 'ended'

export interface ResultFile {
  /** The last result of each mutant, whether it still holds or not. */
  readonly last: ReadonlyMap<string, Result>
  keep(result: Result): void
}

/** Opens a file of results, one a line; each is written as soon as it is known, so that a run that was stopped goes on where it was. A last line that was cut off is dropped. */
export function openResults(path: string): ResultFile {
  mkdirSync(dirname(path), { recursive: true })
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  const whole = lines.slice(0, -1).filter((line) => line !== '')
  const last = new Map<string, Result>()
  for (const line of whole) {
    const result = Result.parse(JSON.parse(line))
    last.set(result.id, result)
  }
  writeFileSync(path, [...last.values()].map((result) => `${JSON.stringify(result)}\n`).join(''))
  return {
    last,
    keep(result) {
      last.set(result.id, result)
      appendFileSync(path, `${JSON.stringify(result)}\n`)
    },
  }
}
