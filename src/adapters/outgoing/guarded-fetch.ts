import { lookup } from 'node:dns'
import { Agent, fetch, type RequestInit, type Response } from 'undici'
import { type AddressPermission, judgeProviderUrl, judgeResolved } from '../../gates/catalog/index.ts'
import { AddressRefused, guardedConnector, type Resolver } from './guarded-connect.ts'

/** How many redirects are followed; each is judged as the first address was (RDY-35). */
const MOST_REDIRECTS = 3

/** Asks addresses that strangers give. `close` ends every connection. */
export interface GuardedClient {
  /** Rejects with `AddressRefused` where any address on the way may not be called; the request that would go there is not made. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/**
 * A `fetch` for addresses that strangers give (WIR-42, RDY-35). Each is judged as it is written and, at the connection, as it
 * resolves. The connections are our own: a dispatcher that somebody set for the whole process, or a proxy of the
 * environment, would connect for us to what nobody has judged. Only a question without a body follows redirects.
 */
export function guardedClient(permission: AddressPermission, timeoutMs: number, resolver: Resolver = lookup): GuardedClient {
  const dispatcher = new Agent({ connect: guardedConnector(timeoutMs, permission, resolver), allowH2: false, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, maxHeaderSize: 16_384 })
  const ask = async (url: string, init: RequestInit, left: number): Promise<Response> => {
    const judged = judgeProviderUrl(url, permission)
    if (!judged.ok) throw new AddressRefused(judged.found)
    const answer = await fetch(url, { ...init, redirect: 'manual', dispatcher }).catch(throwCause)
    const location = answer.headers.get('location')
    if (answer.status < 300 || answer.status > 399 || location === null) return answer
    await answer.body?.cancel()
    if (left === 0) throw new AddressRefused('an address that redirects again and again')
    if ((init.method ?? 'GET') !== 'GET') throw new AddressRefused('an address that redirects a request with a body')
    return ask(redirectedTo(location, url), init, left - 1)
  }
  return { fetch: (url, init = {}) => ask(String(url), init, MOST_REDIRECTS), close: () => dispatcher.destroy() }
}

/** An absolute address is judged as it was written, because a parser would make a harmless one of it. */
function redirectedTo(location: string, from: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location
  if (location.includes('\\')) throw new AddressRefused('an address that redirects to one with a backslash')
  return URL.parse(location, from)?.href ?? location
}

/** `fetch` hides why it failed in the cause of its error. */
function throwCause(error: unknown): never {
  throw error instanceof Error && error.cause instanceof Error ? error.cause : error
}

/** Why an address may not be called, as it is written and as it resolves now; undefined if it may. The connection is judged again. */
export async function judgeAddress(url: string, permission: AddressPermission, resolver: Resolver = lookup): Promise<string | undefined> {
  const judged = judgeProviderUrl(url, permission)
  if (!judged.ok) return judged.found
  if (judged.kind === 'address') return undefined
  return new Promise((resolve) => resolver(judged.host, { all: true }, (error, addresses) => resolve(error === null ? judgeResolved(judged.host, addresses.map(({ address }) => address), permission) : `${judged.host}, which does not resolve`)))
}
