import type { Dialect } from '../../contract/model.ts'
import { isModelName } from './model-field.ts'

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
  /** Where the path itself names the model: Gemini's `models/<model>:<method>`. */
  readonly inPath?: ModelInPath
}

export interface ModelInPath {
  /** Google's SDK says `v1` since its third major version, and `v1beta` before. */
  readonly version: 'v1' | 'v1beta'
  readonly model: string
  readonly method: 'generateContent' | 'streamGenerateContent' | 'countTokens'
}

/** Every route whose path is always the same. What is neither here nor one of `GEMINI_METHODS` is refused (WIR-07). */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/chat/completions', dialect: 'openai-chat', kind: 'inference' },
  { method: 'POST', path: '/v1/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/codex/responses', dialect: 'openai-responses', kind: 'inference' },
  { method: 'POST', path: '/v1/codex/responses', dialect: 'openai-responses', kind: 'inference', upstream: '/codex/responses' },
  { method: 'POST', path: '/v1/messages', dialect: 'anthropic-messages', kind: 'inference' },
  { method: 'POST', path: '/v1/messages/count_tokens', dialect: 'anthropic-messages', kind: 'count' },
  { method: 'GET', path: '/v1/models', dialect: null, kind: 'listing' },
  { method: 'GET', path: '/v1beta/models', dialect: 'gemini', kind: 'listing' },
  { method: 'HEAD', path: '/', dialect: null, kind: 'greeting' },
]

/** What may be asked of a model in Gemini's paths, and what it is. */
const GEMINI_METHODS = { generateContent: 'inference', streamGenerateContent: 'inference', countTokens: 'count' } as const satisfies Record<ModelInPath['method'], RouteKind>

/** Only characters that mean themselves in a path: nothing is decoded, so that nobody behind us can decode it into another model. */
const GEMINI_PATH = /^\/(v1|v1beta)\/models\/([A-Za-z0-9][A-Za-z0-9._~-]*):([A-Za-z]+)$/

/** The route of exactly this method and path; nothing is decoded, normalised or completed. */
export const findRoute = (method: string, path: string): Route | undefined => ROUTES.find((route) => route.method === method && route.path === path) ?? geminiRoute(method, path)

function geminiRoute(method: string, path: string): Route | undefined {
  const [, version, model = '', name = ''] = GEMINI_PATH.exec(path) ?? []
  if (method !== 'POST' || !isModelName(model) || !isGeminiMethod(name)) return undefined
  return { method, path, dialect: 'gemini', kind: GEMINI_METHODS[name], inPath: { version: version === 'v1' ? 'v1' : 'v1beta', model, method: name } }
}

const isGeminiMethod = (name: string): name is ModelInPath['method'] => Object.hasOwn(GEMINI_METHODS, name)

/** In which dialect a client on this path expects an error, whether or not the route is listed. */
export function dialectOfPath(path: string): Dialect | null {
  if (/^\/v1beta\/|^\/v1\/models\/[^/]*:/.test(path)) return 'gemini'
  return ROUTES.find((route) => route.path === path)?.dialect ?? null
}

/**
 * The path at the provider: its base URL's own path, then the route, with `model` where the path names one. A base URL that
 * already ends in a version takes the place of the route's own.
 */
export function upstreamPath(baseUrl: string, route: Route, model: string): string {
  const base = pathOf(baseUrl)
  const path = route.inPath === undefined ? (route.upstream ?? route.path) : `/${route.inPath.version}/models/${encodeURIComponent(model)}:${route.inPath.method}`
  const takes = route.inPath === undefined ? base.endsWith('/v1') && path.startsWith('/v1/') : /\/v1(?:beta)?$/.test(base)
  return base + (takes ? path.slice(path.indexOf('/', 1)) : path)
}

const paths = new Map<string, string>()

/** The path of a base URL. There are as many as providers in the configuration, so each is taken apart once. */
function pathOf(baseUrl: string): string {
  const path = paths.get(baseUrl) ?? new URL(baseUrl).pathname.replace(/\/+$/, '')
  paths.set(baseUrl, path)
  return path
}
