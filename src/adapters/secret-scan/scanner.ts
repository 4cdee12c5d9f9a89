import { createHmac, randomBytes } from 'node:crypto'
import type { ScanFinding, ScanScope, ScanStream, SecretScanner } from '../../gates/report/index.ts'
import { type Dictionary, dictionaryOf } from './dictionary.ts'
import { FORMATS_VERSION } from './format-rules.ts'
import { FormatScan } from './format-scan.ts'
import { ScanIncomplete } from './incomplete.ts'
import { merged, REDACTED, spanOfFormat, spanOfValue } from './spans.ts'
import { type ValueHit, ValueScan } from './value-scan.ts'

const VALUES_VERSION = 'known-values/v2'
/** More findings than anybody reads. They are of different values or kinds: the same one again says nothing new. */
const MOST_FINDINGS = 100

/**
 * Searches bytes for every form of the values it is given, each time anew from `knownValues`, because the wire may have
 * read a credential since the last scan; and for whatever has the form of a credential that it was not given. A finding
 * never holds the value: it names rule, place and a keyed hash (SEC-06).
 */
export function createSecretScanner(knownValues: () => readonly string[]): SecretScanner {
  return scannerOf(knownValues, 'everything', `${VALUES_VERSION} ${FORMATS_VERSION}`)
}

/** The same for the known values alone, whatever scope is asked for. */
export function createValueScanner(knownValues: () => readonly string[]): SecretScanner {
  return scannerOf(knownValues, 'known-values', VALUES_VERSION)
}

function scannerOf(knownValues: () => readonly string[], widest: ScanScope, rules: string): SecretScanner {
  const key = randomBytes(32)
  const hashOf = (value: string): string => createHmac('sha256', key).update(value).digest('hex').slice(0, 16)
  const tokens = new Set<string>()
  const credentials = remembered(knownValues)
  const all = remembered(() => [...knownValues(), ...tokens])
  const open = (scope: ScanScope): Scan => new Scan(scope === 'everything' ? all() : credentials(), widest === 'everything' && scope === 'everything', hashOf)
  return {
    rules,
    knownValues: () => distinct([...knownValues(), ...tokens]).length,
    know: (token) => void tokens.add(token),
    scan(bytes) {
      const scan = open('everything')
      scan.write(bytes)
      return scan.end()
    },
    open,
    redact(text) {
      const bytes = Buffer.from(text, 'utf8')
      try {
        const scan = open('everything')
        scan.write(bytes)
        return scan.cutOut(bytes)
      } catch (error) {
        // What could not be looked into may hold anything.
        if (error instanceof ScanIncomplete) return REDACTED
        throw error
      }
    },
  }
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)].filter((value) => value !== '')

/** The dictionary of the values as they are now, made anew only when they have changed. */
function remembered(values: () => readonly string[]): () => Dictionary {
  let made: { readonly of: readonly string[]; readonly dictionary: Dictionary } | undefined
  return () => {
    const now = distinct(values())
    if (made === undefined || made.of.length !== now.length || made.of.some((value, index) => value !== now[index])) made = { of: now, dictionary: dictionaryOf(now) }
    return made.dictionary
  }
}

class Scan implements ScanStream {
  readonly #values: ValueScan
  readonly #formats: FormatScan | undefined
  readonly #hashOf: (value: string) => string

  constructor(dictionary: Dictionary, formats: boolean, hashOf: (value: string) => string) {
    this.#values = new ValueScan(dictionary)
    this.#formats = formats ? new FormatScan() : undefined
    this.#hashOf = hashOf
  }

  write(chunk: Uint8Array): void {
    this.#values.write(chunk)
    this.#formats?.write(chunk)
  }

  end(): readonly ScanFinding[] {
    const values = this.#values.end()
    const formats = this.#formats?.end() ?? []
    const findings = [
      ...values.map(({ rule, value, start }) => ({ rule, offset: start, hash: this.#hashOf(value) })),
      // What is a known value is told as one.
      ...formats.filter((hit) => !values.some((value) => within(hit, value))).map(({ rule, secret, start }) => ({ rule, offset: start, hash: this.#hashOf(secret) })),
    ]
    const told = new Map<string, ScanFinding>()
    for (const finding of findings.toSorted((a, b) => a.offset - b.offset)) {
      const same = `${finding.rule} ${finding.hash}`
      if (!told.has(same) && told.size < MOST_FINDINGS) told.set(same, finding)
    }
    return [...told.values()]
  }

  /** The text without what was found in it. It is the text that was written, as a whole. */
  cutOut(bytes: Buffer): string {
    const values = this.#values.end().map((hit) => spanOfValue(bytes, hit))
    const formats = (this.#formats?.end() ?? []).map((hit) => spanOfFormat(bytes, hit))
    let clean = ''
    let from = 0
    for (const { start, end } of merged([...values, ...formats])) {
      clean += bytes.toString('utf8', from, start) + REDACTED
      from = end
    }
    return clean + bytes.toString('utf8', from)
  }
}

const within = (inner: { readonly start: number; readonly end: number }, outer: ValueHit): boolean => inner.start >= outer.start && inner.end <= outer.end
