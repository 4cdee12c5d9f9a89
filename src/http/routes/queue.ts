import * as z from 'zod'
import { QueuedRun } from '../../app/shapes.ts'
import { actorOf } from '../../app/tickets.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { defineRoute, LOOKING, NONE, WORKING } from '../route.ts'
import { Order } from './runs.ts'

const MOST_ATTEMPTS = 100
const OfEntry = z.strictObject({ entry: z.string().regex(/^q-[0-9a-f]{12}$/, 'expected the id of an entry, as in q-0123456789ab') })

const list = defineRoute({
  id: 'listQueue', method: 'GET', path: '/queue', kinds: LOOKING, summary: 'The runs that wait for a worker, go on or have ended in the queue, newest first, with every attempt of each.',
  parameters: NONE, query: z.strictObject({ cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of entries.', contentType: 'application/json', schema: z.strictObject({ entries: z.array(QueuedRun), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const limit = pageSize(query.limit)
    const entries = await server.queue.list(limit, query.cursor === undefined ? undefined : Number(query.cursor))
    return { status: 200, json: { entries, next: entries.length < limit ? null : String(entries.at(-1)?.number) } }
  },
})

const show = defineRoute({
  id: 'showQueued', method: 'GET', path: '/queue/{entry}', kinds: LOOKING, summary: 'One entry of the queue, with every attempt.',
  parameters: OfEntry, query: NONE, body: NONE,
  answer: { status: 200, description: 'The entry.', contentType: 'application/json', schema: QueuedRun },
  handle: async ({ server, parameters }) => ({ status: 200, json: await server.queue.find(parameters.entry) }),
})

const add = defineRoute({
  id: 'queueRun', method: 'POST', path: '/queue', kinds: WORKING, summary: 'Leave a run to the next worker that is free (npx portcullis worker). Answered once the entry is durable.',
  parameters: NONE, query: NONE,
  body: Order.extend({
    attempts: z.int().min(1).max(MOST_ATTEMPTS).describe('How often workers may try it.'),
    key: z.string().min(1).max(200).optional().describe('The same key twice is one entry.'),
  }),
  answer: { status: 202, description: 'The entry waits.', contentType: 'application/json', schema: QueuedRun },
  handle: async ({ server, principal, body }) => {
    const { task, profile, purpose, backend, admission, attempts, key } = body
    const entry = await server.queue.add({ task, profile, purpose, backend, admissionFile: admission, attempts, key }, actorOf(principal).id)
    return { status: 202, json: entry, headers: { location: `/queue/${entry.id}` } }
  },
})

export const queueRoutes = [list, show, add]
