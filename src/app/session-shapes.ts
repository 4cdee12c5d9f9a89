import * as z from 'zod'
import { RUNTIME_CAPABILITIES } from '../engine/index.ts'
import { QueuedMessage, renderTerminalState, RUNTIME_MODES, RUNTIME_STATES, TicketTurn } from '../gates/dispatch/index.ts'

const Instant = z.iso.datetime()

/** What a session runtime can do, as it declares it; each claim has a test that proves it. */
export const ManifestView = z.record(z.enum(RUNTIME_CAPABILITIES), z.enum(['native', 'derived', 'none']))

/** The session of a ticket, as every surface shows it. Times are absolute; how long ago that is, whoever shows it says (MC-009). */
export const SessionView = z.strictObject({
  ticket: z.string(),
  session: z.string().nullable().describe('Null where there was never one.'),
  attached: z.boolean().describe('Whether this server holds it: only then the buttons act.'),
  run: z.string().nullable().describe('The run in which its gates and its model calls stand.'),
  state: z.enum(RUNTIME_STATES),
  mode: z.enum(RUNTIME_MODES).nullable().describe('INTERACTIVE has a terminal that somebody can attach to.'),
  agent: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  triple: z.string().nullable().describe('agent/provider/model'),
  profile: z.string().nullable(),
  cwd: z.string().nullable(),
  epoch: z.int().nullable(),
  pid: z.int().nullable(),
  started_at: Instant.nullable(),
  last_activity_at: Instant.nullable(),
  ended_at: Instant.nullable(),
  duration_ms: z.int().nullable().describe('Of one that has ended: fixed.'),
  start_tokens: z.int().nullable(),
  context_tokens: z.int().nullable().describe('As the runtime counted them last; null where it does not.'),
  effort: z.string().nullable(),
  manifest: ManifestView.nullable(),
  attach: z.array(z.string()).nullable().describe('The command with which a person attaches to it on the machine of the server.'),
  permissions: z.array(z.strictObject({ request: z.string(), tool: z.string() })).describe('What it waits for an answer to.'),
  queue: z.array(QueuedMessage).describe('Messages that wait, in their order.'),
})
export type SessionView = Readonly<z.infer<typeof SessionView>>

/** One attempt to bring one message into a session. `terminal_text` is rendered from the record, and nothing reads it back (MC-057). */
export const TurnView = TicketTurn.omit({ nonce_sha256: true }).extend({ terminal_text: z.string().nullable() })
export type TurnView = Readonly<z.infer<typeof TurnView>>

export function turnView({ nonce_sha256: _hash, ...turn }: TicketTurn): TurnView {
  return { ...turn, terminal_text: turn.terminal === null ? null : renderTerminalState(turn.terminal) }
}

/** What a session printed, for people: no part of it decides anything (MC-133). */
export const TranscriptView = z.strictObject({
  ticket: z.string(),
  session: z.string().nullable(),
  format: z.enum(['terminal', 'protocol']).nullable(),
  content: z.string(),
  total_bytes: z.int().nonnegative(),
  truncated: z.boolean().describe('Whether something of it is left out here: at its middle, or before what was asked for.'),
  withheld: z.string().nullable().describe('Why nothing of it is shown; null if nothing stands against it.'),
  decides: z.literal(false).describe('What stands here is shown and never read: no state follows from it.'),
})
export type TranscriptView = Readonly<z.infer<typeof TranscriptView>>

export const SentView = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('turn'), turn: TurnView }), z.strictObject({ kind: z.literal('queued'), message: QueuedMessage })])
export type SentView = Readonly<z.infer<typeof SentView>>

export { QueuedMessage }
