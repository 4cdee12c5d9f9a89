import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { type ModelPair, printPair } from '../../contract/model.ts'
import { type AdmissionRecord, readRecordText, scopeOf } from '../../gates/admission/index.ts'
import { readText } from '../configuration/index.ts'
import { MAX_RECORD_BYTES } from './read-admissions.ts'

/** What the status of a revoked record says. Any value but `admitted` admits nothing; this one tells people why. */
export const REVOKED = 'revoked'

export interface RevokedAdmission {
  readonly path: string
  /** False: it did not admit before either, and was left as it is. */
  readonly changed: boolean
}

/**
 * Ends every record of a pair in the directory, or with `runtime` those for that agent alone: each stays where it is, says `revoked`, and admits nothing from this
 * moment on. Each file is replaced whole, so that nobody ever reads half of one. Throws `usage` where no record of the
 * pair stands, `file_unreadable` or `file_unwritable` where one cannot be read or replaced; records before it are revoked then, and it says so.
 */
export function revokeAdmission(directory: string, pair: ModelPair, runtime?: string): RevokedAdmission[] {
  const asked = `to revoke every record of ${printPair(pair)}${runtime === undefined ? '' : ` for runtime ${runtime}`} in ${directory}`
  const revoked: RevokedAdmission[] = []
  for (const name of namesIn(directory, asked)) {
    const path = join(directory, name)
    const record = recordAt(path, asked)
    if (record?.provider !== pair.provider || record.model !== pair.model) continue
    if (runtime !== undefined && scopeOf(record).runtime !== runtime) continue
    if (record.status !== 'admitted') {
      revoked.push({ path, changed: false })
      continue
    }
    replace(path, `${JSON.stringify({ ...record, status: REVOKED }, null, 2)}\n`, asked)
    revoked.push({ path, changed: true })
  }
  if (revoked.length === 0) throw new PortcullisError('usage', { asked, found: 'no record of this pair', remedy: 'See npx portcullis admit list; a file that is no valid record admits nothing already.' })
  return revoked
}

function namesIn(directory: string, asked: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json')).sort()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return []
    throw new PortcullisError('file_unreadable', { asked, found: `the directory cannot be read (${code ?? 'unknown error'})`, remedy: 'Make it readable: the record to revoke may be in it.', cause: error })
  }
}

/** Undefined for a file that is no valid record: it admits nothing already. A file that cannot be read might be one. */
function recordAt(path: string, asked: string): AdmissionRecord | undefined {
  const reading = readText(path, MAX_RECORD_BYTES)
  if ('absent' in reading) return undefined
  if ('problem' in reading) {
    if (reading.bytes !== null) return undefined
    throw new PortcullisError('file_unreadable', { asked, found: `${path}: ${reading.problem}`, remedy: 'Make it readable: it may be a record of this pair.' })
  }
  return readRecordText(reading.text).record ?? undefined
}

function replace(path: string, text: string, asked: string): void {
  const temporary = join(dirname(path), `.revoke-${randomBytes(8).toString('hex')}`)
  try {
    const descriptor = openSync(temporary, 'wx', 0o644)
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new PortcullisError('file_unwritable', { asked, found: `${path} cannot be replaced (${systemCode(error) ?? 'unknown error'}), so it still admits`, remedy: 'Make the directory writable and revoke again, or remove the file.', cause: error })
  }
}
