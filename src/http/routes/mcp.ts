import * as z from 'zod'
import { PortcullisError } from '../../contract/errors.ts'
import { type Answer, type Call, defineRoute, LOOKING, NONE } from '../route.ts'

/** Gives a request to the MCP server, and what it answers back as it is. */
async function forward({ server, principal, request }: Call<unknown, unknown, unknown>, body: unknown): Promise<Answer> {
  if (principal === undefined) throw new PortcullisError('access_denied', { asked: 'a tool', found: 'nobody', remedy: 'Send a token.' })
  const { answerMcp } = await import('../../mcp/index.ts')
  // The body was read already; what is left of the request are its method and headers.
  const answer = await answerMcp(server, principal.kind, new Request(request.url, { method: request.method, headers: request.headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }), body)
  const contentType = answer.headers.get('content-type')
  if (answer.body === null || contentType === null) return { status: answer.status, nothing: true }
  return { status: answer.status, stream: answer.body, contentType }
}

const call = defineRoute({
  id: 'callMcp', method: 'POST', path: '/mcp', kinds: LOOKING, summary: 'The Model Context Protocol over streamable HTTP. Which tools there are depends on the kind of the token.',
  parameters: NONE, query: NONE, body: z.looseObject({ jsonrpc: z.literal('2.0') }),
  answer: { status: 200, description: 'A JSON-RPC answer, or a stream of them.', contentType: 'application/json', schema: z.looseObject({ jsonrpc: z.literal('2.0') }) },
  handle: (asked) => forward(asked, asked.body),
})

const listen = defineRoute({
  id: 'listenMcp', method: 'GET', path: '/mcp', kinds: LOOKING, summary: 'There is no stream beside the answers: 405, as the protocol has it.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 405, description: 'No such stream.', contentType: 'application/json' },
  handle: (asked) => forward(asked, undefined),
})

export const mcpRoutes = [call, listen]
