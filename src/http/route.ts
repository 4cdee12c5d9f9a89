import * as z from 'zod'
import type { AccessKind, Principal } from '../contract/access.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Server } from '../app/serve.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** What a handler answers. `json` is written as JSON; `bytes` go out exactly as they are. */
export type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } & (
  | { readonly json: unknown; readonly contentType?: string }
  | { readonly bytes: string | Uint8Array; readonly contentType: string }
  | { readonly stream: ReadableStream<Uint8Array>; readonly contentType: string }
  | { readonly nothing: true }
)

export interface Call<Parameters, Query, Body> {
  readonly server: Server
  /** Undefined only where the route is open to everybody. */
  readonly principal: Principal | undefined
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
  readonly headers: Headers
  /** As it came; its body has been read. */
  readonly request: Request
  /** The cookie of a session, if one was sent. */
  readonly session: string | undefined
  /** Aborts when the client has left or the server is to end. */
  readonly ended: AbortSignal
}

/** What one answer of a route is, for openapi.json. */
export interface AnswerShape {
  readonly status: number
  readonly description: string
  readonly contentType: string
  readonly schema?: z.ZodType
}

interface Declaration<Parameters extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly id: string
  readonly method: Method
  /** As OpenAPI writes it: /runs/{run}. */
  readonly path: string
  /** Who may. What no route names is answered to nobody. */
  readonly kinds: readonly AccessKind[] | 'everybody'
  readonly summary: string
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
  readonly answer: AnswerShape
  /** The answer holds what is shown once: it is not kept, so it cannot be given again. */
  readonly once?: true
  handle(call: Call<z.infer<Parameters>, z.infer<Query>, z.infer<Body>>): Promise<Answer>
}

/** For a part of a request that must be empty. */
export const NONE = z.strictObject({})

/** A route as the router sees it: its shapes are inside, so that no handler can get what was not validated. */
export interface Route {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly kinds: readonly AccessKind[] | 'everybody'
  readonly summary: string
  readonly answer: AnswerShape
  readonly once: boolean
  readonly shapes: { readonly parameters: z.ZodObject; readonly query: z.ZodObject; readonly body: z.ZodType }
  /** Validates what came, then answers. Throws `request_invalid`. */
  answerTo(call: Call<Readonly<Record<string, string>>, Readonly<Record<string, string>>, unknown>): Promise<Answer>
}

export function defineRoute<Parameters extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(declared: Declaration<Parameters, Query, Body>): Route {
  const { id, method, path, kinds, summary, answer, once = false, parameters, query, body } = declared
  return {
    id, method, path, kinds, summary, answer, once,
    shapes: { parameters, query, body },
    answerTo: async (call) =>
      declared.handle({ ...call, parameters: valid(parameters, call.parameters, 'the address'), query: valid(query, call.query, 'the query'), body: valid(body, call.body ?? {}, 'the body') }),
  }
}

function valid<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  // The places and what is wrong with them, never what was sent: it may hold anything.
  const found = read.error.issues.slice(0, 10).map((issue) => `${[where, ...issue.path.map(String)].join('.')}: ${issue.message}`).join('; ')
  throw new PortcullisError('request_invalid', { asked: `${where} as GET /openapi.json describes it`, found, remedy: 'Mend the request, and send it again.' })
}

export const LOOKING = ['admin', 'operator', 'reader'] as const satisfies readonly AccessKind[]
export const WORKING = ['admin', 'operator'] as const satisfies readonly AccessKind[]
/** Agents and machines that report of themselves; for which agent each may is asked as well. */
export const REPORTING = ['admin', 'operator', 'worker'] as const satisfies readonly AccessKind[]
export const RULING = ['admin'] as const satisfies readonly AccessKind[]
