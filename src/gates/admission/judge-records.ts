import type { Refusal } from '../../contract/gate.ts'
import { printPair, samePair } from '../../contract/model.ts'
import { type Approval, judgeApproval } from './approval.ts'
import { type AdmissionRecord, isNeverCovered, type RecordScope, scopeOf, STAGES_NEVER_COVERED } from './admission-record.ts'
import type { AdmissionFacts, AdmissionFile } from './admission-facts.ts'
import { fileNameOf, nameAgrees, nameFits, recordFileName, scopedRecordFileName } from './file-name.ts'

/** The five words of the documents, and no other (ADM-G1). */
export const ADMISSION_STATUSES = ['admitted', 'missing_admission', 'mismatch', 'invalid_admission', 'not_admitted'] as const
export type AdmissionStatus = (typeof ADMISSION_STATUSES)[number]

export interface Admission {
  readonly path: string
  readonly sha256: string
  readonly servedModelIds: readonly string[]
  /** ISO instant at which the record ends; null if no date ends it. */
  readonly expiresAt: string | null
  readonly endpointBound: boolean
  /** The decision by which people approved an external provider; null where the provider is not external. */
  readonly approval: Approval | null
  /** ISO instant at which the record or the approval ends, whichever is first; null if no date ends them. */
  readonly endsAt: string | null
}

export type Judgement =
  | { readonly status: 'admitted'; readonly admission: Admission }
  | { readonly status: Exclude<AdmissionStatus, 'admitted'>; readonly refusal: Refusal }

interface Fault {
  readonly status: Exclude<AdmissionStatus, 'admitted'>
  readonly found: string
  readonly remedy: string
}

interface Candidate {
  readonly file: AdmissionFile
  readonly record: AdmissionRecord
  readonly sha256: string
  readonly scope: RecordScope
}

/** Which of the five statuses the facts give, and why. Pure and total; the order of the checks is that of ADM-G2 to G5. */
export function judgeRecords(facts: AdmissionFacts): Judgement {
  const { provider, model } = wanted(facts)
  if (provider === '' || model === '') {
    const missing = [provider === '' ? 'provider' : '', model === '' ? 'model' : ''].filter((part) => part !== '').join(' and no ')
    return refuse(facts, { status: 'not_admitted', found: `no ${missing} was requested`, remedy: 'Name the exact provider and model; none is assumed.' })
  }
  if (facts.source.problem !== null) {
    return refuse(facts, { status: 'invalid_admission', found: `${facts.source.path}: ${facts.source.problem}`, remedy: 'Make the records readable to Portcullis.' })
  }
  const speaking = facts.files.filter((file) => facts.source.kind === 'file' || nameAgrees(fileNameOf(file.path), facts.requested) || samePairAs(file, facts))
  if (speaking.length === 0) return refuse(facts, missing(facts))
  if (isNeverCovered(facts.stage)) {
    return refuse(facts, { status: 'not_admitted', found: `no record covers stage ${facts.stage}: an admission of a model says nothing about it`, remedy: `Use a purpose of another stage; ${STAGES_NEVER_COVERED.join(', ')} are never admitted here.` })
  }

  const candidates: Candidate[] = []
  for (const file of speaking) {
    const fault = validityFault(file, facts)
    if (fault !== undefined) return refuse(facts, fault)
    // Without record or digest there would have been a fault; said again for the compiler, and denied again.
    if (file.record === null || file.sha256 === null) return refuse(facts, { status: 'invalid_admission', found: file.path, remedy: 'Correct the record.' })
    candidates.push({ file, record: file.record, sha256: file.sha256, scope: scopeOf(file.record) })
  }
  return judgeCandidates(candidates, facts)
}

