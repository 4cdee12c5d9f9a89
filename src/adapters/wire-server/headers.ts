import type { IncomingHttpHeaders } from 'node:http'
import type { Credential } from '../../gates/wire/index.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** What never goes on to a provider: the agent's credential in any spelling, and what this connection alone is about. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP, 'host', 'content-length', 'expect', 'accept-encoding', 'cookie', 'origin', 'referer',
  'authorization', 'x-api-key', 'x-goog-api-key', 'api-key',
])

const NOT_PASSED_BACK: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'content-encoding', 'set-cookie', 'alt-svc'])

/** The headers that `connection` names are about this hop too. */
const namedByConnection = (values: readonly string[]): ReadonlySet<string> => new Set(values.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase()))

/**
 * Headers for the provider as a flat list of names and values: the agent's own but its credential, then the provider's credential.
 * Any other header that holds a run token is dropped as well, whatever its name.
 */
export function headersToProvider(rawHeaders: readonly string[], credential: Credential): string[] {
  const pairs = pairsOf(rawHeaders)
  const hop = namedByConnection(pairs.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value))
  const ours = Object.entries(credential.headers())
  // A list of flags is joined; anything else that we set, the agent may not set beside us.
  const set = new Set(ours.map(([name]) => name).filter((name) => name !== 'anthropic-beta'))
  const kept = pairs.filter(([name, value]) => !NOT_FORWARDED.has(name.toLowerCase()) && !hop.has(name.toLowerCase()) && !set.has(name.toLowerCase()) && !value.includes('pcr_'))
  return [...kept.flat(), 'accept-encoding', 'identity', ...ours.flat()]
}

function pairsOf(raw: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? '', raw[index + 1] ?? ''])
  return pairs
}

/** The provider's headers for the agent: rate limits, request ids and `retry-after` stay; one that repeats the credential goes. */
export function headersToAgent(headers: IncomingHttpHeaders, credential: Credential): Record<string, string | string[]> {
  const connection = headers.connection
  const hop = namedByConnection(connection === undefined ? [] : [connection].flat())
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_PASSED_BACK.has(name) || hop.has(name) || credential.isIn(Buffer.from([value].flat().join('\n')))) continue
    kept[name] = value
  }
  return kept
}

/** The provider's id of the request, if it gives one that may stand in evidence. */
export function providerRequestId(headers: IncomingHttpHeaders, credential: Credential): string | null {
  const id = [headers['request-id'], headers['x-request-id']].flat().find((value) => value !== undefined)
  return id !== undefined && /^[\x21-\x7e]{1,200}$/.test(id) && !credential.isIn(Buffer.from(id)) ? id : null
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i

/** Why a request may come from a web page (AUT-02), or undefined: a page that finds our port must reach nothing, not even with a token. */
export function webPageSign(headers: NodeJS.Dict<string[]>): string | undefined {
  const hosts = headers['host'] ?? []
  if (hosts.length !== 1 || !LOOPBACK_HOST.test(hosts[0] ?? '')) return 'a Host header that is not the loopback address'
  if (headers['origin'] !== undefined) return 'an Origin header, which only web pages send'
  const site = headers['sec-fetch-site']?.[0]
  return site === undefined || site === 'none' ? undefined : 'a Sec-Fetch-Site header, which only web pages send'
}
