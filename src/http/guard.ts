/** What of a request says whether a web page of somebody else caused it: every value, because two are what matters here. */
export interface RequestOrigin {
  readonly host: readonly string[]
  readonly origin: readonly string[]
  readonly secFetchSite: readonly string[]
}

const SITES_OF_OURS: ReadonlySet<string> = new Set(['same-origin', 'none'])

/** Every value of the headers that matter, from a flat list of names and values as they came. */
export function originOf(rawHeaders: readonly string[]): RequestOrigin {
  const valuesOf = (wanted: string): string[] => rawHeaders.flatMap((name, index) => (index % 2 === 0 && name.toLowerCase() === wanted ? [rawHeaders[index + 1] ?? ''] : []))
  return { host: valuesOf('host'), origin: valuesOf('origin'), secFetchSite: valuesOf('sec-fetch-site') }
}

/**
 * Why a request is refused before anything of it is read (AUT-02), or undefined. A page whose name was made to point at this
 * machine sends its own name as Host; a page elsewhere sends its Origin, or says that it is of another site.
 */
export function originDenial({ host, origin, secFetchSite }: RequestOrigin, hosts: ReadonlySet<string>): 'host_refused' | 'origin_refused' | undefined {
  const [named] = host
  if (host.length !== 1 || named === undefined || !hosts.has(named.toLowerCase())) return 'host_refused'
  if (origin.length > 1 || secFetchSite.length > 1) return 'origin_refused'
  const [from] = origin
  if (from !== undefined && !isOwnOrigin(from, named)) return 'origin_refused'
  const [site] = secFetchSite
  return site === undefined || SITES_OF_OURS.has(site) ? undefined : 'origin_refused'
}

const isOwnOrigin = (origin: string, host: string): boolean => origin === `http://${host.toLowerCase()}` || origin === `https://${host.toLowerCase()}`

/** A cookie goes along by itself, so a session must show that it is our own page that asks: by its Origin where something is changed. */
export function sessionDenial({ origin, secFetchSite }: RequestOrigin, unsafe: boolean): 'origin_refused' | undefined {
  if (secFetchSite[0] === 'same-origin' && (!unsafe || origin.length === 1)) return undefined
  return origin.length === 1 ? undefined : 'origin_refused'
}

/** Host headers that are answered: the loopback names with the port that is listened on, and those that the configuration allows. */
export const allowedHosts = (port: number, configured: readonly string[], scheme: 'http' | 'https' = 'http'): ReadonlySet<string> =>
  new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, ...(port === (scheme === 'http' ? 80 : 443) ? ['127.0.0.1', 'localhost', '[::1]'] : []), ...configured.map((host) => host.toLowerCase())])
