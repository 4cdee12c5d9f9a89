import * as z from 'zod'
import { TicketRow, ticketRow } from '../../app/ticket-board.ts'
import { TICKET_STATES } from '../../app/ticket-shapes.ts'
import type { AccessKind } from '../../contract/access.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { defineRoute, LOOKING, NONE } from '../route.ts'

const board = defineRoute({
  id: 'showTicketBoard', method: 'GET', path: '/tickets/board', kinds: [...LOOKING, 'worker'] as const satisfies readonly AccessKind[], summary: 'Tickets as a board or a table shows them, newest first, each with where a person may move it.',
  parameters: NONE, query: z.strictObject({ state: z.enum(TICKET_STATES).optional(), cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of tickets.', contentType: 'application/json', schema: z.strictObject({ tickets: z.array(TicketRow), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const limit = pageSize(query.limit)
    const now = server.options.clock()
    const rows = await server.tickets.book.store.list({ state: query.state, project: undefined, owner: undefined, before: query.cursor === undefined ? undefined : Number(query.cursor), limit })
    return { status: 200, json: { tickets: rows.map((ticket) => ticketRow(ticket, now)), next: rows.length < limit ? null : String(rows.at(-1)?.number) } }
  },
})

export const boardRoutes = [board]
