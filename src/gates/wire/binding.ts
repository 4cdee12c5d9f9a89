import { looksLikeRunToken } from '../../contract/ids.ts'

/** The longest request target the wire reads, token prefix included. */
export const MAX_TARGET_LENGTH = 4_096

/** What a request presents as its run: the target as received, and every value of each header that can carry a token. */
export interface Presented {
  readonly target: string
  readonly authorization: readonly string[]
  readonly xApiKey: readonly string[]
  readonly xGoogApiKey: readonly string[]
}

/** A request split into the run it names and what it asks; `path` and `query` hold no token. */
export type Binding =
  | { readonly bound: true; readonly token: string; readonly path: string; readonly query: string }
  | { readonly bound: false; readonly reason: 'run_unknown' | 'run_ambiguous'; readonly presented: boolean; readonly found: string; readonly path: string; readonly query: string }

/**
 * Which run a request belongs to (WIR-01): a run token as bearer, `x-api-key`, `x-goog-api-key` or in the path prefix
 * `/run/<token>`. The same token twice is one run (some clients send two headers); two different ones, or one that is none, are refused:
 * picking one of two would charge a call to a run that may not have made it.
 */
export function bindRequest(presented: Presented): Binding {
  const { prefixToken, path, query } = splitTarget(presented.target)
  const shown = [
    ...(prefixToken === undefined ? [] : [prefixToken]),
    ...presented.authorization.map((value) => /^bearer +(\S+) *$/i.exec(value)?.[1] ?? ''),
    ...presented.xApiKey,
    ...presented.xGoogApiKey,
  ]
  const tokens = new Set(shown.map(unwrapped))
  const unbound = (reason: 'run_unknown' | 'run_ambiguous', found: string): Binding => ({ bound: false, reason, presented: tokens.size > 0, found, path, query })
  const [token, ...others] = tokens
  if (token === undefined) return unbound('run_unknown', 'no run token')
  if (others.length > 0) return unbound('run_ambiguous', `${tokens.size} different run tokens`)
  if (!looksLikeRunToken(token)) return unbound('run_unknown', 'a token that is not a run token')
  return { bound: true, token, path, query }
}

/**
 * The run token that stands where a JSON web token has its signature: Pi's Codex client takes its account out of such a token
 * before it asks anything (ADM-C6). What stands before it is nobody's claim, and is not read.
 */
const unwrapped = (token: string): string => /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.(pcr_[A-Za-z0-9_-]+)$/.exec(token)?.[1] ?? token

function splitTarget(target: string): { prefixToken: string | undefined; path: string; query: string } {
  const mark = target.indexOf('?')
  const full = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (!full.startsWith('/run/')) return { prefixToken: undefined, path: full, query }
  const end = full.indexOf('/', '/run/'.length)
  const prefixToken = full.slice('/run/'.length, end < 0 ? undefined : end)
  return { prefixToken, path: end < 0 ? '/' : full.slice(end), query }
}

const CREDENTIAL_PARAMETERS: ReadonlySet<string> = new Set(['key', 'api_key', 'api-key', 'apikey', 'access_token', 'token'])

export type QueryRead = { readonly ok: true; readonly model: string | null } | { readonly ok: false; readonly found: string }

const NO_MODEL_IN_QUERY: QueryRead = { ok: true, model: null }

/**
 * What the query string says that matters: at most one `model`. A credential in it is refused, because the query goes on to the
 * provider and the run token must not.
 */
export function readQuery(query: string): QueryRead {
  if (query === '') return NO_MODEL_IN_QUERY
  let model: string | null = null
  for (const [name, value] of new URLSearchParams(query)) {
    if (CREDENTIAL_PARAMETERS.has(name.toLowerCase()) || value.includes('pcr_')) return { ok: false, found: 'a credential in the query string' }
    if (name.toLowerCase() !== 'model') continue
    if (model !== null) return { ok: false, found: 'two models in the query string' }
    model = value
  }
  return { ok: true, model }
}
