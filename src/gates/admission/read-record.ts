import type { z } from 'zod'
import { readStrictJson } from '../catalog/index.ts'
import { type AdmissionRecord, CurrentRecord, FormerRecord, recordFormOf } from './admission-record.ts'
import { printName, secretProblems } from '../../contract/secret-like.ts'

/** A record, or everything that is wrong with the document; never both. Problems never quote a value. */
export type RecordReading = { readonly record: AdmissionRecord; readonly problems: readonly [] } | { readonly record: null; readonly problems: readonly [string, ...string[]] }

const MAX_PROBLEMS = 20

const unreadable = (problem: string, ...more: readonly string[]): RecordReading => ({ record: null, problems: [problem, ...more] })

/** Reads the text of a record file. */
export function readRecordText(text: string): RecordReading {
  const json = readStrictJson(text)
  return 'problem' in json ? unreadable(json.problem) : readRecord(json.value)
}

/** Reads a parsed document as a record. Total: whatever comes in, a reading comes out. */
export function readRecord(document: unknown): RecordReading {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return unreadable('not a JSON object')
  // Secrets first and alone: a document that holds one is not described any further.
  const [secret, ...secrets] = secretProblems(document)
  if (secret !== undefined) return unreadable(secret, ...secrets)
  const parsed = recordFormOf(document) === 'current' ? CurrentRecord.safeParse(document) : FormerRecord.safeParse(document)
  if (parsed.success) return { record: parsed.data, problems: [] }
  const [problem, ...problems] = parsed.error.issues.flatMap(describe)
  return unreadable(problem ?? 'not a record', ...problems.slice(0, MAX_PROBLEMS - 1))
}

function describe(issue: z.core.$ZodIssue): string[] {
  const field = issue.path.map((part) => printName(String(part))).join('.')
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `unknown field ${field === '' ? '' : `${field}.`}${printName(key)}`)
  if (issue.code === 'invalid_type') return [`field ${field}: expected ${issue.expected}`]
  if (issue.code === 'invalid_union') return [`field ${field}: expected ${field === 'review_trigger' ? 'a sentence, or an object with expires_at (an ISO instant) or conditions' : 'another form'}`]
  return [`field ${field}: ${issue.message.slice(0, 200)}`]
}
