import * as z from 'zod'
import type { Digests } from '../../contract/evidence.ts'
import { definePredicate } from '../../contract/evidence.ts'
import { defineGate, type Finding, type Refusal } from '../../contract/gate.ts'
import { ModelPair, printPair } from '../../contract/model.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { REASON_TABLE, REASONS, type Reason } from '../../contract/reasons.ts'
import { Digest } from '../../contract/verdict.ts'
import { CallPurpose, type ModelCall } from './model-call.ts'
import type { RecordedCall } from './ports.ts'
import { REMEDIES } from './remedies.ts'

/** One call on the wire, as far as it is judged; the whole of it is the evidence that `evidence` names. */
export const WitnessedCall = z.strictObject({
  evidence: Digest,
  number: z.int().positive(),
  purpose: CallPurpose,
  inference: z.boolean(),
  outcome: z.enum(['answered', 'refused', 'failed']),
  reason: z.enum(REASONS).nullable(),
  requestedModel: z.string().nullable(),
  servedModel: z.string().nullable(),
  providerStatus: z.int().nullable(),
  detail: z.string().nullable(),
  inputTokens: z.int().nonnegative().nullable(),
  outputTokens: z.int().nonnegative().nullable(),
  costUsd: z.number().nonnegative().nullable(),
})
export type WitnessedCall = z.infer<typeof WitnessedCall>

export const WireFacts = definePredicate(
  'https://portcullis.dev/evidence/wire/v1',
  z.strictObject({
    observedAt: z.iso.datetime(),
    /** How long a pass holds from `observedAt`, in milliseconds. */
    validForMs: z.int().positive(),
    admitted: ModelPair,
    servedModelIds: z.array(z.string().min(1)).min(1),
    /** True only under isolation `network`: no call can have gone round the wire (ISO-07). */
    recordComplete: z.boolean(),
    /** How long the agent's process ran, in milliseconds; null if it never started. */
    processRanMs: z.number().nonnegative().nullable(),
    /** Calls whose evidence could not be stored. */
    unrecordedCalls: z.int().nonnegative(),
    /** Every call of the agent, refusals included. A health probe's call is none of them. */
    calls: z.array(WitnessedCall).max(100_000),
  }),
)
export type WireFacts = z.infer<typeof WireFacts.schema>

/** A recorded call as the gate's facts hold it. */
export function witnessedCall({ evidence, call }: RecordedCall): WitnessedCall {
  const { number, purpose, inference, outcome, reason, requestedModel, servedModel, providerStatus, detail, costUsd } = call
  return {
    evidence, number, purpose, inference, outcome, reason, requestedModel, servedModel, providerStatus, detail, costUsd,
    inputTokens: call.usage?.inputTokens ?? null,
    outputTokens: call.usage?.outputTokens ?? null,
  }
}

/** Judges what the wire saw of a whole run. The order matters: a call by another model outweighs everything that went well. */
export const wireGate = defineGate({
  name: 'wire',
  facts: WireFacts,
  decide(facts: WireFacts, evidence: Digests): Finding {
    const refusal = notARecord(facts) ?? servedWrongly(facts) ?? incomplete(facts) ?? notAnswered(facts) ?? askedForAnother(facts)
    if (refusal !== undefined) return { outcome: 'block', ...refusal, evidence }
    return { outcome: 'pass', message: summary(facts), evidence, expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs) }
  },
})

const inferenceOf = (facts: WireFacts): readonly WitnessedCall[] => facts.calls.filter((call) => call.inference).toSorted((a, b) => a.number - b.number)

