import type { Digests } from '../../contract/evidence.ts'
import { defineGate, type Finding } from '../../contract/gate.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import type { Digest } from '../../contract/verdict.ts'
import { AcceptanceEvidence, type AcceptanceFacts, recordsOf } from './acceptance-facts.ts'
import { faultOfComparison, faultOfFake, faultOfFakeRecords } from './comparison.ts'
import { fakeWorkDigest } from './fake-work.ts'
import { differenceOf, faultOfDelivery } from './delivery.ts'
import { type Fault, fault, remedyOf } from './fault.ts'
import { faultOfRecords, faultOfReference, faultOfResult, faultOfUntouched, holds } from './judge-records.ts'
import { faultOfReviews, standingOf } from './judge-reviews.ts'
import { type ProbeRecord, recordDigest } from './probe-record.ts'
import { reviewDigest } from './review-record.ts'
import { faultOfTargets } from './target-look.ts'

/**
 * Gate 8: does the work hold, by probes, on the pinned digest? It runs nothing: it judges what the runner recorded.
 * Beside the facts it must be given the statement of every record, so that each stands in the verdict by its digest.
 */
export const acceptanceGate = defineGate({
  name: 'acceptance',
  facts: AcceptanceEvidence,
  decide(facts, evidence) {
    const found = firstFault(facts, evidence) ?? faultOfReviews(facts)
    // A commit that nobody can find is no evidence in either direction (MC-112); it permits nothing all the same.
    if (found?.reason === 'delivery_unresolved') return { outcome: 'abstain', reason: found.reason, message: found.message, evidence }
    if (found !== undefined) return refuse(found, evidence)
    return { outcome: 'pass', message: messageOf(facts), evidence, expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs) }
  },
})

export interface AcceptedContent {
  readonly runId: string
  readonly attempt: number
  /** Digest of the workspace that was accepted; for another one this proof says nothing. */
  readonly workspace: Digest
}

/** What the acceptance gate hands on: this workspace is the accepted result of this run. */
export type Accepted = Proof<'acceptance', AcceptedContent>

export const acceptedProof = defineProof(acceptanceGate, (facts): AcceptedContent => ({ runId: facts.runId, attempt: facts.attempt, workspace: facts.workspace.after }))

export interface ItemStatus {
  readonly id: number
  readonly text: string
  readonly status: 'met' | 'not_met'
  /** The records of the item's probes, in the order in which they were made. */
  readonly runtime_probe_evidence: readonly ProbeRecord[]
}

/** Each acceptance item with its status: met only if it names probes and each of them holds on the result of this run. */
export function itemStatuses(facts: AcceptanceFacts): readonly ItemStatus[] {
  const sound = faultOfRecords(facts, 'result', facts.records.result, facts.workspace.after) === undefined
  return facts.items.map(({ id, text, probes }) => {
    const met = sound && probes.length > 0 && probes.every((name) => facts.records.result.some((record) => record.probe === name && holds(facts, record)))
    return { id, text, status: met ? 'met' : 'not_met', runtime_probe_evidence: recordsOf(facts).filter((record) => probes.includes(record.probe)) }
  })
}

type Check = (facts: AcceptanceFacts, evidence: Digests) => Fault | undefined

const firstFault = (facts: AcceptanceFacts, evidence: Digests): Fault | undefined => CHECKS.map((check) => check(facts, evidence)).find((result) => result !== undefined)

/** True if nothing but reviews is left to ask for: a reviewer is not asked about work that its probes do not carry. */
export const isReadyForReview = (facts: AcceptanceFacts, evidence: Digests): boolean => facts.review !== null && firstFault(facts, evidence) === undefined

/** In the order in which a reader wants to hear of them: first what makes the rest meaningless. */
const CHECKS: readonly Check[] = [faultOfRunner, faultOfTargets, faultOfAgent, faultOfChange, faultOfProduct, faultOfListing, faultOfResultRecords, faultOfResult, faultOfUntouchedRecords, faultOfUntouched, faultOfFake, faultOfFakeRecords, faultOfComparison, faultOfReference, faultOfDelivery]

function faultOfRunner({ runner }: AcceptanceFacts): Fault | undefined {
  return typeof runner === 'string' ? undefined : fault('probe_crashed', `runtime probe runner failed: ${runner.failed}`, 'a record of every bound probe', `the runner failed: ${runner.failed}`)
}

function faultOfAgent({ agent }: AcceptanceFacts): Fault | undefined {
  const asked = 'the agent to end by itself, with exit code 0 and no claim of failure'
  if (agent.timedOut) return fault('agent_timed_out', 'The agent did not end within its limit.', asked, 'Portcullis ended it at its limit')
  if (agent.signal !== null) return fault('agent_failed', `The agent was ended by ${agent.signal}.`, asked, `signal ${agent.signal}`)
  if (agent.exitCode !== 0) return fault('agent_failed', `The agent ended with ${agent.exitCode === null ? 'no exit code' : `exit code ${agent.exitCode}`}.`, asked, `exit code ${agent.exitCode ?? 'unknown'}`)
  // Before the claim: an agent whose result cannot be read says that it failed, and not why.
  if (agent.objection !== null) return fault(agent.objection.reason, agent.objection.message, agent.objection.asked, agent.objection.found)
  if (agent.claimedStatus === 'failed') return fault('agent_failed', 'The agent says that it failed.', asked, 'exit code 0 and a claim of failure')
  return undefined
}

