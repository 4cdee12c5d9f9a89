import { readdirSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { systemCode } from '../../contract/errors.ts'
import { type AdmissionFile, type AdmissionSource, type DecisionFile, type DecisionSource, readDecisionText, readRecordText } from '../../gates/admission/index.ts'
import { readText } from '../configuration/index.ts'

/** Where records stand, beside the configuration. */
export const ADMISSIONS_DIRECTORY = 'admissions'

const MAX_PROBLEMS = 20

/** More than any record needs, and little enough for a ledger. */
export const MAX_RECORD_BYTES = 32_768

/**
 * Reads every `*.json` of a directory, in the order of their names. A directory that is not there holds no records; one
 * that cannot be read is a problem, because the record that would have denied may be in it.
 */
export function readAdmissions(place: { readonly directory: string; readonly root: string }): AdmissionSource {
  const directory = resolve(place.directory)
  const path = `${shownPath(directory, place.root)}/`
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.json')).sort()
    return { kind: 'directory', path, problem: null, files: names.flatMap((name) => readOne(join(directory, name), place.root) ?? []) }
  } catch (error) {
    const code = systemCode(error)
    return { kind: 'directory', path, problem: code === 'ENOENT' ? null : `cannot be read (${code ?? 'unknown error'})`, files: [] }
  }
}

/** Reads every decision of a directory, as `readAdmissions` reads records. */
export function readDecisions(place: { readonly directory: string; readonly root: string }): DecisionSource {
  const directory = resolve(place.directory)
  const path = `${shownPath(directory, place.root)}/`
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.json')).sort()
    return { path, problem: null, files: names.flatMap((name) => readOneDecision(join(directory, name), place.root) ?? []) }
  } catch (error) {
    const code = systemCode(error)
    return { path, problem: code === 'ENOENT' ? null : `cannot be read (${code ?? 'unknown error'})`, files: [] }
  }
}

function readOneDecision(file: string, root: string): DecisionFile | undefined {
  const path = shownPath(file, root)
  const reading = readText(file, MAX_RECORD_BYTES)
  if ('absent' in reading) return undefined
  if ('problem' in reading) return { path, sha256: reading.bytes === null ? null : sha256(reading.bytes), decision: null, problems: [reading.problem] }
  const { decision, problems } = readDecisionText(reading.text)
  return { path, sha256: sha256(reading.bytes), decision, problems: problems.slice(0, MAX_PROBLEMS) }
}

/** Reads the one record that the caller names. No file there gives no files. */
export function readAdmissionFile(place: { readonly file: string; readonly root: string }): AdmissionSource {
  const file = resolve(place.file)
  const found = readOne(file, place.root)
  return { kind: 'file', path: shownPath(file, place.root), problem: null, files: found === undefined ? [] : [found] }
}

/** Undefined if the file is not there. The text of a file with a problem goes no further than this function. */
function readOne(file: string, root: string): AdmissionFile | undefined {
  const path = shownPath(file, root)
  const reading = readText(file, MAX_RECORD_BYTES)
  if ('absent' in reading) return undefined
  if ('problem' in reading) return { path, sha256: reading.bytes === null ? null : sha256(reading.bytes), record: null, problems: [reading.problem] }
  const { record, problems } = readRecordText(reading.text)
  return { path, sha256: sha256(reading.bytes), record, problems: [...problems] }
}

/** A path as people see it: from the configuration's directory if it is inside, with forward slashes on every system. */
function shownPath(path: string, root: string): string {
  const inside = relative(resolve(root), path)
  if (inside === '') return basename(path)
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside.split(sep).join('/')
}
