import * as z from 'zod'
import { ACCESS_KINDS } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { defineRoute, LOOKING, NONE } from '../route.ts'
import { SESSION_COOKIE } from '../cookie.ts'

const Self = z.strictObject({ kind: z.enum(ACCESS_KINDS), id: z.string(), name: z.string(), expires_at: z.iso.datetime() })

const self = defineRoute({
  id: 'self', method: 'GET', path: '/self', kinds: ACCESS_KINDS, summary: 'Whose token this is.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The holder.', contentType: 'application/json', schema: Self },
  handle: async ({ principal }) => ({ status: 200, json: { kind: principal?.kind, id: principal?.id, name: principal?.name, expires_at: principal?.expiresAt } }),
})

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'

const open = defineRoute({
  id: 'openSession', method: 'POST', path: '/session', kinds: LOOKING, summary: 'Exchange the token of the Authorization header for a session of the console, in a cookie.',
  parameters: NONE, query: NONE, body: NONE, once: true,
  answer: { status: 204, description: 'The cookie is set. It ends with the token, the session or the server, whichever comes first.', contentType: 'none' },
  handle: async ({ server, principal, headers }) => {
    // A session that could make sessions would outlive the end of each of them.
    if (principal === undefined || headers.get('authorization') === null) throw new PortcullisError('request_invalid', { asked: 'a token in the Authorization header', found: 'a session', remedy: 'Send the token itself.' })
    const session = server.access.openSession(principal)
    return { status: 204, nothing: true, headers: { 'set-cookie': `${SESSION_COOKIE}=${session.id}; ${ATTRIBUTES}` } }
  },
})

const close = defineRoute({
  id: 'closeSession', method: 'DELETE', path: '/session', kinds: LOOKING, summary: 'End the session of the cookie.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 204, description: 'It is ended.', contentType: 'none' },
  handle: async ({ server, session }) => {
    if (session !== undefined) server.access.endSession(session)
    return { status: 204, nothing: true, headers: { 'set-cookie': `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}` } }
  },
})

export const sessionRoutes = [self, open, close]
