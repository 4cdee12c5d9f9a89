/**
 * Where a ticket stands. `done`: the work says it is finished, and nobody has proven it yet. `closed`: the last word, by the
 * gate that speaks for it or by an operator who gives it up. `question` and `blocked` wait for a person.
 */
export const TICKET_STATES = ['triage', 'todo', 'in_progress', 'review', 'question', 'blocked', 'done', 'closed'] as const
export type TicketState = (typeof TICKET_STATES)[number]

/** What may follow, whoever asks. The store enforces it a second time (law 4). */
export const TICKET_TRANSITIONS = {
  triage: ['todo', 'blocked', 'closed'],
  todo: ['triage', 'in_progress', 'blocked', 'closed'],
  in_progress: ['todo', 'review', 'question', 'blocked', 'done', 'closed'],
  review: ['todo', 'blocked', 'done', 'closed'],
  question: ['todo', 'review', 'blocked', 'closed'],
  blocked: ['triage', 'todo', 'closed'],
  done: ['todo', 'review', 'blocked', 'closed'],
  closed: [],
} as const satisfies Readonly<Record<TicketState, readonly TicketState[]>>

/**
 * What a person may do by hand. Work begins by a claim and is done by a completion or by the gate, so neither stands here: a
 * door beside those two would be open to whoever can move a card.
 */
export const MOVES_BY_HAND = {
  triage: ['todo', 'blocked', 'closed'],
  todo: ['triage', 'blocked', 'closed'],
  in_progress: ['review', 'blocked', 'closed'],
  review: ['todo', 'blocked', 'closed'],
  question: ['todo', 'review', 'blocked', 'closed'],
  blocked: ['triage', 'todo', 'closed'],
  done: ['todo', 'review', 'blocked', 'closed'],
  closed: [],
} as const satisfies Readonly<Record<TicketState, readonly TicketState[]>>

/** Where the live session of a ticket stands, apart from the ticket: `done` and `closed`, `todo` and `running` can both be (MC-004). */
export const RUNTIME_STATES = ['none', 'starting', 'ready', 'running', 'needs_input', 'failed', 'closed'] as const
export type RuntimeState = (typeof RUNTIME_STATES)[number]

/** True for a session that a message or an operator can still reach. */
export const isLive = (state: RuntimeState): boolean => state === 'starting' || state === 'ready' || state === 'running' || state === 'needs_input'

export const canFollow = (from: TicketState, to: TicketState): boolean => (TICKET_TRANSITIONS[from] as readonly TicketState[]).includes(to)
export const canMoveByHand = (from: TicketState, to: TicketState): boolean => (MOVES_BY_HAND[from] as readonly TicketState[]).includes(to)

export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const
/** `code` is done by a change, `research` by an answer that somebody reviews (MC-070). */
export const WORK_KINDS = ['code', 'research'] as const
/** How a session is driven (MC-011). */
export const RUNTIME_MODES = ['INTERACTIVE', 'HEADLESS'] as const
export const ACTOR_KINDS = ['human', 'agent', 'service', 'reviewer', 'gate'] as const
/** Why a ticket ended: with its work accepted, or given up. */
export const RESOLUTIONS = ['accepted', 'declined'] as const