function judgeCandidates(candidates: readonly Candidate[], facts: AdmissionFacts): Judgement {
  // A record for another runtime or stage changes nothing here, neither for nor against (ADM-A16). If all are, the first one says why.
  const covering = candidates.filter(({ scope }) => scopeFault(scope, '', facts) === undefined)
  for (const candidate of covering.length > 0 ? covering : candidates) {
    const fault = useFault(candidate, facts)
    if (fault !== undefined) return refuse(facts, fault)
  }
  const [first, ...rest] = [...covering].sort((a, b) => (a.scope.expiresAt ?? '9').localeCompare(b.scope.expiresAt ?? '9'))
  if (first === undefined) return refuse(facts, missing(facts))
  const servedModelIds = first.scope.servedModelIds.filter((id) => rest.every(({ scope }) => scope.servedModelIds.includes(id)))
  if (servedModelIds.length === 0) {
    return refuse(facts, { status: 'not_admitted', found: `${covering.map(({ file }) => file.path).join(' and ')} agree on no served model id`, remedy: 'Keep one record for the pair.' })
  }
  const judged = judgeApproval(facts)
  if ('found' in judged) return refuse(facts, { status: 'not_admitted', ...judged })
  const { approval } = judged
  const { file, sha256, scope } = first
  const endpointBound = covering.every((candidate) => candidate.scope.endpoint !== null)
  return { status: 'admitted', admission: { path: file.path, sha256, servedModelIds, expiresAt: scope.expiresAt, endpointBound, approval, endsAt: earlier(scope.expiresAt, approval?.expiresAt ?? null) } }
}

/** The pair that must be admitted: what the caller asks for, where it must ask; otherwise what the profile uses. */
const wanted = (facts: AdmissionFacts): AdmissionFacts['requested'] => facts.asked ?? facts.requested

/** Both as ISO instants in UTC, which sort by time. */
const earlier = (a: string | null, b: string | null): string | null => (a === null || (b !== null && b < a) ? b : a)

const samePairAs = (file: AdmissionFile, facts: AdmissionFacts): boolean => file.record !== null && samePair({ provider: file.record.provider, model: file.record.model }, facts.requested)

/** Why a file is no valid record at all (ADM-G3). */
function validityFault(file: AdmissionFile, facts: AdmissionFacts): Fault | undefined {
  const invalid = (found: string, remedy: string): Fault => ({ status: 'invalid_admission', found: `${file.path}: ${found}`, remedy })
  if (file.record === null || file.sha256 === null) return invalid(file.problems.join('; ') || 'not read', 'Correct the record; what is wrong with each file: npx portcullis admit list')
  const scope = scopeOf(file.record)
  if (!nameFits(fileNameOf(file.path), scope)) {
    return invalid(`its name does not belong to its content, ${printPair(scope.pair)} for runtime ${scope.runtime}, stage ${scope.stages.join(', ')}`, `Name it ${recordFileName(scope.pair)} or ${scopedRecordFileName(scope.pair, scope)}, or correct its content.`)
  }
  if (Date.parse(file.record.admission_timestamp) > Date.parse(facts.observedAt)) return invalid('admission_timestamp lies in the future', 'Correct admission_timestamp to the instant of the approval.')
  return undefined
}

