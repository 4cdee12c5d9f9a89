import * as z from 'zod'
import type { Principal } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Server } from '../../app/serve.ts'
import { Cursor } from '../paging.ts'
import { defineRoute, LOOKING, NONE } from '../route.ts'

const ALIVE_MS = 10_000

const events = defineRoute({
  id: 'followEvents', method: 'GET', path: '/events', kinds: LOOKING,
  summary: 'Every change as it enters the ledger, as Server-Sent Events: run opened, each verdict, each change of state. Last-Event-ID goes on behind an event; without it the stream begins with what is to come.',
  parameters: NONE, query: z.strictObject({ after: Cursor.optional().describe('As Last-Event-ID, for clients that cannot set it; 0 for all there is.') }), body: NONE,
  answer: { status: 200, description: 'A stream. `id` is the place in the ledger; `event` is `verdict` or the type of the event; `data` is JSON with run_id and the row as it is stored.', contentType: 'text/event-stream' },
  handle: async ({ server, principal, query, headers, ended }) => {
    const last = headers.get('last-event-id')
    if (last !== null && !Cursor.safeParse(last).success) throw new PortcullisError('request_invalid', { asked: 'the id of an event as Last-Event-ID', found: 'something else', remedy: 'Send the id as it came.' })
    const after = last ?? query.after
    return { status: 200, stream: streamOf(server, principal, after === undefined ? await server.store.lastPosition() : Number(after), ended), contentType: 'text/event-stream' }
  },
})

/** Rows are read as the reader takes them, so that a slow one holds nothing in memory. Ends when its token does. */
function streamOf(server: Server, principal: Principal | undefined, after: number, ended: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const left = new AbortController()
  const over = AbortSignal.any([ended, left.signal])
  const changes = server.changes(after, over)
  let alive: NodeJS.Timeout | undefined
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(': portcullis\n\n'))
      alive = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': alive\n\n'))
        endWithToken(server, principal, left)
      }, ALIVE_MS)
      alive.unref()
      over.addEventListener('abort', () => clearInterval(alive), { once: true })
    },
    async pull(controller) {
      const next = await changes.next()
      // Asked again for each row: whoever signed out while it waited sees no more of them.
      if (next.done === true || principal === undefined || server.access.hasSignedOut(principal)) {
        left.abort()
        clearInterval(alive)
        return controller.close()
      }
      const change = next.value
      const row: unknown = JSON.parse(change.body)
      const type = change.kind === 'verdict' ? 'verdict' : z.object({ type: z.string() }).parse(row).type
      controller.enqueue(encoder.encode(`id: ${change.position}\nevent: ${type}\ndata: ${JSON.stringify({ run_id: change.runId, [change.kind]: row })}\n\n`))
    },
    cancel() {
      left.abort()
    },
  })
}

function endWithToken(server: Server, principal: Principal | undefined, left: AbortController): void {
  const check = principal === undefined ? Promise.resolve(false) : server.access.isInForce(principal)
  check.then((inForce) => inForce || left.abort(), () => left.abort())
}

export const eventRoutes = [events]