/** The calls must be the agent's own, each once: a health probe's call, or one call told twice, would prove work that was not done. */
function notARecord(facts: WireFacts): Refusal | undefined {
  const foreign = facts.calls.find((call) => call.purpose !== 'agent')
  const numbers = new Set(facts.calls.map((call) => call.number))
  const digests = new Set(facts.calls.map((call) => call.evidence))
  const found =
    foreign !== undefined ? `call ${foreign.number}, which was made for ${foreign.purpose}`
    : numbers.size !== facts.calls.length ? 'two calls of the same number'
    : digests.size !== facts.calls.length ? 'two calls with the same evidence'
    : undefined
  return found === undefined ? undefined : refuse('evidence_invalid', facts, 'The record of the calls cannot be judged.', found)
}

/** Served by another model, or by one that did not say: ever, on any call, whatever its outcome claims (WIR-21). */
function servedWrongly(facts: WireFacts): Refusal | undefined {
  const isOther = (call: WitnessedCall): boolean => call.servedModel !== null && !facts.servedModelIds.includes(call.servedModel)
  const other = facts.calls.find((call) => call.reason === 'served_model_mismatch' || isOther(call))
  if (other !== undefined) {
    const found = `call ${other.number} was served by ${other.servedModel ?? 'another model'}`
    return refuse('served_model_mismatch', facts, `Asked ${printPair(facts.admitted)}, but ${found}.`, found)
  }
  const unnamed = facts.calls.find((call) => call.reason === 'served_model_unknown' || (call.inference && call.outcome === 'answered' && call.servedModel === null))
  if (unnamed === undefined) return undefined
  return refuse('served_model_unknown', facts, `The answer to call ${unnamed.number} names no model.`, `call ${unnamed.number}, whose answer names no model`)
}

/** A call that nobody can show may have been the one that was served by another model. */
function incomplete(facts: WireFacts): Refusal | undefined {
  if (facts.unrecordedCalls === 0) return undefined
  return refuse('evidence_unavailable', facts, 'Not every call of the run has its evidence.', `${facts.unrecordedCalls} of ${facts.calls.length + facts.unrecordedCalls} calls without stored evidence`)
}

/**
 * Agents exit 0 on provider errors and say "completed" (ADM-N15), so the last question must have been answered. Without
 * any answer the provider's first error is the root cause, whatever the agent made of it (WIR-24, ADM-N16).
 */
function notAnswered(facts: WireFacts): Refusal | undefined {
  const calls = inferenceOf(facts)
  const last = calls.at(-1)
  if (last === undefined) return noModelCall(facts)
  if (!calls.some((call) => call.outcome === 'answered')) {
    const first = calls.find((call) => call.outcome === 'failed') ?? calls[0] ?? last
    return refuse(reasonOf(first), facts, `No call was answered; the first error was: ${said(first)}.`, `${count(calls.length, 'call')}, none answered; call ${first.number}: ${said(first)}`)
  }
  // A model that the agent asked for on its own and was refused (a title, a memory) is no part of the work: the failure of the work itself is the root cause, and is named before it.
  const lastOfWork = calls.findLast((call) => call.outcome !== 'refused' || call.reason !== 'model_not_admitted') ?? last
  if (lastOfWork.outcome === 'answered') return undefined
  return refuse(reasonOf(lastOfWork), facts, `The last call was not answered: ${said(lastOfWork)}.`, `call ${lastOfWork.number} of the run: ${said(lastOfWork)}`)
}

/**
 * A model that nobody admitted, asked for by whatever part of the agent: its profile refuses such models, so the agent is not the one
 * that was planned, and what it would have sent there is not known. Last, because a provider that failed explains more (WIR-24).
 */
function askedForAnother(facts: WireFacts): Refusal | undefined {
  const others = facts.calls.filter((call) => call.reason === 'model_not_admitted').toSorted((a, b) => a.number - b.number)
  const [first] = others
  if (first === undefined) return undefined
  const models = [...new Set(others.map(({ requestedModel }) => requestedModel ?? 'a model without a printable name'))].slice(0, SHOWN_MODELS)
  const found = `call ${first.number} asked for ${models.join(', ')}; ${count(others.length, 'such call')}, none of them forwarded`
  return refuse('model_not_admitted', facts, `The agent asked for ${models[0] ?? 'another model'} by itself, which nobody admitted.`, found)
}

