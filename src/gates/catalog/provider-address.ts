import { classifyAddress, type AddressClass, isInNetwork } from './address-class.ts'

/** Where a provider's address leads: an address that stands there itself, or a name that has to be resolved, each answer of which is judged again. */
export type ProviderAddress =
  | { readonly ok: true; readonly kind: 'address' | 'name'; readonly host: string }
  | { readonly ok: false; readonly found: string }

/** Where a configuration lets calls go. Nothing here opens metadata, link-local or reserved addresses: nobody whom we call is there. */
export type AddressPermission = OwnerPermission | ExactPermission

/** For providers, whose addresses their owner writes: a loopback address that stands there itself is meant. */
export interface OwnerPermission {
  /** `allowPrivateAddresses` of the provider's entry: loopback and private networks, also behind a name. */
  readonly privateAddresses: boolean
}

/** For agents and what they name, whose addresses strangers give: only what is listed, place by place. */
export interface ExactPermission {
  /** Literal addresses with their port, as in `127.0.0.1:4101`. */
  readonly addresses: readonly string[]
  /** Private networks, as in `10.20.0.0/16`, also behind a name. */
  readonly networks: readonly string[]
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
  return permitsWritten(url, host, kind, permission) ? { ok: true, kind: 'address', host } : refuse(describe(host, kind, permission))
}

/** A literal address: its owner wrote it, or the very place is listed. */
function permitsWritten(url: URL, host: string, kind: AddressClass, permission: AddressPermission): boolean {
  if (permits(kind, host, permission)) return true
  if ('privateAddresses' in permission) return kind === 'loopback'
  if (kind !== 'loopback' && kind !== 'private') return false
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return permission.addresses.includes(`${url.hostname}:${port}`)
}

/** True for an IP address with a port, in the spelling that is compared: `127.0.0.1:4101`, `[::1]:4101`. */
export function isExactAddress(text: string): boolean {
  const url = URL.parse(`https://${text}/`)
  const port = /:([1-9]\d{0,4})$/.exec(text)?.[1]
  return url !== null && port !== undefined && `${url.hostname}:${port}` === text && classifyAddress(url.hostname.replace(/^\[|\]$/g, '')) !== undefined
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
    if (!permits(kind, address, permission)) return `${host}, which resolves to ${describe(address, kind, permission)}`
  }
  return undefined
}

function permits(kind: AddressClass, address: string, permission: AddressPermission): boolean {
  switch (kind) {
    case 'public':
      return true
    case 'loopback':
      return 'privateAddresses' in permission && permission.privateAddresses
    case 'private':
      return 'privateAddresses' in permission ? permission.privateAddresses : permission.networks.some((network) => isInNetwork(address, network))
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

const describe = (address: string, kind: AddressClass, permission: AddressPermission): string =>
  `${address}, ${CLASS_TEXT[kind]}${kind !== 'loopback' && kind !== 'private' ? '' : 'privateAddresses' in permission ? ', without allowPrivateAddresses' : ', which is not listed in allow'}`
