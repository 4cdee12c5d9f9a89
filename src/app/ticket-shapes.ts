import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { PageAddress, PRIORITIES, WORK_KINDS } from '../gates/dispatch/index.ts'

export { Digest } from '../contract/verdict.ts'
export { PHASE_KINDS, TicketView } from '../engine/index.ts'
export { Attachment, PRIORITIES, QueuedMessage, renderTerminalState, replay, RUNTIME_MODES, Ticket, TICKET_STATES, TicketEvent, TicketId, TicketItem, TicketSession, TicketTurn, WORK_KINDS } from '../gates/dispatch/index.ts'

/** What a new ticket is made of. Nothing of it is guessed. */
export const draftShape = z.strictObject({
  title: z.string().min(1).max(300),
  description: z.string().max(100_000),
  priority: z.enum(PRIORITIES),
  project: Name,
  kind: z.enum(WORK_KINDS).describe('code: done by a change; research: by an answer that is reviewed.'),
  labels: z.array(z.string().min(1).max(100)).max(50),
  source: z.strictObject({ reference: z.string().min(1).max(500), key: z.string().min(1).max(200).nullable(), url: PageAddress.nullable() }).nullable(),
  acceptance: z.array(z.strictObject({ id: z.int().positive(), text: z.string().min(1).max(2_000) })).max(100).refine((items) => new Set(items.map(({ id }) => id)).size === items.length, 'expected each item once').describe('What must hold in the end, item by item.'),
  repositories: z.array(z.string().min(1).max(1_000)).max(20).describe('Repositories outside the directory of its session that it may touch.'),
})