/** Why a valid record does not admit this use (ADM-G4, G5). */
function useFault({ file, record, scope }: Candidate, facts: AdmissionFacts): Fault | undefined {
  const refused = (found: string, remedy: string): Fault => ({ status: 'not_admitted', found: `${file.path}: ${found}`, remedy })
  if (record.status !== 'admitted') return refused(`its status is ${record.status}`, 'Have the pair approved; only the status admitted admits.')
  if (!samePair(scope.pair, wanted(facts))) {
    return { status: 'mismatch', found: `${file.path} admits ${printPair(scope.pair)}`, remedy: `Name the record of ${printPair(wanted(facts))}, or ask for ${printPair(scope.pair)}.` }
  }
  // Before the endpoint and the classes: those of the profile's provider say nothing about the pair that is asked for.
  if (!samePair(wanted(facts), facts.requested)) {
    return { status: 'mismatch', found: `the profile uses ${printPair(facts.requested)}`, remedy: `Ask for ${printPair(facts.requested)}, or run a profile whose model is ${printPair(wanted(facts))}.` }
  }
  const outside = scopeFault(scope, file.path, facts)
  if (outside !== undefined) return outside
  if (scope.expiresAt !== null && Date.parse(facts.observedAt) >= Date.parse(scope.expiresAt)) {
    return refused(`it expired at ${scope.expiresAt}`, 'Have it reviewed, and its review_trigger moved by a reviewed change.')
  }
  if (scope.endpoint !== null && !sameEndpoint(scope.endpoint, facts.endpoint)) {
    return refused(`the endpoint ${facts.endpoint} differs from the record, which binds ${scope.endpoint}`, 'Point the provider back at the admitted endpoint, or have the new one approved.')
  }
  if (record.allowed_network_class !== facts.networkClass) {
    return refused(`it allows network class ${record.allowed_network_class}, and the provider is configured with ${facts.networkClass}`, 'Correct networkClass of the provider, or have its network approved.')
  }
  if (record.credential_source_class !== facts.credentialClass) {
    return refused(`it allows credential class ${record.credential_source_class}, and the provider is configured with ${facts.credentialClass}`, 'Correct credential.class of the provider, or have its credential approved.')
  }
  return undefined
}

/** Why a record is about something else than this runtime and stage (ADM-A15, A16). */
function scopeFault(scope: RecordScope, path: string, facts: AdmissionFacts): Fault | undefined {
  const read = scope.form === 'former' ? ', as every record without runtime and stages' : ''
  if (scope.runtime !== facts.runtime) return { status: 'not_admitted', found: `${path}: it admits runtime ${scope.runtime}${read}, not ${facts.runtime}`, remedy: `Have the pair approved for runtime ${facts.runtime}.` }
  if (!scope.stages.includes(facts.stage)) return { status: 'not_admitted', found: `${path}: it covers stage ${scope.stages.join(', ')}${read}, not ${facts.stage}`, remedy: `Have the pair approved for stage ${facts.stage}.` }
  return undefined
}

/** True if both are one address: scheme, host, port and path. A final slash makes no other address. */
function sameEndpoint(a: string, b: string): boolean {
  const plain = (text: string): string | undefined => {
    const url = URL.parse(text)
    return url === null ? undefined : `${url.protocol}//${url.username}:${url.password}@${url.host}${url.pathname.replace(/\/+$/, '')}${url.search}`
  }
  const first = plain(a)
  return first !== undefined && first === plain(b)
}

function missing(facts: AdmissionFacts): Fault {
  const { source, othersCount, others } = facts
  const pairs = others.map((other) => other.pair ?? other.path).sort()
  const more = othersCount > pairs.length ? `, and ${othersCount - pairs.length} more` : ''
  const inDirectory = othersCount === 0 ? `no records in ${source.path}` : `${othersCount} ${othersCount === 1 ? 'record' : 'records'} in ${source.path}, none for this pair: ${pairs.join(', ')}${more}`
  return {
    status: 'missing_admission',
    found: source.kind === 'file' ? `no file at ${source.path}` : inDirectory,
    remedy: `have the pair approved, then: npx portcullis admit create ${printPair(wanted(facts))}`,
  }
}

function refuse(facts: AdmissionFacts, fault: Fault): Judgement {
  const { runtime, stage } = facts
  const requested = wanted(facts)
  const pair = requested.provider === '' && requested.model === '' ? 'no pair' : printPair({ provider: requested.provider || '(no provider)', model: requested.model || '(no model)' })
  return {
    status: fault.status,
    refusal: {
      reason: fault.status,
      message: `${pair} is not admitted: ${fault.found}.`,
      asked: `${pair} for stage ${stage}, runtime ${runtime}`,
      found: fault.found,
      remedy: fault.remedy,
    },
  }
}
