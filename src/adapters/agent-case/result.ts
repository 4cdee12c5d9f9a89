import * as z from 'zod'

const START = '<<<AGENT_RESULT'
const END = 'AGENT_RESULT>>>'

/** What of a result anything here depends on. Unknown fields are let pass: roles have fields of their own. */
const Result = z.looseObject({
  status: z.enum(['completed', 'failed', 'blocked']),
  error: z.string().nullish(),
  artifacts: z.looseObject({ testsPassed: z.boolean().nullish() }).nullish(),
})

export type ReadResult = { readonly ok: true; readonly status: 'completed' | 'failed' | 'blocked' } | { readonly ok: false; readonly found: string }

const refused = (found: string): ReadResult => ({ ok: false, found })

/**
 * The result that an answer ends with, strictly: the last block, with nothing but a code fence behind it, consistent in
 * itself, and none of `examples`, which are what Case's own prompts show and a model may only repeat.
 */
export function readResult(answer: string, examples: readonly string[]): ReadResult {
  const start = answer.lastIndexOf(START)
  if (start < 0) return refused('AGENT_RESULT start delimiter not found')
  const end = answer.indexOf(END, start)
  if (end < 0) return refused('AGENT_RESULT end delimiter not found')
  if (!/^[\s`]*$/.test(answer.slice(end + END.length))) return refused('the answer goes on behind its result')
  const text = answer.slice(start + START.length, end).trim()
  if (examples.includes(squeezed(text))) return refused('the example of the prompt, repeated')
  const parsed = parseJson(text)
  if (parsed === undefined) return refused('a result that is no JSON')
  const read = Result.safeParse(parsed)
  if (!read.success) return refused(`a result without a valid ${read.error.issues[0]?.path.join('.') || 'form'}`)
  const { status, error, artifacts } = read.data
  if (status === 'completed' && error !== undefined && error !== null && error.trim() !== '') return refused('status completed together with an error')
  if (status === 'completed' && artifacts?.testsPassed === false) return refused('status completed together with failed tests')
  return { ok: true, status }
}

/** Every block that a prompt shows, as `readResult` compares it. */
export function examplesIn(prompt: string): string[] {
  return prompt.split(START).slice(1).flatMap((part) => {
    const end = part.indexOf(END)
    return end < 0 ? [] : [squeezed(part.slice(0, end))]
  })
}

/** Without white space: a model that repeats an example may lay it out anew. */
const squeezed = (text: string): string => text.replace(/\s+/g, '')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
