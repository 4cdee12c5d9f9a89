import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { Lease } from './lease.ts'
import { TerminalState } from './terminal-state.ts'
import { ACTOR_KINDS, PRIORITIES, RESOLUTIONS, RUNTIME_MODES, RUNTIME_STATES, TICKET_STATES, WORK_KINDS } from './ticket-states.ts'

/** The one id of a ticket: key, turns, references and completions all carry it (MC-010). */
export const TicketId = z.string().max(20).regex(/^T-[1-9]\d*$/, 'expected the id of a ticket, as in T-12')
export type TicketId = string

const Instant = z.iso.datetime()
const Text = z.string().min(1).max(20_000)

/** Who did something. The id is normalised, so that `luci` and `Luci` are one (MC-015). */
export const Actor = z.strictObject({ id: z.string().min(1).max(120).regex(/^[^\sA-Z]+$/u), kind: z.enum(ACTOR_KINDS), holder: z.string().min(1).max(200).describe('What showed who it is: the id of a token or run, or `local` for a command on this machine.') })
export type Actor = Readonly<z.infer<typeof Actor>>

/** The same name in any writing is one id; what is left of it must be something. */
export const actorId = (name: string): string => name.normalize('NFKC').trim().toLowerCase().replace(/\s+/gu, '-')

export const TicketItem = z.strictObject({
  id: z.int().positive(),
  text: z.string().min(1).max(2_000),
  verdict: z.enum(['pass', 'fail']).nullable(),
  reason: z.string().max(2_000).nullable(),
  evidence: z.array(Digest).max(100),
  by: z.string().nullable(),
  at: Instant.nullable(),
})
export type TicketItem = Readonly<z.infer<typeof TicketItem>>

/** An address that somebody may click: of a page, never of a script. */
export const PageAddress = z.url({ protocol: /^https?$/ }).max(2_000)

export const TicketSource = z.strictObject({
  reference: z.string().min(1).max(500).describe('Where the ticket comes from, as in FINAL-ASSESSMENT.md Item #9.'),
  key: z.string().min(1).max(200).nullable().describe('What it is called there.'),
  url: PageAddress.nullable(),
  reconciled: z.boolean().describe('Set by the event that closes the ticket, and by nothing else.'),
})
export type TicketSource = Readonly<z.infer<typeof TicketSource>>

export const Attachment = z.strictObject({ name: Name, media_type: z.string().max(200).regex(/^[\w.+-]+\/[\w.+-]+$/), sha256: Digest, bytes: z.int().nonnegative(), by: z.string(), at: Instant })
export type Attachment = Readonly<z.infer<typeof Attachment>>

/** The session of a ticket as the ticket shows it. A closed one keeps its times, and its duration does not grow (MC-007). */
export const TicketRuntime = z.strictObject({
  state: z.enum(RUNTIME_STATES),
  session: z.string().max(200).nullable(),
  profile: z.string().nullable(),
  triple: z.string().nullable(),
  cwd: z.string().nullable(),
  mode: z.enum(RUNTIME_MODES).nullable(),
  started_at: Instant.nullable(),
  last_activity_at: Instant.nullable(),
  ended_at: Instant.nullable(),
  duration_ms: z.int().nonnegative().nullable(),
})
export type TicketRuntime = Readonly<z.infer<typeof TicketRuntime>>

export const NO_RUNTIME: TicketRuntime = { state: 'none', session: null, profile: null, triple: null, cwd: null, mode: null, started_at: null, last_activity_at: null, ended_at: null, duration_ms: null }

/** Who works on it, until when, in which epoch: whoever claims it next has a higher one, and the one before is refused. */
export const TicketClaim = z.strictObject({ holder: z.string(), shown_by: z.string().max(200).optional().describe('What showed who claimed. A claim that says nothing of it is nobody\'s to renew: it ends by itself.'), kind: z.enum(ACTOR_KINDS), epoch: z.int().positive(), expires_at: Instant.describe('When it ends if nobody sets the clock; what counts is the lease.'), lease: Lease.optional() })
export type TicketClaim = Readonly<z.infer<typeof TicketClaim>>

export const TriageDecision = z.strictObject({ agent: Name.nullable(), confidence: z.number().min(0).max(1), skill: z.string().max(300).nullable(), reason: z.string().min(1).max(1_000), assigned: z.boolean() })
export type TriageDecision = Readonly<z.infer<typeof TriageDecision>>

