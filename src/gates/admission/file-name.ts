import type { ModelPair } from '../../contract/model.ts'

const SAFE = /[A-Za-z0-9._-]/

/** Percent-encodes, byte by byte, what no file system may misread: `/` becomes `%2F`, `:` `%3A`, `%` itself `%25`. Reversible. */
const encode = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return byte < 128 && SAFE.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

/**
 * `<provider>--<model>.json`. The first `--` ends the provider, so inside the provider a hyphen that stands before
 * another one, or last, is written `%2D`. `openrouter` and `qwen/qwen3:free` give `openrouter--qwen%2Fqwen3%3Afree.json`.
 */
export const recordFileName = (pair: ModelPair): string => `${encode(pair.provider).replace(/-(?=-|$)/g, '%2D')}--${encode(pair.model)}.json`

/** The name that records for Case may bear instead (ADM-A12). It joins with one hyphen, so it is compared and never read back. */
export const caseRecordFileName = (pair: ModelPair): string => `CTO-CASE-MODEL-PROVIDER-ADMISSION.${encode(pair.provider)}-${encode(pair.model)}.json`

/** The pair that a file name of the first form stands for; undefined for any other name. */
export function readRecordFileName(fileName: string): ModelPair | undefined {
  const match = /^(.+?)--(.+)\.json$/.exec(fileName)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  try {
    const pair = { provider: decodeURIComponent(match[1]), model: decodeURIComponent(match[2]) }
    return recordFileName(pair) === fileName ? pair : undefined
  } catch {
    // A stray percent sign: not a name that this encoding writes.
    return undefined
  }
}

/** True if a file of this name may hold the record of this pair. */
export const nameAgrees = (fileName: string, pair: ModelPair): boolean => fileName === recordFileName(pair) || fileName === caseRecordFileName(pair)

/** The last part of a path, with either separator. */
export const fileNameOf = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
