import * as z from 'zod'

/** What a record may point at: a ticket, a session, a run, or evidence by its digest (MC-056). */
export const ArtifactReference = z.string().max(300).regex(/^(?:ticket:T-\d+|session:[A-Za-z0-9._-]+|run:[A-Za-z0-9._-]+|evidence:(?:sha256:)?[0-9a-f]{64})$/, 'expected ticket:<id>, session:<id>, run:<id> or evidence:<sha256>')

/** The one record that every end of a dispatch or turn leaves, whatever the end (MC-050, MC-051). Each field must be there. */
export const TerminalState = z.strictObject({
  contract: z.literal(1),
  status: z.enum(['ok', 'warning', 'failed', 'blocked']),
  summary: z.string().min(1).max(2_000),
  root_cause: z.string().min(1).max(4_000).nullable(),
  safe_retry: z.string().min(1).max(2_000),
  stop_condition: z.string().min(1).max(2_000),
  human_input_required: z.boolean(),
  next_actions: z.array(z.string().min(1).max(1_000)).max(20),
  artifacts: z.array(ArtifactReference).max(100),
})
export type TerminalState = Readonly<z.infer<typeof TerminalState>>

/** What is wrong with a record as the last word about a ticket in a state; undefined if nothing is. Pure, so that writer and reader judge alike. */
export function terminalProblem(record: unknown, about: { readonly ticket: string; readonly state: string }): string | undefined {
  const read = TerminalState.safeParse(record)
  if (!read.success) return read.error.issues.map((issue) => `${issue.path.join('.') || 'the record'}: ${issue.message}`).join('; ')
  const foreign = read.data.artifacts.find((reference) => reference.startsWith('ticket:') && reference !== `ticket:${about.ticket}`)
  if (foreign !== undefined) return `it points at ${foreign}, and is about ${about.ticket}`
  const waits = about.state === 'question' || about.state === 'blocked'
  if (read.data.human_input_required !== waits) return `human_input_required is ${read.data.human_input_required} for a ticket that is ${about.state}`
  return undefined
}

/** The record for people. Nothing reads this text back: what a program needs is the record itself (MC-057). */
export function renderTerminalState(record: TerminalState): string {
  const listed = (items: readonly string[]): string[] => (items.length === 0 ? ['  none'] : items.map((item) => `  - ${item}`))
  return [
    `RUNTIME TERMINAL STATE (contract ${record.contract})`,
    `status: ${record.status}`,
    `summary: ${record.summary}`,
    `root_cause: ${record.root_cause ?? 'none'}`,
    `safe_retry: ${record.safe_retry}`,
    `stop_condition: ${record.stop_condition}`,
    `human_input_required: ${record.human_input_required ? 'yes' : 'no'}`,
    'next_actions:', ...listed(record.next_actions),
    'artifacts:', ...listed(record.artifacts),
  ].join('\n')
}

