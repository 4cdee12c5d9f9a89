import * as z from 'zod'
import type { Dialect } from '../../contract/model.ts'
import { readStrictJson } from '../catalog/index.ts'

/** What a profile asks for beside the model. Null where it names none: then nothing is compared. */
export interface ModelSettings {
  readonly effort: string | null
  readonly context: string | null
}

export const NO_SETTINGS: ModelSettings = { effort: null, context: null }

/** A context variant is no model of its own: it is asked for by a flag beside the exact id, in Anthropic's dialect alone. */
export const CONTEXT_FLAGS: Readonly<Record<string, string>> = { '1m': 'context-1m-2025-08-07' }
const ANY_CONTEXT_FLAG = /^context-/

/** Efforts that mean: none is asked for. */
const NO_EFFORT: readonly string[] = ['off', 'none']

const Effort = z.string().min(1).max(100)
/** Where each dialect says how hard the model is to think. */
const EFFORT_OF = {
  'anthropic-messages': z.object({ output_config: z.object({ effort: Effort.optional() }).optional() }).transform((body) => body.output_config?.effort),
  'openai-chat': z.object({ reasoning_effort: Effort.nullish() }).transform((body) => body.reasoning_effort),
  'openai-responses': z.object({ reasoning: z.object({ effort: Effort.nullish() }).nullish() }).transform((body) => body.reasoning?.effort),
  gemini: z.object({ generationConfig: z.object({ thinkingConfig: z.object({ thinkingLevel: Effort.optional() }).optional() }).optional() }).transform((body) => body.generationConfig?.thinkingConfig?.thinkingLevel?.toLowerCase()),
} as const satisfies Record<Dialect, z.ZodType>

/** What one request asks for beside the model: as it stands in the bytes that go on, never as the client says elsewhere. */
export type SeenSettings = { readonly ok: true; readonly seen: ModelSettings } | { readonly ok: false; readonly found: string }

export function readSettings(dialect: Dialect, body: Uint8Array, flags: string | undefined): SeenSettings {
  const read = readStrictJson(new TextDecoder().decode(body))
  if ('problem' in read) return { ok: false, found: `a body that is ${read.problem}` }
  const effort = EFFORT_OF[dialect].safeParse(read.value)
  if (!effort.success) return { ok: false, found: 'an effort that is no word' }
  const contexts = dialect === 'anthropic-messages' ? (flags ?? '').split(',').map((flag) => flag.trim()).filter((flag) => ANY_CONTEXT_FLAG.test(flag)) : []
  if (new Set(contexts).size > 1) return { ok: false, found: `two context variants (${contexts.join(', ').slice(0, 200)})` }
  const [flag] = contexts
  const context = flag === undefined ? null : (Object.entries(CONTEXT_FLAGS).find(([, known]) => known === flag)?.[0] ?? flag.slice(0, 100))
  return { ok: true, seen: { effort: effort.data ?? null, context } }
}

/** How a request differs from the profile, in words; undefined where it asks for exactly that (MC-082). */
export function settingsProblem(dialect: Dialect, asked: ModelSettings, seen: ModelSettings): string | undefined {
  const effort = asked.effort !== null && NO_EFFORT.includes(asked.effort) ? null : asked.effort
  if (asked.effort !== null && seen.effort !== effort) return `${seen.effort === null ? 'no effort' : `effort ${seen.effort}`} where the profile names effort ${asked.effort}`
  // Elsewhere a context is the agent's own limit, of which nothing goes over the wire.
  if (asked.context === null || dialect !== 'anthropic-messages') return undefined
  const context = Object.hasOwn(CONTEXT_FLAGS, asked.context) ? asked.context : null
  return seen.context === context ? undefined : `${seen.context === null ? 'no context variant' : `context ${seen.context}`} where the profile names context ${asked.context}`
}
