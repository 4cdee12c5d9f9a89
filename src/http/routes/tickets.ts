import * as z from 'zod'
import { durationMs, actorOf, type Outcome, type Ticket as TicketType } from '../../app/tickets.ts'
import { addItems, attachBytes, claim, claimNext, comment, judgeItem, move, releaseExpired, renewClaim, reviewReady } from '../../app/ticket-acts.ts'
import { exportTickets, importTickets, TicketFile } from '../../app/ticket-files.ts'
import { Attachment, Digest, draftShape, PHASE_KINDS, Ticket, TicketEvent, TicketId, TicketItem, TicketView, TICKET_STATES, PRIORITIES, WORK_KINDS } from '../../app/ticket-shapes.ts'
import type { AccessKind } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { Name } from '../../contract/ids.ts'
import { problemAnswer } from '../answer.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { problemOfRefusal } from '../problem.ts'
import { type Answer, defineRoute, LOOKING, NONE, WORKING } from '../route.ts'
import type { Server } from '../../app/serve.ts'

/** A worker looks at tickets, claims them and reports; what people decide is not open to it. */
const SEEING = [...LOOKING, 'worker'] as const satisfies readonly AccessKind[]
const DOING = [...WORKING, 'worker'] as const satisfies readonly AccessKind[]

const OfTicket = z.strictObject({ ticket: TicketId })
const Words = z.string().min(1).max(20_000)
const Span = z.string().min(2).max(20).describe('A duration, as in 60s.')

const shown = { status: 200, description: 'The ticket as it is now.', contentType: 'application/json', schema: TicketView } as const

/** What became of an act: the ticket as it is after it, or the refusal with what a program needs to go on. */
async function told(server: Server, outcome: Outcome<TicketType>, status = 200): Promise<Answer> {
  if (!outcome.ok) {
    const details = Object.fromEntries(Object.entries(outcome.details).map(([name, value]) => [name, typeof value === 'object' && value !== null ? [...value] : value]))
    return problemAnswer(problemOfRefusal(outcome.refusal, details))
  }
  return { status, json: await server.tickets.view(outcome.value.id), headers: { location: `/tickets/${outcome.value.id}` } }
}

const list = defineRoute({
  id: 'listTickets', method: 'GET', path: '/tickets', kinds: SEEING, summary: 'Tickets, newest first.',
  parameters: NONE, query: z.strictObject({ state: z.enum(TICKET_STATES).optional(), project: Name.optional(), owner: z.string().max(120).optional(), cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of tickets.', contentType: 'application/json', schema: z.strictObject({ tickets: z.array(Ticket), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const limit = pageSize(query.limit)
    const rows = await server.tickets.book.store.list({ state: query.state, project: query.project, owner: query.owner, before: query.cursor === undefined ? undefined : Number(query.cursor), limit })
    return { status: 200, json: { tickets: rows, next: rows.length < limit ? null : String(rows.at(-1)?.number) } }
  },
})

const create = defineRoute({
  id: 'createTicket', method: 'POST', path: '/tickets', kinds: DOING, summary: 'Bring a ticket. It begins in triage.',
  parameters: NONE, query: NONE, body: draftShape,
  answer: { ...shown, status: 201 },
  handle: async ({ server, principal, body }) => {
    const ticket = await server.tickets.book.create(body, actorOf(principal))
    return { status: 201, json: await server.tickets.view(ticket.id), headers: { location: `/tickets/${ticket.id}` } }
  },
})

const offered = defineRoute({
  id: 'listTicketPhases', method: 'GET', path: '/tickets/phases', kinds: SEEING, summary: 'The phases that a ticket can pass, as portcullis.yaml names them: agents, reviews, decisions.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The phases.', contentType: 'application/json', schema: z.strictObject({ phases: z.array(z.strictObject({ name: Name, kind: z.enum(PHASE_KINDS), title: z.string(), task: z.string().nullable() })) }) },
  handle: async ({ server }) => ({ status: 200, json: { phases: Object.entries(server.tickets.settings().phases ?? {}).map(([name, { kind, title, task }]) => ({ name, kind, title, task: task ?? null })) } }),
})

const show = defineRoute({
  id: 'showTicket', method: 'GET', path: '/tickets/{ticket}', kinds: SEEING, summary: 'A ticket, with what is computed of it.',
  parameters: OfTicket, query: NONE, body: NONE, answer: shown,
  handle: async ({ server, parameters }) => ({ status: 200, json: await server.tickets.view(parameters.ticket) }),
})