export const Finding = z.strictObject({ by: z.string(), text: z.string().min(1).max(4_000) })

/** So much has room in a ticket. Whoever brings more is told before the work, not by a fault after it. */
export const MOST_ITEMS = 100
export const MOST_ATTACHMENTS = 100
export const MOST_EVIDENCE = 200
export const MOST_RUNS = 200

/** A ticket as its events make it. Everything here is set by one of them, so replaying them gives it again (MC-016). */
export const Ticket = z.strictObject({
  id: TicketId,
  number: z.int().positive(),
  /** How many events it has; each change adds one. */
  version: z.int().positive(),
  title: z.string().min(1).max(300),
  description: z.string().max(100_000),
  source: TicketSource.nullable(),
  priority: z.enum(PRIORITIES),
  project: Name,
  kind: z.enum(WORK_KINDS),
  labels: z.array(z.string().min(1).max(100)).max(50),
  requester: z.string(),
  owner: z.string().nullable(),
  state: z.enum(TICKET_STATES),
  /** Why it stands there, where a code says so: no_signal, delivery_unknown, runtime_busy ... */
  reason: z.string().max(100).nullable(),
  resolution: z.enum(RESOLUTIONS).nullable(),
  runtime: TicketRuntime,
  /** Grows with every claim and every fresh session. */
  epoch: z.int().nonnegative(),
  claim: TicketClaim.nullable(),
  triage: TriageDecision.nullable(),
  acceptance: z.array(TicketItem).max(MOST_ITEMS),
  phases: z.array(Name).max(20).nullable().describe('The phases chosen for it, in order.'),
  phase: z.int().nonnegative().describe('How many of them it has passed.'),
  repositories: z.array(z.string().min(1).max(1_000)).max(20).describe('Repositories outside the directory of the session that it may touch.'),
  dispatch_failures: z.int().nonnegative(),
  review_rejections: z.int().nonnegative(),
  findings: z.array(Finding).max(100).describe('What reviewers found; it stands in the next prompt.'),
  retry_at: Instant.nullable(),
  terminal: TerminalState.nullable().describe('How the last turn ended.'),
  attachments: z.array(Attachment).max(MOST_ATTACHMENTS),
  evidence: z.array(Digest).max(MOST_EVIDENCE),
  runs: z.array(z.string().max(200)).max(MOST_RUNS),
  created_at: Instant,
  state_since: Instant,
  updated_at: Instant,
})
export type Ticket = Readonly<z.infer<typeof Ticket>>

export const TICKET_EVENTS = ['created', 'imported', 'commented', 'triaged', 'moved', 'claimed', 'claim_renewed', 'released', 'phases_chosen', 'review_ready', 'attached', 'edited', 'session_opened', 'session_changed', 'permission_answered', 'message_queued', 'message_removed', 'message_changed', 'message_refused', 'turn_began', 'turn_delivered', 'turn_ended', 'signal_refused', 'interrupted', 'restarted', 'overruled', 'item_judged', 'rejected', 'closed', 'closing_refused', 'start_refused'] as const

/** One change of a ticket. `set` is what it changed, so that the fold needs no rule of its own. */
export const TicketEvent = z.strictObject({
  ticket: TicketId,
  sequence: z.int().positive(),
  kind: z.enum(TICKET_EVENTS),
  at: Instant,
  actor: Actor,
  /** `mirrored`: somebody else said so; Portcullis did not see it (MC-013). */
  origin: z.enum(['observed', 'mirrored']),
  text: Text.nullable(),
  data: z.record(z.string(), z.json()),
  set: Ticket.omit({ id: true, version: true, updated_at: true }).partial(),
})
export type TicketEvent = Readonly<z.infer<typeof TicketEvent>>

/** The ticket after one more event. Throws for an event of another ticket, or one that leaves a gap. */
export function applyEvent(before: Ticket | undefined, event: TicketEvent): Ticket {
  const expected = (before?.version ?? 0) + 1
  if (event.sequence !== expected || (before !== undefined && before.id !== event.ticket)) throw new Error(`event ${event.sequence} of ${event.ticket} where ${expected} of ${before?.id ?? event.ticket} was expected`)
  return Ticket.parse({ ...before, ...event.set, id: event.ticket, version: event.sequence, updated_at: event.at })
}

/** The ticket that a whole list of events makes; undefined for none. */
export const replay = (events: readonly TicketEvent[]): Ticket | undefined => events.reduce<Ticket | undefined>(applyEvent, undefined)
