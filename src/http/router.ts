import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Presented } from '../app/access-desk.ts'
import type { Server } from '../app/serve.ts'
import type { Principal } from '../contract/access.ts'
import { PortcullisError } from '../contract/errors.ts'
import { problemAnswer } from './answer.ts'
import { CONSOLE_POLICY, consoleFile } from './console.ts'
import { SESSION_COOKIE } from './cookie.ts'
import { originDenial, originOf, sessionDenial } from './guard.ts'
import { answerOnce } from './idempotency.ts'
import { ACCESS_PROBLEMS, problemOfFault } from './problem.ts'
import { readJson } from './read-json.ts'
import type { Answer, Route } from './route.ts'

export interface RouterOptions {
  readonly server: Server
  readonly routes: readonly Route[]
  /** Where the built console lies; undefined serves none. */
  readonly consoleDirectory: string | undefined
  /** Known once it is listened on. */
  hosts(): ReadonlySet<string>
  /** Aborts when the server begins to end: what streams must stop. */
  readonly ending: AbortSignal
}

type Environment = { Bindings: HttpBindings }
type RouterContext = Context<Environment>

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

/** Builds the router from the table of routes alone: what has no row in it is answered to nobody (AUT-03). */
export function createRouter(options: RouterOptions): Hono<Environment> {
  const router = new Hono<Environment>()
  for (const route of options.routes) router.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), (context) => serveRoute(options, route, context))
  router.get('/', (context) => serveConsole(options, context, undefined))
  router.get('/assets/:asset', (context) => serveConsole(options, context, context.req.param('asset')))
  router.notFound((context) => serveUnknown(options, context))
  router.onError((error) => {
    options.server.log.error({ fault: error.name }, 'a request failed outside its route')
    return respond(problemAnswer(problemOfFault(error)))
  })
  return router
}

const addressOf = (context: RouterContext): string => context.env.incoming.socket.remoteAddress ?? 'unknown'
const isUnsafe = (route: Pick<Route, 'method'>): boolean => route.method !== 'GET'

async function serveRoute(options: RouterOptions, route: Route, context: RouterContext): Promise<Response> {
  const { server } = options
  const beganAt = performance.now()
  const about: { holder: string | null; fault: string | null } = { holder: null, fault: null }
  const answer = await answerRoute(options, route, context, about).catch((error: unknown) => {
    about.fault = error instanceof PortcullisError ? error.code : error instanceof Error ? error.name : typeof error
    return problemAnswer(problemOfFault(error))
  })
  const seconds = (performance.now() - beganAt) / 1_000
  server.metrics.answered({ surface: 'http', method: route.method, route: route.path, status: answer.status, seconds })
  server.log[answer.status >= 500 ? 'error' : 'info']({ method: route.method, route: route.path, status: answer.status, ms: Math.round(seconds * 1_000), holder: about.holder, fault: about.fault }, 'answered')
  return respond(answer)
}

async function answerRoute(options: RouterOptions, route: Route, context: RouterContext, about: { holder: string | null }): Promise<Answer> {
  const { server } = options
  const place = { surface: 'http', method: route.method, route: route.path, address: addressOf(context) } as const
  const origin = originOf(context.env.incoming.rawHeaders)
  const strange = originDenial(origin, options.hosts())
  if (strange !== undefined) {
    await server.access.refused(place, strange)
    return denied(server, 'origin_refused', null)
  }
  let principal: Principal | undefined
  const session = getCookie(context, SESSION_COOKIE)
  if (route.kinds !== 'everybody') {
    const presented = presentedBy(context.env.incoming.rawHeaders, session)
    if (presented.by === 'session' && sessionDenial(origin, isUnsafe(route)) !== undefined) {
      await server.access.refused(place, 'origin_refused')
      return denied(server, 'origin_refused', null)
    }
    const decided = await server.access.decide({ ...place, kinds: route.kinds, presented })
    if (!decided.ok) return denied(server, decided.code, decided.retryAfterSeconds)
    principal = decided.principal
    about.holder = principal.id
  }
  const body = isUnsafe(route) ? await readJson(context.req.raw) : undefined
  const ended = AbortSignal.any([context.req.raw.signal, options.ending])
  const call = { server, principal, parameters: context.req.param(), query: queryOf(context), body, headers: context.req.raw.headers, request: context.req.raw, session, ended }
  return answerOnce(route, call, context.req.path, () => route.answerTo(call))
}

