/**
 * What an address is for. Only `public`, and where a configuration says so `loopback` and `private`, may ever be called.
 * `metadata` stands apart because it is worth most to an attacker: it hands out the credentials of the machine.
 */
export const ADDRESS_CLASSES = ['public', 'loopback', 'private', 'metadata', 'link-local', 'unspecified', 'multicast', 'reserved'] as const
export type AddressClass = (typeof ADDRESS_CLASSES)[number]

type Range = readonly [first: string, prefixBits: number, AddressClass]

/** Single addresses at which clouds answer for the machine itself; some of them lie in ranges that are otherwise public or private. */
const METADATA: ReadonlySet<string> = new Set(['169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42'])

/** IANA's special-purpose registry. Whatever stands in no row is public. */
const V4_RANGES: readonly Range[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.31.196.0', 24, 'reserved'],
  ['192.52.193.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['192.175.48.0', 24, 'reserved'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
]

/**
 * The other way round than for IPv4: only 2000::/3 was ever given out, so whatever stands in no row is reserved. That refuses each
 * form that carries an IPv4 address inside (mapped, compatible, translated, NAT64), whatever that address is.
 */
const V6_RANGES: readonly Range[] = [
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['ff00::', 8, 'multicast'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['2002::', 16, 'reserved'],
  ['2620:4f:8000::', 48, 'reserved'],
  ['3fff::', 20, 'reserved'],
  ['2000::', 3, 'public'],
]

/** The class of an address in its canonical spelling, as resolvers write it. Undefined for anything else: a zone, a name, another spelling. */
export function classifyAddress(address: string): AddressClass | undefined {
  const v4 = bytesOfV4(address)
  const bytes = v4 ?? bytesOfV6(address)
  if (bytes === undefined) return undefined
  if (METADATA.has(address)) return 'metadata'
  const ranges = v4 === undefined ? V6 : V4
  return ranges.find((range) => isInside(bytes, range))?.class ?? (v4 === undefined ? 'reserved' : 'public')
}

/** True for `<address>/<bits>` whose address is the first of the network, as in `10.20.0.0/16`. */
export const isNetwork = (text: string): boolean => networkOf(text) !== undefined

/** True if an address lies in a network that `isNetwork` accepts. An address of the other family lies in none. */
export function isInNetwork(address: string, network: string): boolean {
  const bytes = bytesOfV4(address) ?? bytesOfV6(address)
  const range = networkOf(network)
  return bytes !== undefined && range !== undefined && bytes.length === range.first.length && isInside(bytes, range)
}

function networkOf(text: string): Pick<ParsedRange, 'first' | 'bits'> | undefined {
  const match = /^([0-9a-f:.]{2,45})\/([1-9]\d{0,2})$/.exec(text)
  const first = bytesOfV4(match?.[1] ?? '') ?? bytesOfV6(match?.[1] ?? '')
  const bits = Number(match?.[2])
  if (first === undefined || bits > first.length * 8) return undefined
  // An address inside instead of the network itself may be a typing error in the bits, and would open more than was meant.
  return first.every((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, bits - index * 8)))) === 0) ? { first, bits } : undefined
}

interface ParsedRange {
  readonly first: readonly number[]
  readonly bits: number
  readonly class: AddressClass
}

const parseRanges = (ranges: readonly Range[]): readonly ParsedRange[] => ranges.map(([first, bits, kind]) => ({ first: bytesOfV4(first) ?? bytesOfV6(first) ?? [], bits, class: kind }))
const V4 = parseRanges(V4_RANGES)
const V6 = parseRanges(V6_RANGES)

const isInside = (bytes: readonly number[], { first, bits }: Pick<ParsedRange, 'first' | 'bits'>): boolean =>
  bytes.every((byte, index) => {
    const compared = Math.min(8, Math.max(0, bits - index * 8))
    return (byte >> (8 - compared)) === ((first[index] ?? 0) >> (8 - compared))
  })

/** Four decimal parts without leading zeros; anything else is no address here, because other programs read it as another one. */
function bytesOfV4(text: string): readonly number[] | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})(?:\.|$)){4}$/.test(text) || text.endsWith('.')) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** Hexadecimal groups with at most one gap, as RFC 5952 and `getaddrinfo` write them; the dotted tail of mapped addresses is read as well. */
function bytesOfV6(text: string): readonly number[] | undefined {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(':')) return undefined
  const parsed = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1)
  if (parsed === undefined) return undefined
  const [head = '', tail] = parsed.split('::')
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const gap = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array.from({ length: gap }, () => 0), ...after].flatMap((group) => [group >> 8, group & 0xff])
}
