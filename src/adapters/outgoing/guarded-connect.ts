import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { type AddressPermission, judgeProviderUrl, judgeResolved } from '../../gates/catalog/index.ts'

/** Why a connection was not made. `found` names the host and the class of its address, nothing else of the URL. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly found: string

  constructor(found: string) {
    super(found)
    this.found = found
  }
}

/** Resolves a name to all of its addresses, as `dns.lookup` of Node does. */
export type Resolver = (hostname: string, options: LookupOptions & { readonly all: true }, answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void

/**
 * Makes connections to providers, each only after the address that is really used was judged (WIR-42): the URL as it is written and,
 * where it holds a name, the very answer of the resolver that the socket then takes. A check beforehand would judge another answer
 * than the one that is used (DNS rebinding).
 */
export function guardedConnector(timeoutMs: number, permission: AddressPermission, resolver: Resolver): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false, lookup: guardedLookup(permission, resolver) })
  return (options, callback) => {
    const judged = judgeProviderUrl(`${options.protocol}//${options.host ?? options.hostname}`, permission)
    // Sockets do not resolve a literal address, so the guarded look-up alone would never see one.
    if (judged.ok) connect(options, callback)
    else callback(new AddressRefused(judged.found), null)
  }
}

function guardedLookup(permission: AddressPermission, resolver: Resolver): LookupFunction {
  return (hostname, options, answer) => {
    resolver(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return answer(error, '')
      const found = judgeResolved(hostname, addresses.map(({ address }) => address), permission)
      const [first] = addresses
      if (found !== undefined || first === undefined) return answer(new AddressRefused(found ?? hostname), '')
      return options.all === true ? answer(null, addresses) : answer(null, first.address, first.family)
    })
  }
}