/** More names than that are of no use to whoever reads them. */
const SHOWN_MODELS = 5

function noModelCall(facts: WireFacts): Refusal {
  const ran = facts.processRanMs === null ? 'no process ran' : `the process ran ${(facts.processRanMs / 1_000).toFixed(2)} s`
  const others = facts.calls.length === 0 ? 'the wire saw no request' : `the wire saw ${count(facts.calls.length, 'request')}, none of which asked a model`
  return refuse('no_model_call', facts, `${ran} and asked no model anything`, others)
}

/** An unanswered call says why; one that does not is not evidence of anything. */
const reasonOf = (call: WitnessedCall): Reason => call.reason ?? 'evidence_invalid'

const said = (call: WitnessedCall): string => `${reasonOf(call)}, ${call.detail ?? REASON_TABLE[reasonOf(call)].title}`

const refuse = (reason: Reason, facts: WireFacts, message: string, found: string): Refusal => ({
  reason,
  message,
  asked: `calls of ${printPair(facts.admitted)}, each served as ${facts.servedModelIds.join(' or ')}`,
  found,
  remedy: REMEDIES[reason] ?? 'Read the calls in the report of the run; nothing of it counts until the wire saw an answer of the admitted model.',
})

const count = (number: number, noun: string): string => `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`

/** `5 calls, all served by coder-1, 9,113 tokens, USD 0.00`. What is not known is left out: unknown is not zero. */
function summary(facts: WireFacts): string {
  const calls = inferenceOf(facts)
  const answered = calls.filter((call) => call.outcome === 'answered')
  const served = [...new Set(answered.map((call) => call.servedModel))].join(', ')
  const tokens = sum(calls.map((call) => (call.inputTokens === null || call.outputTokens === null ? null : call.inputTokens + call.outputTokens)), calls)
  const cost = sum(calls.map((call) => call.costUsd), calls)
  return [
    answered.length === calls.length ? count(calls.length, 'call') : `${answered.length} of ${count(calls.length, 'call')} answered`,
    `all served by ${served}`,
    ...(tokens === null ? [] : [`${tokens.toLocaleString('en-US')} tokens`]),
    ...(cost === null ? [] : [`USD ${cost.toFixed(2)}`]),
  ].join(', ')
}

/** The sum, or null if a forwarded call's part is not known. A refused call was never forwarded and used nothing. */
function sum(parts: readonly (number | null)[], calls: readonly WitnessedCall[]): number | null {
  let total = 0
  for (const [index, part] of parts.entries()) {
    if (part === null && calls[index]?.outcome !== 'refused') return null
    total += part ?? 0
  }
  return total
}

/** What a witnessed run hands on: which models served it, and how many of its calls were answered. */
export interface WitnessedContent {
  readonly admitted: ModelPair
  readonly servedModels: readonly string[]
  readonly answeredCalls: number
  readonly recordComplete: boolean
}
export type Witnessed = Proof<'wire', WitnessedContent>

export const witnessed = defineProof({ ...wireGate, name: 'wire' as const }, (facts): WitnessedContent => {
  const answered = inferenceOf(facts).filter((call) => call.outcome === 'answered')
  return {
    admitted: facts.admitted,
    servedModels: [...new Set(answered.flatMap((call) => (call.servedModel === null ? [] : [call.servedModel])))],
    answeredCalls: answered.length,
    recordComplete: facts.recordComplete,
  }
})

/** For readers of a report: the first thing that went wrong at the provider, in order of arrival (WIR-24). */
export const firstProviderError = (calls: readonly RecordedCall[]): ModelCall | undefined =>
  calls.map(({ call }) => call).toSorted((a, b) => a.number - b.number).find((call) => call.inference && call.outcome === 'failed')
