import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { makeDirectory } from '../directories/index.ts'
import { type DecisionRecord, readDecision, recordFileName } from '../../gates/admission/index.ts'

/** Where decision records stand, beside the configuration and never among the records that admit. */
export const DECISIONS_DIRECTORY = 'decisions'

export interface CreatedDecision {
  readonly path: string
  readonly decision: DecisionRecord
}

/** Writes a decision record, never over another one. It admits nothing. Throws `usage` for what is none, `file_exists`, or `file_unwritable`. */
export function createDecision(directory: string, document: unknown): CreatedDecision {
  const { decision, problems } = readDecision(document)
  const asked = `a new decision record in ${directory}`
  if (decision === null) throw new PortcullisError('usage', { asked, found: problems.join('; '), remedy: 'Give a complete decision without secrets; its fields are in spec/decision-record.schema.json.' })
  const path = join(directory, decision.provider === '' ? `${decision.provider_class}--undecided.json` : recordFileName({ provider: decision.provider, model: decision.model }))
  try {
    makeDirectory(directory)
    writeFileSync(path, `${JSON.stringify(decision, null, 2)}\n`, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') throw new PortcullisError('file_exists', { asked, found: path, remedy: 'Change the record in place by a reviewed commit, or remove it first.' })
    throw new PortcullisError('file_unwritable', { asked, found: `${path} cannot be written (${code ?? 'unknown error'})`, remedy: 'Make the directory writable.', cause: error })
  }
  return { path, decision }
}
