import type { AdmissionRow } from '../admission-files/index.ts'
import type { DoctorRow } from './row.ts'

/** One row for each record that is worth a look: not valid, ended, or about to end. One row that says so where none is. */
export function recordRows(records: readonly AdmissionRow[], soon: string | undefined): DoctorRow[] {
  const rows = records.flatMap((record) => rowOf(record) ?? [])
  if (rows.length > 0) return rows
  return [{ area: 'records', name: 'admissions/', status: 'ok', found: `${records.length} ${records.length === 1 ? 'record' : 'records'}, none of them ended${soon === undefined ? '; --soon 30d would look ahead' : ` or ending within ${soon}`}`, needed_for: '', remedy: null }]
}

/** A warning at most: whether a profile is refused for it, its own row says. */
function rowOf({ path, pair, expiry, expiresAt, problems }: AdmissionRow): DoctorRow | undefined {
  const common = { area: 'records' as const, name: path, status: 'warning' as const, needed_for: pair ?? '' }
  if (problems.length > 0) return { ...common, found: problems.join('; '), remedy: 'Correct the record or take it away; as it is, it denies.' }
  if (expiry === 'expired') return { ...common, found: `ended at ${expiresAt ?? ''}`, remedy: 'Have the pair reviewed, and move review_trigger by a reviewed change; or take the record away.' }
  if (expiry === 'soon') return { ...common, found: `ends at ${expiresAt ?? ''}`, remedy: 'Have the pair reviewed before then; from that moment on every run of it is blocked.' }
  return undefined
}
