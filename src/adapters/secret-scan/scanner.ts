import { createHmac, randomBytes } from 'node:crypto'
import type { ScanFinding, SecretScanner } from '../../gates/report/index.ts'
import { type Needle, needlesOf } from './needles.ts'

const REDACTED = '[withheld by portcullis]'

/**
 * Searches bytes for every form of the values it is given, each time anew from `knownValues`, because the wire may have
 * read a credential since the last scan. A finding never holds the value: it names rule, place and a keyed hash (SEC-06).
 */
export function createSecretScanner(knownValues: () => readonly string[]): SecretScanner {
  const key = randomBytes(32)
  const hashOf = (value: string): string => createHmac('sha256', key).update(value).digest('hex').slice(0, 16)
  const forms = new Map<string, { readonly hash: string; readonly needles: readonly Needle[] }>()
  const formsOf = (value: string): { readonly hash: string; readonly needles: readonly Needle[] } => {
    const known = forms.get(value) ?? { hash: hashOf(value), needles: needlesOf(value) }
    forms.set(value, known)
    return known
  }
  const all = () => [...new Set(knownValues())].filter((value) => value !== '').map(formsOf)

  return {
    rules: 'known-values/v1',
    knownValues: () => new Set(knownValues().filter((value) => value !== '')).size,
    scan(bytes) {
      const findings: ScanFinding[] = []
      for (const { hash, needles } of all()) {
        for (const needle of needles) {
          const offset = bytes.indexOf(needle.bytes)
          if (offset >= 0) findings.push({ rule: needle.rule, offset, hash })
        }
      }
      return findings
    },
    redact(text) {
      let clean = text
      for (const { needles } of all()) {
        for (const needle of needles) {
          // UTF-16 cannot stand inside a UTF-8 text as such; its bytes are matched in the latin1 view.
          const form = needle.rule === 'utf-16' ? needle.bytes.toString('latin1') : needle.bytes.toString('utf8')
          clean = clean.replaceAll(form, REDACTED)
        }
      }
      return clean
    },
  }
}
