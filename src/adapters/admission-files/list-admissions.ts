import { printPair } from '../../contract/model.ts'
import { type AdmissionSource, fileNameOf, nameFits, scopeOf } from '../../gates/admission/index.ts'

/** What `admit list` shows of one file. */
export interface AdmissionRow {
  readonly path: string
  readonly sha256: string | null
  /** Null for a file that is no valid record; then `problems` says why. */
  readonly pair: string | null
  readonly status: string | null
  readonly runtime: string | null
  readonly stages: readonly string[]
  readonly expiresAt: string | null
  /** `never`: only a sentence or conditions call for a review, no date ends the record. */
  readonly expiry: 'expired' | 'soon' | 'later' | 'never' | null
  readonly reviewConditions: readonly string[]
  readonly endpointBound: boolean
  /** What is wrong with it (then it admits nothing), and what a reviewer should know. */
  readonly problems: readonly string[]
  readonly notes: readonly string[]
}

/** Says what each file is, those that end first at the top. `soonMs` is how near an end must be to be called soon. */
export function listAdmissions(source: AdmissionSource, now: Date, soonMs: number): AdmissionRow[] {
  const rows = source.files.map((file): AdmissionRow => {
    const { path, sha256, record } = file
    if (record === null) {
      return { path, sha256, pair: null, status: null, runtime: null, stages: [], expiresAt: null, expiry: null, reviewConditions: [], endpointBound: false, problems: file.problems, notes: [] }
    }
    const scope = scopeOf(record)
    return {
      path,
      sha256,
      pair: printPair(scope.pair),
      status: record.status,
      runtime: scope.runtime,
      stages: scope.stages,
      expiresAt: scope.expiresAt,
      expiry: expiryOf(scope.expiresAt, now, soonMs),
      reviewConditions: scope.conditions,
      endpointBound: scope.endpoint !== null,
      problems: [
        ...(nameFits(fileNameOf(path), scope) ? [] : ['its name does not belong to its content']),
        ...(Date.parse(record.admission_timestamp) > now.getTime() ? ['admission_timestamp lies in the future'] : []),
      ],
      notes: [
        ...(scope.endpoint === null ? ['bound to no endpoint, only to its network class'] : []),
        ...(scope.expiresAt === null ? ['never expires by itself'] : []),
        ...(scope.evidenceExpectations === null ? ['says nothing of the evidence it expects'] : []),
        ...(scope.form === 'former' ? ['in the former form: read as stage-2 of Case only'] : []),
      ],
    }
  })
  return rows.sort((a, b) => (a.expiresAt ?? '9').localeCompare(b.expiresAt ?? '9') || a.path.localeCompare(b.path))
}

function expiryOf(expiresAt: string | null, now: Date, soonMs: number): NonNullable<AdmissionRow['expiry']> {
  if (expiresAt === null) return 'never'
  const left = Date.parse(expiresAt) - now.getTime()
  return left <= 0 ? 'expired' : left <= soonMs ? 'soon' : 'later'
}
