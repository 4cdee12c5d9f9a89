import type { IncomingHttpHeaders } from 'node:http'
import type { Credential } from '../../gates/wire/index.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** What never goes on to a provider: the agent's credential in any spelling, and what this connection alone is about. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP, 'host', 'content-length', 'expect', 'accept-encoding', 'cookie', 'origin', 'referer',
  'authorization', 'x-api-key', 'x-goog-api-key', 'api-key',
])

/**
 * Headers by which gateways in front of a provider choose where a request goes, at which path, as whom, or with which other models. What is
 * configured of them comes from our side; from an agent they are left out, because a request goes where the record says (WIR-07).
 */
const ROUTING = /^(?:x-portkey-|helicone-|cf-aig-|x-litellm-|x-forwarded-|forwarded$|x-original-(?:url|uri|host)$|x-rewrite-url$|x-(?:http-)?method(?:-override)?$|openai-(?:organization|project)$|x-goog-user-project$)/

const NOT_PASSED_BACK: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'content-encoding', 'set-cookie', 'alt-svc'])

/** Every value of each header that says whose request it is and where it comes from. Node joins or drops what stands twice, and two are what matters here. */
export interface Head {
  readonly authorization: readonly string[]
  readonly xApiKey: readonly string[]
  readonly xGoogApiKey: readonly string[]
  readonly host: readonly string[]
  readonly origin: readonly string[]
  readonly secFetchSite: readonly string[]
}

/** Reads them from a flat list of names and values, as they came, in one pass. */
export function readHead(rawHeaders: readonly string[]): Head {
  const head: Record<keyof Head, string[]> = { authorization: [], xApiKey: [], xGoogApiKey: [], host: [], origin: [], secFetchSite: [] }
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const place = PLACES.get((rawHeaders[index] ?? '').toLowerCase())
    if (place !== undefined) head[place].push(rawHeaders[index + 1] ?? '')
  }
  return head
}

const PLACES: ReadonlyMap<string, keyof Head> = new Map([
  ['authorization', 'authorization'], ['x-api-key', 'xApiKey'], ['x-goog-api-key', 'xGoogApiKey'], ['host', 'host'], ['origin', 'origin'], ['sec-fetch-site', 'secFetchSite'],
])

/** The headers that `connection` names are about this hop too. */
const namedByConnection = (values: readonly string[]): ReadonlySet<string> => new Set(values.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase()))

/**
 * Headers for the provider as a flat list of names and values: the agent's own but its credential, then the provider's credential.
 * Any other header that holds a run token is dropped as well, whatever its name.
 */
export function headersToProvider(rawHeaders: readonly string[], credential: Credential): string[] {
  const ours = credential.headers()
  const connection = valuesOf(rawHeaders, 'connection')
  // Nearly every client says `keep-alive` and nothing else, which is no header.
  const hop = connection.every((value) => /^(?:keep-alive|close)$/i.test(value)) ? undefined : namedByConnection(connection)
  const headers: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]]
    const lower = name.toLowerCase()
    // A list of flags is joined; anything else that we set, the agent may not set beside us.
    const set = lower !== 'anthropic-beta' && Object.hasOwn(ours, lower)
    if (!NOT_FORWARDED.has(lower) && !ROUTING.test(lower.replaceAll('_', '-')) && !set && hop?.has(lower) !== true && !value.includes('pcr_')) headers.push(name, value)
  }
  headers.push('accept-encoding', 'identity')
  for (const [name, value] of Object.entries(ours)) headers.push(name, value)
  return headers
}

function valuesOf(rawHeaders: readonly string[], wanted: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === wanted.length && name.toLowerCase() === wanted) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}

/** The provider's headers for the agent: rate limits, request ids and `retry-after` stay; one that repeats the credential goes. */
export function headersToAgent(headers: IncomingHttpHeaders, credential: Credential): Record<string, string | string[]> {
  const { connection } = headers
  const hop = connection === undefined || connection === 'keep-alive' ? undefined : namedByConnection([connection].flat())
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_PASSED_BACK.has(name) || hop?.has(name) === true) continue
    kept[name] = value
  }
  // One look at all of them; which one it is matters only if it is there, which is next to never.
  if (!credential.isIn(Buffer.from(Object.values(kept).flat().join('\n')))) return kept
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => !credential.isIn(Buffer.from([value].flat().join('\n')))))
}

/** The provider's id of the request, if it gives one that may stand in evidence. */
export function providerRequestId(headers: IncomingHttpHeaders, credential: Credential): string | null {
  const id = [headers['request-id'], headers['x-request-id']].flat().find((value) => value !== undefined)
  return id !== undefined && /^[\x21-\x7e]{1,200}$/.test(id) && !credential.isIn(Buffer.from(id)) ? id : null
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** Why a request may come from a web page (AUT-02), or undefined: a page that finds our port must reach nothing, not even with a token. */
export function webPageSign({ host, origin, secFetchSite: [site] }: Head): string | undefined {
  if (host.length !== 1 || !LOOPBACK_HOST.test(host[0] ?? '')) return 'a Host header that is not the loopback address'
  if (origin.length > 0) return 'an Origin header, which only web pages send'
  return site === undefined || site === 'none' ? undefined : 'a Sec-Fetch-Site header, which only web pages send'
}