/** A parameter that stands twice is two different questions. */
function queryOf(context: RouterContext): Readonly<Record<string, string>> {
  const pairs = [...new URL(context.req.url).searchParams]
  const names = new Set(pairs.map(([name]) => name))
  if (names.size < pairs.length) throw new PortcullisError('request_invalid', { asked: 'each parameter of the query once', found: 'one that stands twice', remedy: 'Mend the request, and send it again.' })
  return Object.fromEntries(pairs)
}

/** What was shown. A header and a cookie together are fine where a page of ours adds a token; two headers never are. */
function presentedBy(rawHeaders: readonly string[], session: string | undefined): Presented {
  const values = rawHeaders.flatMap((name, index) => (index % 2 === 0 && name.toLowerCase() === 'authorization' ? [rawHeaders[index + 1] ?? ''] : []))
  if (values.length > 1) return { by: 'two' }
  const [value] = values
  if (value !== undefined) return { by: 'token', token: /^Bearer +(\S+)$/i.exec(value)?.[1] ?? value }
  return session === undefined ? { by: 'nothing' } : { by: 'session', session }
}

function denied(server: Server, code: keyof typeof ACCESS_PROBLEMS, retryAfterSeconds: number | null): Answer {
  server.metrics.denied('http', code)
  const answer = problemAnswer(ACCESS_PROBLEMS[code])
  const headers = { ...(code === 'access_denied' ? { 'www-authenticate': 'Bearer realm="portcullis"' } : {}), ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }) }
  return { ...answer, headers }
}

/** The console's own files: the same for everybody, and nothing of the ledger. A link from elsewhere may lead to it, a strange Host may not. */
async function serveConsole(options: RouterOptions, context: RouterContext, asset: string | undefined): Promise<Response> {
  const file = options.consoleDirectory === undefined || originDenial({ ...originOf(context.env.incoming.rawHeaders), secFetchSite: [] }, options.hosts()) !== undefined ? undefined : await consoleFile(options.consoleDirectory, asset)
  if (file === undefined) return serveUnknown(options, context)
  const headers = new Headers({ ...HEADERS, 'content-type': file.contentType, 'cache-control': file.cache, 'content-security-policy': CONSOLE_POLICY })
  return new Response(new Uint8Array(file.body), { status: 200, headers })
}

async function serveUnknown({ server, hosts }: RouterOptions, context: RouterContext): Promise<Response> {
  const strange = originDenial(originOf(context.env.incoming.rawHeaders), hosts())
  // The address as it was written may hold a token; that there was a request is what is kept.
  await server.access.refused({ surface: 'http', method: /^[A-Z]{1,20}$/.test(context.req.method) ? context.req.method : '?', route: '(none)', address: addressOf(context) }, strange ?? 'route_unknown')
  return respond(denied(server, strange === undefined ? 'route_unknown' : 'origin_refused', null))
}

function respond(answer: Answer): Response {
  const headers = new Headers({ ...HEADERS, ...answer.headers })
  if ('nothing' in answer) return new Response(null, { status: answer.status, headers })
  headers.set('content-type', 'contentType' in answer && answer.contentType !== undefined ? answer.contentType : 'application/json')
  return new Response(bodyOf(answer), { status: answer.status, headers })
}

function bodyOf(answer: Exclude<Answer, { readonly nothing: true }>): string | ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> {
  if ('json' in answer) return `${JSON.stringify(answer.json, null, 2)}\n`
  if ('stream' in answer) return answer.stream
  return typeof answer.bytes === 'string' ? answer.bytes : new Uint8Array(answer.bytes)
}
