import type { Dialect } from '../../contract/model.ts'

/** What a route is for. Only `inference` asks a model for an answer. */
export type RouteKind = 'inference' | 'count' | 'listing' | 'greeting'

export interface Route {
  readonly method: string
  readonly path: string
  /** The dialect the client speaks on this route; null where the route says nothing about it. */
  readonly dialect: Dialect | null
  readonly kind: RouteKind
  /** The path at the provider, when it is not the same. */
  readonly upstream?: string
}

/** Every route there is. What is not listed is refused (WIR-07). */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/chat/completions', dialect: 'openai-chat', kind: 'inference' },
  { method: 'POST', path: '/v1/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/codex/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/v1/codex/responses', dialect: 'openai-responses', kind: 'inference', upstream: '/codex/responses' },
  { method: 'POST', path: '/v1/messages', dialect: 'anthropic-messages', kind: 'inference' },
  { method: 'POST', path: '/v1/messages/count_tokens', dialect: 'anthropic-messages', kind: 'count' },
  { method: 'GET', path: '/v1/models', dialect: null, kind: 'listing' },
  { method: 'HEAD', path: '/', dialect: null, kind: 'greeting' },
]

/** The route of exactly this method and path; nothing is decoded, normalised or completed. */
export const findRoute = (method: string, path: string): Route | undefined => ROUTES.find((route) => route.method === method && route.path === path)

/** In which dialect a client on this path expects an error, whether or not the route is listed. */
export function dialectOfPath(path: string): Dialect | null {
  if (path.startsWith('/v1beta/')) return 'gemini'
  return ROUTES.find((route) => route.path === path)?.dialect ?? null
}

/**
 * The path at the provider: its base URL's own path, then the route. A base URL that already ends in `/v1` takes the place
 * of the route's own `/v1`.
 */
export function upstreamPath(baseUrl: string, route: Route): string {
  const base = new URL(baseUrl).pathname.replace(/\/+$/, '')
  const path = route.upstream ?? route.path
  return base.endsWith('/v1') && path.startsWith('/v1/') ? base + path.slice('/v1'.length) : base + path
}
