import { sha256 } from '../../contract/canonical.ts'
import type { Dialect } from '../../contract/model.ts'
import type { Verdict } from '../../contract/verdict.ts'
import type { RunEvent } from '../../engine/index.ts'
import type { ModelCall } from '../../gates/wire/index.ts'

// The one place that knows the names of OpenTelemetry. Those under `gen_ai` are in development there (semantic-conventions-genai), so they
// will change; what Portcullis adds stands under `portcullis`. Messages, prompts, answers, paths and headers are in none of it.

export type AttributeValue = string | number | boolean

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: 'internal' | 'client'
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** The reason, where it ended otherwise than it should. */
  readonly error: string | undefined
}

/** How a run began, as far as it is told. */
export interface Opened {
  readonly at: string
  readonly data: RunEvent['data']
}

const OPERATIONS = { 'openai-chat': 'chat', 'openai-responses': 'chat', 'anthropic-messages': 'chat', gemini: 'generate_content' } as const satisfies Record<Dialect, string>

/** What a model's name may look like. An agent can write anything where a name belongs, and what it writes is its content. */
const MODEL_NAME = /^[\w.:/@+[\]-]{1,200}$/

/** Derived from the run, so that every span of it finds the others, whichever process sends it. */
const traceOf = (runId: string): string => sha256(`trace ${runId}`).slice(0, 32)
const spanOf = (...about: readonly (string | number)[]): string => sha256(`span ${about.join(' ')}`).slice(0, 16)

/** One call on the wire; undefined for a request that asks no model anything. */
export function spanOfCall(runId: string, call: ModelCall): Span | undefined {
  if (!call.inference || call.dialect === null) return undefined
  const operation = OPERATIONS[call.dialect]
  const asked = named(call.requestedModel)
  const startMs = Date.parse(call.startedAt)
  return {
    traceId: traceOf(runId),
    spanId: spanOf(runId, 'call', call.purpose, call.epoch, call.number, call.startedAt),
    parentSpanId: spanOf(runId),
    name: asked === undefined ? operation : `${operation} ${asked}`,
    kind: 'client',
    startMs,
    endMs: startMs + call.durationMs,
    attributes: given({
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': call.admitted.provider,
      'gen_ai.request.model': asked,
      'gen_ai.response.model': named(call.servedModel),
      'gen_ai.usage.input_tokens': call.usage?.inputTokens,
      'gen_ai.usage.output_tokens': call.usage?.outputTokens,
      'gen_ai.usage.cache_read.input_tokens': call.usage?.cacheReadTokens,
      'gen_ai.usage.cache_creation.input_tokens': call.usage?.cacheWriteTokens,
      'error.type': call.reason ?? undefined,
      'portcullis.run.id': runId,
      'portcullis.call.number': call.number,
      'portcullis.call.purpose': call.purpose,
      'portcullis.call.outcome': call.outcome,
      'portcullis.call.hops': call.hops.length,
      'portcullis.admitted.model': call.admitted.model,
    }),
    error: call.outcome === 'answered' ? undefined : (call.reason ?? call.outcome),
  }
}

/** The verdict of a gate. It has one time, that of its decision. */
export function spanOfVerdict(verdict: Verdict): Span {
  const atMs = Date.parse(verdict.decidedAt)
  const reason = verdict.outcome === 'pass' ? undefined : verdict.reason
  return {
    traceId: traceOf(verdict.runId),
    spanId: spanOf(verdict.runId, 'verdict', verdict.sequence),
    parentSpanId: spanOf(verdict.runId),
    name: `gate ${verdict.gate}`,
    kind: 'internal',
    startMs: atMs,
    endMs: atMs,
    attributes: given({ 'portcullis.run.id': verdict.runId, 'portcullis.gate.name': verdict.gate, 'portcullis.gate.outcome': verdict.outcome, 'portcullis.gate.sequence': verdict.sequence, 'error.type': reason }),
    error: reason,
  }
}

const ENDED_WELL: readonly unknown[] = ['accepted', 'checked', 'closed', 'recorded']

/** A whole run, told when it has ended. */
export function spanOfRun(runId: string, { at, data: { task, agent, profile, purpose } }: Opened, ended: RunEvent): Span {
  const { state, reason } = ended.data
  return {
    traceId: traceOf(runId),
    spanId: spanOf(runId),
    parentSpanId: undefined,
    name: 'run',
    kind: 'internal',
    startMs: Date.parse(at),
    endMs: Date.parse(ended.at),
    attributes: given({
      'portcullis.run.id': runId,
      'portcullis.run.state': text(state),
      'portcullis.task.id': text(task),
      'gen_ai.agent.name': text(agent),
      'portcullis.profile': text(profile),
      'portcullis.purpose': text(purpose),
      'error.type': text(reason),
    }),
    error: ENDED_WELL.includes(state) ? undefined : (text(reason) ?? 'ended'),
  }
}

const named = (model: string | null): string | undefined => (model !== null && MODEL_NAME.test(model) ? model : undefined)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function given(attributes: Readonly<Record<string, AttributeValue | undefined>>): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
}
