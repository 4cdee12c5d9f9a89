import type { FormatHit } from './format-scan.ts'
import type { ValueHit } from './value-scan.ts'

export const REDACTED = '[withheld by portcullis]'

/** From the byte `start` to before the byte `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A key that is cut in two is still half a key: what stands at it and is written with the same characters goes too. */
const isTokenByte = Uint8Array.from({ length: 256 }, (_none, byte) => (/[A-Za-z0-9+/_=.~-]/.test(String.fromCharCode(byte)) ? 1 : 0))

/** What is to be cut out for a known value: all of its form, also beyond what was searched for, and what is left of a part of it. */
export function spanOfValue(bytes: Buffer, { rule, start, end, entry }: ValueHit): Span {
  let last = end
  if (entry !== undefined) {
    for (let at = entry.length; at < entry.bytes.length && bytes[last] === entry.bytes[at]; at += 1) last += 1
  }
  return rule.startsWith('first-60') ? { start, end: forward(bytes, last) } : rule.startsWith('last-60') ? { start: backward(bytes, start), end: last } : { start, end: last }
}

/** What is to be cut out for a form: also what follows of one that is longer than what was matched. */
export function spanOfFormat(bytes: Buffer, { start, end, until }: FormatHit): Span {
  const last = forward(bytes, end)
  if (until === undefined) return { start, end: last }
  const closing = bytes.indexOf(until, last)
  // Without its closing line, it may go on to the end.
  return { start, end: closing < 0 ? bytes.length : closing }
}

function forward(bytes: Buffer, from: number): number {
  let at = from
  while (isTokenByte[bytes[at] ?? 0] === 1) at += 1
  return at
}

function backward(bytes: Buffer, from: number): number {
  let at = from
  while (at > 0 && isTokenByte[bytes[at - 1] ?? 0] === 1) at -= 1
  return at
}

/** Spans that touch or overlap, as one; in order. */
export function merged(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && span.start <= last.end) result[result.length - 1] = { start: last.start, end: Math.max(last.end, span.end) }
    else result.push(span)
  }
  return result
}