const events = defineRoute({
  id: 'listTicketEvents', method: 'GET', path: '/tickets/{ticket}/events', kinds: SEEING, summary: 'Everything that ever changed it, in order. Replaying it gives the ticket.',
  parameters: OfTicket, query: z.strictObject({ cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of events.', contentType: 'application/json', schema: z.strictObject({ events: z.array(TicketEvent), next: z.string().nullable() }) },
  handle: async ({ server, parameters, query }) => {
    await server.tickets.book.get(parameters.ticket)
    const limit = pageSize(query.limit)
    const rows = await server.tickets.book.store.events(parameters.ticket, Number(query.cursor ?? 0), limit)
    return { status: 200, json: { events: rows, next: rows.length < limit ? null : String(rows.at(-1)?.sequence) } }
  },
})

const moveRoute = defineRoute({
  id: 'moveTicket', method: 'POST', path: '/tickets/{ticket}/move', kinds: WORKING, summary: 'Move it by hand. 409 with the legal states where it cannot go there.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ to: z.enum(TICKET_STATES), reason: Words }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await move(server.tickets.book, parameters.ticket, actorOf(principal), body)),
})

const commentRoute = defineRoute({
  id: 'commentTicket', method: 'POST', path: '/tickets/{ticket}/comments', kinds: DOING, summary: 'Say something about it.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ text: Words }), answer: { ...shown, status: 201 },
  handle: async ({ server, principal, parameters, body }) => told(server, await comment(server.tickets.book, parameters.ticket, actorOf(principal), body.text), 201),
})

const claimRoute = defineRoute({
  id: 'claimTicket', method: 'POST', path: '/tickets/{ticket}/claim', kinds: DOING, summary: 'Take it up, alone. 409 with the holder where somebody was faster.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ lease: Span }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await claim(server.tickets.book, parameters.ticket, actorOf(principal), durationMs(body.lease, 'how long the claim is in force'))),
})

const claimAny = defineRoute({
  id: 'claimNextTicket', method: 'POST', path: '/tickets/claim', kinds: DOING, summary: 'Take up the most urgent ticket that waits. The ticket is null where there is none.',
  parameters: NONE, query: NONE, body: z.strictObject({ lease: Span, owners: z.array(z.string().min(1).max(120)).max(50).optional().describe('For whom it may be, beside nobody; anybody if left out.') }),
  answer: { status: 200, description: 'The ticket, claimed.', contentType: 'application/json', schema: z.strictObject({ ticket: Ticket.nullable() }) },
  handle: async ({ server, principal, body }) => {
    const ticket = await claimNext(server.tickets.book, actorOf(principal), { leaseMs: durationMs(body.lease, 'how long the claim is in force'), owners: body.owners ?? 'any' })
    return { status: 200, json: { ticket: ticket ?? null } }
  },
})

const renewRoute = defineRoute({
  id: 'renewTicketClaim', method: 'POST', path: '/tickets/{ticket}/claim/renew', kinds: DOING, summary: 'Say that you still work on it. 409 claim_stale where the claim has ended: stop.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ epoch: z.int().positive(), lease: Span }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await renewClaim(server.tickets.book, parameters.ticket, actorOf(principal), { epoch: body.epoch, leaseMs: durationMs(body.lease, 'how long the claim is in force') })),
})

const release = defineRoute({
  id: 'releaseExpiredClaims', method: 'POST', path: '/tickets/release-expired', kinds: WORKING, summary: 'Put back what was claimed by somebody who was not heard of again.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'How many.', contentType: 'application/json', schema: z.strictObject({ released: z.int() }) },
  handle: async ({ server, principal }) => ({ status: 200, json: { released: await releaseExpired(server.tickets.book, actorOf(principal), 1_000) } }),
})

const triageRoute = defineRoute({
  id: 'triageTicket', method: 'POST', path: '/tickets/{ticket}/triage', kinds: DOING, summary: 'Assign it by the rules of portcullis.yaml, or leave it to the operator.',
  parameters: OfTicket, query: NONE, body: NONE, answer: shown,
  handle: async ({ server, principal, parameters }) => told(server, await server.tickets.triage(parameters.ticket, actorOf(principal))),
})

const phases = defineRoute({
  id: 'chooseTicketPhases', method: 'POST', path: '/tickets/{ticket}/phases', kinds: WORKING, summary: 'Choose the phases it passes, of those in portcullis.yaml.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ phases: z.array(Name).min(1).max(20) }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.tickets.choosePhases(parameters.ticket, actorOf(principal), body.phases)),
})

const ready = defineRoute({
  id: 'ticketReviewReady', method: 'POST', path: '/tickets/{ticket}/review-ready', kinds: DOING, summary: 'Say that the work is ready for review: with the epoch of your claim, or as a person.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ epoch: z.int().positive().optional() }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await reviewReady(server.tickets.book, parameters.ticket, actorOf(principal), body.epoch)),
})

const attachRoute = defineRoute({
  id: 'attachToTicket', method: 'POST', path: '/tickets/{ticket}/attachments', kinds: DOING, summary: 'Attach a file.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ name: Name, media_type: Attachment.shape.media_type, content: z.base64().max(1_000_000).describe('The bytes in base64.') }), answer: { ...shown, status: 201 },
  handle: async ({ server, principal, parameters, body }) => told(server, await attachBytes(server.tickets.book, parameters.ticket, actorOf(principal), { name: body.name, mediaType: body.media_type, bytes: Buffer.from(body.content, 'base64') }), 201),
})

const attachment = defineRoute({
  id: 'showTicketAttachment', method: 'GET', path: '/tickets/{ticket}/attachments/{sha256}', kinds: SEEING, summary: 'The bytes of an attachment, always as a download.',
  parameters: z.strictObject({ ticket: TicketId, sha256: Digest }), query: NONE, body: NONE,
  answer: { status: 200, description: 'The bytes.', contentType: 'application/octet-stream' },
  handle: async ({ server, parameters }) => {
    const bytes = await server.tickets.book.store.attachment(parameters.ticket, parameters.sha256)
    if (bytes === undefined) throw new PortcullisError('nothing_stored', { asked: 'an attachment of the ticket', found: 'none of this digest', remedy: 'GET /tickets/{ticket} names them.' })
    return { status: 200, bytes, contentType: 'application/octet-stream', headers: { 'content-disposition': 'attachment' } }
  },
})

const items = defineRoute({
  id: 'addTicketItems', method: 'POST', path: '/tickets/{ticket}/items', kinds: WORKING, summary: 'Say what must hold in the end. A ticket without an item never closes as accepted.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ items: z.array(TicketItem.shape.text).min(1).max(100) }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await addItems(server.tickets.book, parameters.ticket, actorOf(principal), body.items)),
})

const judge = defineRoute({
  id: 'judgeTicketItem', method: 'POST', path: '/tickets/{ticket}/items/{item}', kinds: WORKING, summary: 'A verdict on one acceptance item, with evidence.',
  parameters: z.strictObject({ ticket: TicketId, item: z.string().regex(/^[1-9]\d{0,4}$/) }), query: NONE, body: z.strictObject({ verdict: z.enum(['pass', 'fail']), reason: z.string().min(1).max(2_000), evidence: z.array(Digest).max(100) }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await judgeItem(server.tickets.book, parameters.ticket, actorOf(principal), { ...body, item: Number(parameters.item) })),
})

const close = defineRoute({
  id: 'closeTicket', method: 'POST', path: '/tickets/{ticket}/close', kinds: WORKING, summary: 'Close finished work as accepted: each item needs a pass with evidence. A second closer changes nothing.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ gate: Name.describe('In whose name: operator, or a phase of kind decision in portcullis.yaml.'), reason: Words, evidence: z.array(Digest).max(100), runs: z.array(z.string().min(1).max(200)).max(100) }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.tickets.close(parameters.ticket, actorOf(principal), body)),
})

const importRoute = defineRoute({
  id: 'importTickets', method: 'POST', path: '/tickets/import', kinds: WORKING, summary: 'Bring in tickets of an export, or issues of GitHub as JSON. What is here already is left alone.',
  parameters: NONE, query: NONE, body: z.strictObject({ project: Name, kind: z.enum(WORK_KINDS), priority: z.enum(PRIORITIES), document: z.unknown() }),
  answer: { status: 200, description: 'What was made.', contentType: 'application/json', schema: z.strictObject({ created: z.array(TicketId), skipped: z.array(z.string()) }) },
  handle: async ({ server, principal, body }) => ({ status: 200, json: await importTickets(server.tickets, actorOf(principal), body.document, body) }),
})

const exportRoute = defineRoute({
  id: 'exportTickets', method: 'GET', path: '/tickets/export', kinds: LOOKING, summary: 'Every ticket with its whole history.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The file that tickets import takes.', contentType: 'application/json', schema: TicketFile },
  handle: async ({ server }) => ({ status: 200, json: await exportTickets(server.tickets) }),
})

// Fixed words stand before the routes whose address holds an id: the router takes the first that fits.
export const ticketRoutes = [list, create, exportRoute, importRoute, claimAny, release, offered, show, events, moveRoute, commentRoute, claimRoute, renewRoute, triageRoute, phases, ready, attachRoute, attachment, items, judge, close]
