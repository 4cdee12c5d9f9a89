import type { Member } from './json-scan.ts'

/** Where a key stands, with its quotes, in bytes that were scanned. */
type Key = Pick<Member, 'keyStart' | 'keyEnd'>

/** A type or a member as it may stand in a refusal. */
export const PRINTABLE = /^[\w.:-]{1,80}$/

/** No name that matters is longer than this when every character of it is an escape. */
const LONGEST_NAME = 2 + 6 * 32

/** The name of a member as the laxest parser reads it, without case and underscores; undefined for one too long to matter. */
export function spelt(body: Uint8Array, { keyStart, keyEnd }: Key): string | undefined {
  if (keyEnd - keyStart > LONGEST_NAME) return undefined
  const key = decoded(body, keyStart, keyEnd)
  return typeof key === 'string' ? key.replaceAll('_', '').toLowerCase() : undefined
}

/** The name of a member, as it may stand in a refusal. */
export function plain(body: Uint8Array, { keyStart, keyEnd }: Key): string {
  const key = decoded(body, keyStart, keyEnd)
  return typeof key === 'string' && PRINTABLE.test(key) ? key : 'a member without a printable name'
}

/** The bytes were scanned, so they are JSON. */
export const decoded = (body: Uint8Array, start: number, end: number): unknown => JSON.parse(textOf(body, start, end))

export const textOf = (body: Uint8Array, start: number, end: number): string => Buffer.from(body.buffer, body.byteOffset + start, end - start).toString()
