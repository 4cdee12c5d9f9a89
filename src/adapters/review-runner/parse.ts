import { ReviewAnswer } from '../../gates/acceptance/index.ts'
import { readStrictJson } from '../../gates/catalog/index.ts'

/** Why there is no verdict, as a code and a sentence. */
export interface Failure {
  readonly code: string
  readonly text: string
}

export type Parsed = { readonly answer: ReviewAnswer } | { readonly failure: Failure }

/** What a sandbox prints that could not be set up: whatever the reviewer says then, it saw nothing (ACC-65). */
const SANDBOX_FAILURE = /bwrap: .{0,80}(?:namespace|permi|denied|not permitted)|(?:sandbox|namespace).{0,60}(?:could not be created|cannot be created|cannot create|failed to (?:create|start))|cannot create (?:its|a new|the) .{0,20}namespace|unshare: .{0,60}(?:not permitted|failed)|sandbox-exec: /i

/** True if a text tells of a sandbox that did not start. */
export const tellsOfSandboxFailure = (text: string): boolean => SANDBOX_FAILURE.test(text)

/** Reads an answer strictly. `redact` takes known credentials out of every text before anything of it is kept. */
export function parseAnswer(text: string, redact: (text: string) => string): Parsed {
  const read = readStrictJson(text.trim())
  if ('problem' in read) return { failure: { code: 'answer_not_json', text: `its answer is ${read.problem}` } }
  const parsed = ReviewAnswer.safeParse(redactAll(read.value, redact))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return { failure: { code: 'answer_invalid', text: `its answer is none: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.slice(0, 400) } }
  }
  if (tellsOfSandboxFailure(parsed.data.reason)) return { failure: { code: 'sandbox_failed', text: 'its sandbox could not be set up, as its answer tells' } }
  return { answer: parsed.data }
}

function redactAll(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value).toWellFormed()
  if (Array.isArray(value)) return value.map((member: unknown) => redactAll(member, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redactAll(member, redact)]))
}
