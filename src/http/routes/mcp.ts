import * as z from 'zod'
import { PortcullisError } from '../../contract/errors.ts'
import { type Answer, type Call, defineRoute, LOOKING, NONE } from '../route.ts'
import type { Principal } from '../../contract/access.ts'
import type { SessionConnection } from '../../mcp/index.ts'
import type { Server } from '../../app/serve.ts'

/** Gives a request to the MCP server, and what it answers back as it is. */
async function forward({ server, principal, request }: Call<unknown, unknown, unknown>, body: unknown): Promise<Answer> {
  if (principal === undefined) throw new PortcullisError('access_denied', { asked: 'a tool', found: 'nobody', remedy: 'Send a token.' })
  const { answerMcp } = await import('../../mcp/index.ts')
  // The body was read already; what is left of the request are its method and headers.
  const answer = await answerMcp({ ...server, connection: connectionOf(server, principal, request.headers) }, principal.kind, new Request(request.url, { method: request.method, headers: request.headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }), body)
  const contentType = answer.headers.get('content-type')
  if (answer.body === null || contentType === null) return { status: answer.status, nothing: true }
  return { status: answer.status, stream: answer.body, contentType }
}

/** The token that let this request in is the session's own: no name that it could give stands for it. */
function connectionOf(server: Server, principal: Principal, headers: Headers): SessionConnection | undefined {
  const token = principal.kind === 'run' ? /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1] : undefined
  return token === undefined ? undefined : { turn: () => server.sessions.turnOf(token), complete: (said) => server.sessions.complete(token, said) }
}

const MAY = [...LOOKING, 'run'] as const

const call = defineRoute({
  id: 'callMcp', method: 'POST', path: '/mcp', kinds: MAY, summary: 'The Model Context Protocol over streamable HTTP. Which tools there are depends on the kind of the token.',
  parameters: NONE, query: NONE, body: z.looseObject({ jsonrpc: z.literal('2.0') }),
  answer: { status: 200, description: 'A JSON-RPC answer, or a stream of them.', contentType: 'application/json', schema: z.looseObject({ jsonrpc: z.literal('2.0') }) },
  handle: (asked) => forward(asked, asked.body),
})

const listen = defineRoute({
  id: 'listenMcp', method: 'GET', path: '/mcp', kinds: MAY, summary: 'There is no stream beside the answers: 405, as the protocol has it.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 405, description: 'No such stream.', contentType: 'application/json' },
  handle: (asked) => forward(asked, undefined),
})

export const mcpRoutes = [call, listen]
