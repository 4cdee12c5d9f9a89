import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { actorOf, type Outcome, type Ticket } from '../../app/tickets.ts'
import { QueuedMessage, SentView, SessionView, TranscriptView, TurnView } from '../../app/session-shapes.ts'
import { RUNTIME_MODES, TicketId, TicketView } from '../../app/ticket-shapes.ts'
import type { AccessKind } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { Name } from '../../contract/ids.ts'
import { problemAnswer } from '../answer.ts'
import { problemOfRefusal } from '../problem.ts'
import { type Answer, defineRoute, LOOKING, NONE, WORKING } from '../route.ts'
import type { Server } from '../../app/serve.ts'

const SEEING = [...LOOKING, 'worker'] as const satisfies readonly AccessKind[]
const DOING = [...WORKING, 'worker'] as const satisfies readonly AccessKind[]

const OfTicket = z.strictObject({ ticket: TicketId })
const OfMessage = z.strictObject({ ticket: TicketId, message: QueuedMessage.shape.id })
const Text = z.string().min(1).max(200_000)
const Stopping = z.strictObject({ reason: z.string().min(1).max(2_000).describe('Why; it stands in the history with who did it.') })

const shown = { status: 200, description: 'The ticket as it is now.', contentType: 'application/json', schema: TicketView } as const

function refusedAnswer({ refusal, details }: Outcome<unknown> & { readonly ok: false }): Answer {
  return problemAnswer(problemOfRefusal(refusal, Object.fromEntries(Object.entries(details).map(([name, value]) => [name, typeof value === 'object' && value !== null ? [...value] : value]))))
}

const told = async (server: Server, outcome: Outcome<Ticket>): Promise<Answer> => (outcome.ok ? { status: 200, json: await server.tickets.view(outcome.value.id) } : refusedAnswer(outcome))

const session = defineRoute({
  id: 'showTicketSession', method: 'GET', path: '/tickets/{ticket}/session', kinds: SEEING, summary: 'Its live session, or the last one: state, what its runtime can do, context, what it waits for, and the queue.',
  parameters: OfTicket, query: NONE, body: NONE,
  answer: { status: 200, description: 'The session.', contentType: 'application/json', schema: SessionView },
  handle: async ({ server, parameters }) => ({ status: 200, json: await server.sessions.view(parameters.ticket) }),
})

const transcript = defineRoute({
  id: 'showTicketTranscript', method: 'GET', path: '/tickets/{ticket}/session/transcript', kinds: SEEING, summary: 'What the session printed, for people, bounded and searched for credentials. No state follows from it.',
  parameters: OfTicket, query: NONE, body: NONE,
  answer: { status: 200, description: 'The end of it.', contentType: 'application/json', schema: TranscriptView },
  handle: async ({ server, parameters }) => ({ status: 200, json: await server.sessions.transcript(parameters.ticket) }),
})

const turns = defineRoute({
  id: 'listTicketTurns', method: 'GET', path: '/tickets/{ticket}/turns', kinds: SEEING, summary: 'Every attempt to bring a message into a session, in order, those that were refused as well.',
  parameters: OfTicket, query: NONE, body: NONE,
  answer: { status: 200, description: 'The turns.', contentType: 'application/json', schema: z.strictObject({ turns: z.array(TurnView) }) },
  handle: async ({ server, parameters }) => ({ status: 200, json: { turns: await server.sessions.turns(parameters.ticket) } }),
})

const say = defineRoute({
  id: 'messageTicket', method: 'POST', path: '/tickets/{ticket}/messages', kinds: DOING,
  summary: 'Bring a message into its session, once: an Idempotency-Key makes a repeated request the same one. 409 runtime_busy, with what was observed and the ways out, where a turn runs and it shall not wait; 409 no_runtime where no session is attached.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ text: Text, onBusy: z.enum(['refuse', 'queue']).describe('queue: it waits, and is a turn of its own when the one before has ended.') }),
  answer: { status: 202, description: 'A turn that has begun, or the message in the queue.', contentType: 'application/json', schema: SentView },
  handle: async ({ server, principal, parameters, body, headers }) => {
    const sent = await server.sessions.say(parameters.ticket, actorOf(principal), { ...body, key: keyOf(headers) })
    return sent.ok ? { status: 202, json: sent.value } : refusedAnswer(sent)
  },
})

/** The key of the request is the message's own, so that even a server that forgot the request knows the message (MC-036). */
function keyOf(headers: Headers): string {
  const key = headers.get('idempotency-key')
  if (key?.startsWith('retry:') === true) throw new PortcullisError('request_invalid', { asked: 'an Idempotency-Key of the caller', found: 'one that is kept for messages that are sent again', remedy: 'Take a UUID.' })
  return key ?? randomUUID()
}

const edit = defineRoute({
  id: 'editQueuedMessage', method: 'PATCH', path: '/tickets/{ticket}/queue/{message}', kinds: WORKING, summary: 'Other words for a message that waits. It keeps its place.',
  parameters: OfMessage, query: NONE, body: z.strictObject({ text: Text }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.sessions.edit(parameters.ticket, actorOf(principal), parameters.message, body.text)),
})

const remove = defineRoute({
  id: 'removeQueuedMessage', method: 'DELETE', path: '/tickets/{ticket}/queue/{message}', kinds: WORKING, summary: 'Take a message back that waits.',
  parameters: OfMessage, query: NONE, body: NONE, answer: shown,
  handle: async ({ server, principal, parameters }) => told(server, await server.sessions.remove(parameters.ticket, actorOf(principal), parameters.message)),
})

const start = defineRoute({
  id: 'startTicketSession', method: 'POST', path: '/tickets/{ticket}/start-session', kinds: WORKING, summary: 'Claim it and open a fresh session, through every gate; what waits in the queue is sent. Refused with the reason of the gate, and the profiles that are allowed.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ profile: Name, mode: z.enum(RUNTIME_MODES) }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.sessions.start(parameters.ticket, actorOf(principal), body)),
})

const interrupt = defineRoute({
  id: 'interruptTicketSession', method: 'POST', path: '/tickets/{ticket}/interrupt', kinds: WORKING, summary: 'End the turn that runs, and its session. Its message waits again.',
  parameters: OfTicket, query: NONE, body: Stopping, answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.sessions.interrupt(parameters.ticket, actorOf(principal), body.reason)),
})

const restart = defineRoute({
  id: 'restartTicketSession', method: 'POST', path: '/tickets/{ticket}/restart', kinds: WORKING, summary: 'End the session, and open a fresh one in which what was not finished is sent again.',
  parameters: OfTicket, query: NONE, body: Stopping, answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.sessions.restart(parameters.ticket, actorOf(principal), body.reason)),
})

const answer = defineRoute({
  id: 'answerTicketSession', method: 'POST', path: '/tickets/{ticket}/answer', kinds: WORKING, summary: 'Answer a permission that the session waits for.',
  parameters: OfTicket, query: NONE, body: z.strictObject({ request: z.string().min(1).max(500), allow: z.boolean() }), answer: shown,
  handle: async ({ server, principal, parameters, body }) => told(server, await server.sessions.answer(parameters.ticket, actorOf(principal), body)),
})

export const ticketSessionRoutes = [session, transcript, turns, say, edit, remove, start, interrupt, restart, answer]
