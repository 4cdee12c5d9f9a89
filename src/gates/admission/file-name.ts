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
export const recordFileName = (pair: ModelPair): string => `${stemOf(pair)}.json`

const stemOf = (pair: ModelPair): string => `${encode(pair.provider).replace(/-(?=-|$)/g, '%2D')}--${encode(pair.model)}`

/**
 * `<provider>--<model>@<runtime>+<stage>+<stage>.json`, with the stages in the order of the record: the name by which
 * several records of one pair stand side by side. Neither `@` nor `+` is ever left as it is inside a part.
 */
export const scopedRecordFileName = (pair: ModelPair, { runtime, stages }: { readonly runtime: string; readonly stages: readonly string[] }): string =>
  `${stemOf(pair)}@${[runtime, ...stages].map(encode).join('+')}.json`

/** The name that records for Case may bear instead (ADM-A12). It joins with one hyphen, so it is compared and never read back. */
export const caseRecordFileName = (pair: ModelPair): string => `CTO-CASE-MODEL-PROVIDER-ADMISSION.${encode(pair.provider)}-${encode(pair.model)}.json`

/** The pair that a file name of the first or the second form stands for; undefined for any other name. */
export function readRecordFileName(fileName: string): ModelPair | undefined {
  const match = /^(.+?)--([^@]+)(?:@[^@]+)?\.json$/.exec(fileName)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  try {
    const pair = { provider: decodeURIComponent(match[1]), model: decodeURIComponent(match[2]) }
    return stemOf(pair) === `${match[1]}--${match[2]}` ? pair : undefined
  } catch {
    // A stray percent sign: not a name that this encoding writes.
    return undefined
  }
}

/** True if a file of this name claims to hold a record of this pair, for whatever runtime and stages. */
export const nameAgrees = (fileName: string, pair: ModelPair): boolean => fileName === recordFileName(pair) || fileName === caseRecordFileName(pair) || (fileName.startsWith(`${stemOf(pair)}@`) && fileName.endsWith('.json'))

/**
 * True if a file of this name may hold exactly this record. The document's own name is for records of Case: on another
 * runtime's record it would say two things. A name with runtime and stages must say those of the record.
 */
export const nameFits = (fileName: string, scope: { readonly pair: ModelPair; readonly runtime: string; readonly stages: readonly string[] }): boolean =>
  fileName === recordFileName(scope.pair) || fileName === scopedRecordFileName(scope.pair, scope) || (scope.runtime === 'case' && fileName === caseRecordFileName(scope.pair))

/** The last part of a path, with either separator. */
export const fileNameOf = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
