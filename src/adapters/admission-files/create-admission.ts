import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { makeDirectory } from '../directories/index.ts'
import { type AdmissionRecord, readRecord, readRecordText, recordFileName, type RecordScope, scopedRecordFileName, scopeOf } from '../../gates/admission/index.ts'
import { samePair } from '../../contract/model.ts'
import { readText } from '../configuration/index.ts'
import { MAX_RECORD_BYTES } from './read-admissions.ts'

const MAX_FILE_NAME_BYTES = 255

export interface CreatedAdmission {
  readonly path: string
  readonly sha256: string
  readonly record: AdmissionRecord
}

/**
 * Writes a record under its right name, whole or not at all, and never over another one. Beside a record of the same pair for
 * another runtime or other stages, the name says which one it is. The file admits from this
 * moment on; that it is approved is shown by the commit that brings it in. Throws `usage` for what is no record,
 * `file_exists`, or `file_unwritable`.
 */
export function createAdmission(directory: string, document: unknown): CreatedAdmission {
  const { record, problems } = readRecord(document)
  const asked = `a new admission record in ${directory}`
  if (record === null) throw new PortcullisError('usage', { asked, found: problems.join('; '), remedy: 'Give a complete record without secrets; its fields are in spec/admission-record.schema.json.' })
  const scope = scopeOf(record)
  const name = standsApart(join(directory, recordFileName(scope.pair)), scope) ? scopedRecordFileName(scope.pair, scope) : recordFileName(scope.pair)
  const text = `${JSON.stringify(record, null, 2)}\n`
  if (Buffer.byteLength(name) > MAX_FILE_NAME_BYTES || Buffer.byteLength(text) > MAX_RECORD_BYTES) {
    throw new PortcullisError('usage', { asked, found: 'a record whose name or text is too long for a file', remedy: 'Shorten it.' })
  }
  const path = join(directory, name)
  try {
    makeDirectory(directory)
    writeNew(directory, path, text)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') throw new PortcullisError('file_exists', { asked, found: path, remedy: 'Change the record in place by a reviewed commit, or remove it first.' })
    throw new PortcullisError('file_unwritable', { asked, found: `${path} cannot be written (${code ?? 'unknown error'})`, remedy: 'Make the directory writable.', cause: error })
  }
  return { path, sha256: sha256(text), record }
}

/**
 * True if the plain name of the pair is taken by a valid record for another runtime, or for other stages: then both stand
 * side by side, and neither says anything about the other (ADM-A16). Two records for the same use are one too many.
 */
function standsApart(path: string, { pair, runtime, stages }: RecordScope): boolean {
  const reading = readText(path, MAX_RECORD_BYTES)
  const record = 'text' in reading ? readRecordText(reading.text).record : null
  if (record === null) return false
  const there = scopeOf(record)
  return samePair(there.pair, pair) && (there.runtime !== runtime || !there.stages.some((stage) => stages.includes(stage)))
}

/** A link fails where a rename would overwrite, so that of two writers exactly one succeeds. */
function writeNew(directory: string, path: string, text: string): void {
  const temporary = join(directory, `.new-${randomBytes(8).toString('hex')}`)
  const descriptor = openSync(temporary, 'wx', 0o644)
  try {
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}
