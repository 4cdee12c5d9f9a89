import { classifyAddress, type AddressClass } from './address-class.ts'

/** Where a provider's address leads: an address that stands there itself, or a name that has to be resolved, each answer of which is judged again. */
export type ProviderAddress =
  | { readonly ok: true; readonly kind: 'address' | 'name'; readonly host: string }
  | { readonly ok: false; readonly found: string }

/** Where a configuration lets the calls of a provider go. Neither opens metadata, link-local or reserved addresses: nobody serves a model there. */
export interface AddressPermission {
  /** `allowPrivateAddresses` of the provider's entry: loopback and private networks, also behind a name. */
  readonly privateAddresses: boolean
}

/** Ports of other protocols, which a request could be made to speak (the Fetch standard's list). */
const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
  389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000,
  6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
])

/** Scheme, host and the rest, before any parser has made another text of it. */
const AUTHORITY = /^https?:\/\/([^/?#]*)(?:[/?#]|$)/i

/**
 * Judges the address of a provider as it is written (WIR-42), before a name in it is resolved. A loopback address that stands there itself
 * is what its owner means and needs no more; one that only a resolver knows does. Unusual spellings are refused, because the reader
 * of a review would see another address than the program.
 */
export function judgeProviderUrl(text: string, permission: AddressPermission): ProviderAddress {
  const refuse = (found: string): ProviderAddress => ({ ok: false, found })
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\')) return refuse('an address with spaces, backslashes or characters beyond ASCII; write a name in punycode')
  const authority = AUTHORITY.exec(text)?.[1]
  const url = URL.parse(text)
  if (authority === undefined || url === null) return refuse('something that is not an http or https address')
  if (authority.includes('@')) return refuse('an address with a user or a password')
  const written = authority.replace(/:\d*$/, '')
  if (written.toLowerCase() !== url.hostname) return refuse(`a host in an unusual spelling; write it as ${url.hostname}`)
  if (url.port !== '' && BAD_PORTS.has(Number(url.port))) return refuse(`port ${url.port}, which belongs to another protocol`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const kind = classifyAddress(host)
  if (kind === undefined) return { ok: true, kind: 'name', host }
  return kind === 'loopback' || permits(kind, permission) ? { ok: true, kind: 'address', host } : refuse(describe(host, kind))
}

/**
 * Judges what a name was resolved to: why none of it may be called, or undefined. One answer that may not spoils all of them:
 * which of them is connected to is decided later, by somebody else.
 */
export function judgeResolved(host: string, addresses: readonly string[], permission: AddressPermission): string | undefined {
  if (addresses.length === 0) return `${host}, which resolves to no address`
  for (const address of addresses) {
    const kind = classifyAddress(address)
    if (kind === undefined) return `${host}, which resolves to something that is no plain address`
    if (!permits(kind, permission)) return `${host}, which resolves to ${describe(address, kind)}`
  }
  return undefined
}

function permits(kind: AddressClass, permission: AddressPermission): boolean {
  switch (kind) {
    case 'public':
      return true
    case 'loopback':
    case 'private':
      return permission.privateAddresses
    case 'metadata':
    case 'link-local':
    case 'unspecified':
    case 'multicast':
    case 'reserved':
      return false
  }
}

const CLASS_TEXT: Readonly<Record<AddressClass, string>> = {
  public: 'a public address',
  loopback: 'an address of this machine',
  private: 'an address of a private network',
  metadata: 'an address at which a cloud hands out the credentials of the machine',
  'link-local': 'a link-local address',
  unspecified: 'an unspecified address',
  multicast: 'a multicast address',
  reserved: 'a reserved address, or one that hides another',
}

const describe = (address: string, kind: AddressClass): string => `${address}, ${CLASS_TEXT[kind]}${kind === 'loopback' || kind === 'private' ? ', without allowPrivateAddresses' : ''}`
