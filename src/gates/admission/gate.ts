import { definePredicate } from '../../contract/evidence.ts'
import { defineGate } from '../../contract/gate.ts'
import type { ModelPair } from '../../contract/model.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { AdmissionFacts } from './admission-facts.ts'
import type { Approval } from './approval.ts'
import { type Admission, type AdmissionStatus, judgeRecords } from './judge-records.ts'

/** Which of the five statuses the facts give (ADM-G1). */
export const admissionStatus = (facts: AdmissionFacts): AdmissionStatus => judgeRecords(facts).status

export const admissionGate = defineGate({
  name: 'admission',
  facts: definePredicate('https://portcullis.dev/evidence/admission/v1', AdmissionFacts),
  decide(facts, evidence) {
    const judgement = judgeRecords(facts)
    if (judgement.status !== 'admitted') return { outcome: 'block', ...judgement.refusal, evidence }
    const { admission } = judgement
    const readAgainAt = Date.parse(facts.observedAt) + facts.validForMs
    const expiresAt = new Date(admission.endsAt === null ? readAgainAt : Math.min(readAgainAt, Date.parse(admission.endsAt)))
    return { outcome: 'pass', message: describe(admission), evidence, expiresAt }
  },
})

function describe({ path, expiresAt, endpointBound, approval }: Admission): string {
  const until = expiresAt === null ? 'in force, with no date of expiry' : `in force until ${expiresAt.endsWith('T00:00:00.000Z') ? expiresAt.slice(0, 10) : expiresAt}`
  return `${path}, ${until}${endpointBound ? '' : ', endpoint_unbound'}${approval === null ? '' : `, external by ${approval.path}`}`
}

/** What was admitted, and by which record. */
export interface AdmittedContent {
  readonly pair: ModelPair
  /** Names under which the provider may report the model. */
  readonly servedModelIds: readonly string[]
  /** The record that ends first, if several admit (ADM-A19). */
  readonly record: { readonly path: string; readonly sha256: string; readonly expiresAt: string | null }
  /** The decision by which people approved an external provider; null where the provider is not external (ADM-D10). */
  readonly approval: Approval | null
  /** ISO instant at which the record or the approval ends, whichever is first. */
  readonly endsAt: string | null
  /** The base URL the pair was admitted at. */
  readonly endpoint: string
  /** False if the network class alone binds it: the report says `endpoint_unbound`. */
  readonly endpointBound: boolean
  readonly runtime: string
  readonly stage: string
}

export const admissionProof = defineProof(admissionGate, (facts): AdmittedContent => {
  const judgement = judgeRecords(facts)
  if (judgement.status !== 'admitted') throw new TypeError('A proof was asked for facts that the admission gate refuses')
  const { path, sha256, expiresAt, servedModelIds, endpointBound, approval, endsAt } = judgement.admission
  return { pair: facts.requested, servedModelIds, record: { path, sha256, expiresAt }, approval, endsAt, endpoint: facts.endpoint, endpointBound, runtime: facts.runtime, stage: facts.stage }
})

/** The record that stored facts are admitted by, for readers of a report. It grants nothing: only the proof does. */
export const admissionOf = (facts: AdmissionFacts): Admission | undefined => {
  const judgement = judgeRecords(facts)
  return judgement.status === 'admitted' ? judgement.admission : undefined
}

/** What the admission gate hands on: exactly this pair may be used, at this endpoint, by this runtime, for this stage. */
export type Admitted = Proof<'admission', AdmittedContent>