function faultOfChange({ workspace }: AcceptanceFacts): Fault | undefined {
  const asked = 'a workspace that the agent changed'
  if (workspace.before === workspace.after) return fault('done_without_change', 'The agent changed nothing.', asked, `workspace ${workspace.after.slice(0, 12)} before and after`)
  if (workspace.filesChanged === 0) return fault('done_without_change', 'The agent changed no file that counts.', asked, 'only ignored files and empty directories differ')
  if (workspace.protectedChanged.length > 0) {
    const paths = workspace.protectedChanged.slice(0, 5).join(', ')
    return fault('protected_changed', `The agent changed what the task protects: ${paths}.`, 'the protected paths of the task as they were', `changed, removed or added to: ${paths}`)
  }
  const [link] = workspace.linksOut
  if (link !== undefined) return fault('work_not_pinned', `The work leads out of its workspace: ${link}.`, 'work that lies in the workspace as a whole, under its digest', `symbolic links that lead out of it: ${workspace.linksOut.slice(0, 5).join(', ')}`)
  return undefined
}

/** Code is complete with a change; a product needs a probe that proves it (ACC-26, ACC-27). An item always needs its probes. */
function faultOfProduct({ completion, taskClass, binding, items }: AcceptanceFacts): Fault | undefined {
  if (completion === 'product' && binding.length === 0) return fault('acceptance_unbound', `The task class ${taskClass} promises a product, and no probe is bound to the run.`, 'at least one bound probe', 'none')
  const names = binding.map((bound) => bound.probe)
  if (new Set(names).size !== names.length) return fault('evidence_invalid', 'A probe is bound twice.', 'a binding that names each probe once', names.join(', '))
  const unbound = items.find((item) => item.probes.length === 0 || item.probes.some((name) => !names.includes(name)))
  return unbound === undefined ? undefined : fault('acceptance_unbound', `Acceptance item ${unbound.id} has no bound probe.`, `the probes of item ${unbound.id} among the bound ones`, `${unbound.probes.join(', ') || 'none'}; bound: ${names.join(', ') || 'none'}`)
}

/** A record that does not stand in the verdict by its digest is an annotation beside it, and counts for nothing (ACC-28). */
function faultOfListing(facts: AcceptanceFacts, evidence: Digests): Fault | undefined {
  const listed = new Set(evidence.slice(1))
  if (facts.fake !== null && !listed.has(fakeWorkDigest(facts.fake))) return fault('evidence_invalid', 'The work of the fake backend is not among the evidence of the verdict.', 'its statement beside the facts', 'none as fakeWorkStatement makes it')
  const unlisted = facts.reviews.find((review) => !listed.has(reviewDigest(review)))
  if (unlisted !== undefined) return fault('evidence_invalid', `The review of ${unlisted.reviewer} is not among the evidence of the verdict.`, 'the statement of every review beside the facts', `none for ${unlisted.review_id} as reviewStatement makes it`)
  const missing = recordsOf(facts).find((record) => !listed.has(recordDigest(record)))
  return missing === undefined ? undefined : fault('evidence_invalid', `The record of ${missing.probe} is not among the evidence of the verdict.`, 'the statement of every record beside the facts', `none for ${missing.probe} (${missing.phase}) as recordStatement makes it`)
}

/** Not run, run without a result, and run with too few records are three things (ACC-19). */
function faultOfResultRecords(facts: AcceptanceFacts): Fault | undefined {
  const { binding, runner, records } = facts
  if (binding.length > 0 && runner !== 'ran') return fault('probe_not_run', 'The bound probes were not run.', `${binding.length} bound probes to be run`, 'the runner was not asked')
  if (binding.length > 0 && records.result.length === 0) return fault('probe_produced_nothing', 'The probe runner ran and produced nothing.', `${binding.length} records on the result`, 'none')
  return faultOfRecords(facts, 'result', records.result, facts.workspace.after)
}

function faultOfUntouchedRecords(facts: AcceptanceFacts): Fault | undefined {
  return faultOfRecords(facts, 'untouched', facts.records.untouched, facts.workspace.before)
}

function messageOf(facts: AcceptanceFacts): string {
  const names = facts.binding.map((bound) => bound.probe)
  const shown = names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  const agreed = facts.review === null ? '' : `; approved by ${facts.reviews.filter((review) => standingOf(facts, review) === 'approves').map((review) => review.reviewer).join(', ')}`
  const differences = (facts.delivery ?? []).flatMap((each) => differenceOf(each) ?? [])
  const delivered = facts.delivery === null ? '' : `; delivered to ${facts.deliveryAsked.join(', ')}${differences.length === 0 ? '' : ` (${differences.join('; ')})`}`
  if (names.length === 0) return `${facts.workspace.filesChanged} ${facts.workspace.filesChanged === 1 ? 'file' : 'files'} changed; completion ${facts.completion} asks for no probe${delivered}${agreed}`
  const items = facts.items.length === 0 ? '' : `${facts.items.length} of ${facts.items.length} met: `
  return `${items}${shown} passed (failed on the untouched copy${facts.records.reference === null ? '' : ', passed on the reference'})${delivered}${agreed}`
}

function refuse({ reason, message, asked, found }: Fault, evidence: Digests): Finding {
  return { outcome: 'block', reason, message, asked, found, remedy: remedyOf(reason), evidence }
}
