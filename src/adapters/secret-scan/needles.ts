import { fold } from './folding.ts'

/** One way a known value can be written, and how that way is called in a finding. */
export interface Needle {
  readonly rule: string
  readonly bytes: Buffer
}

/** Below this length an encoded form is found everywhere by chance; the raw value is searched whatever its length. */
const SHORTEST_ENCODED_FORM = 8
/** The same for a part of a value, and for what is left of one when quotes and line ends are taken out. */
const SHORTEST_PART = 12
/** So much of a value is enough to count as the value: who has it can often guess the rest, or find it beside. */
const PART = 0.6

/** Every form in which a known credential is searched for (SEC-04 names them; the raw form is first). */
export function needlesOf(value: string): Needle[] {
  if (value === '') return []
  const bytes = Buffer.from(value, 'utf8')
  const json = JSON.stringify(value).slice(1, -1)
  const part = Math.ceil(value.length * PART)
  const forms: [rule: string, text: string | Buffer, shortest: number][] = [
    ['base64', bytes.toString('base64').replace(/=+$/, ''), SHORTEST_ENCODED_FORM],
    ['base64-offset-1', shiftedBase64(bytes, 1), SHORTEST_ENCODED_FORM],
    ['base64-offset-2', shiftedBase64(bytes, 2), SHORTEST_ENCODED_FORM],
    ['base64url', bytes.toString('base64url'), SHORTEST_ENCODED_FORM],
    ['base64url-offset-1', urlSafe(shiftedBase64(bytes, 1)), SHORTEST_ENCODED_FORM],
    ['base64url-offset-2', urlSafe(shiftedBase64(bytes, 2)), SHORTEST_ENCODED_FORM],
    ['hex', bytes.toString('hex'), SHORTEST_ENCODED_FORM],
    ['hex-upper', bytes.toString('hex').toUpperCase(), SHORTEST_ENCODED_FORM],
    ['url', encodeURIComponent(value.toWellFormed()), SHORTEST_ENCODED_FORM],
    ['url-lower', encodeURIComponent(value.toWellFormed()).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()), SHORTEST_ENCODED_FORM],
    ['json', json, SHORTEST_ENCODED_FORM],
    ['json-in-json', JSON.stringify(json).slice(1, -1), SHORTEST_ENCODED_FORM],
    ['json-slash', json.replaceAll('/', '\\/'), SHORTEST_ENCODED_FORM],
    ['json-html', json.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`), SHORTEST_ENCODED_FORM],
    ['html', value.replace(/[&<>"]/g, (sign) => HTML[sign] ?? sign), SHORTEST_ENCODED_FORM],
    ['utf-16', Buffer.from(value, 'utf16le'), SHORTEST_ENCODED_FORM],
    ...OFFSETS.map((offset): [string, string, number] => ['base64-utf-16', shiftedBase64(Buffer.from(value, 'utf16le'), offset), SHORTEST_PART]),
    ...twice(bytes),
    ['reversed', Array.from(value).reverse().join(''), SHORTEST_ENCODED_FORM],
    ['first-60-percent', value.slice(0, part).toWellFormed(), SHORTEST_PART],
    ['last-60-percent', value.slice(-part).toWellFormed(), SHORTEST_PART],
  ]
  return unique([{ rule: 'raw', bytes }, ...forms.flatMap(([rule, form, shortest]) => {
    const encoded = typeof form === 'string' ? Buffer.from(form, 'utf8') : form
    return encoded.length >= shortest ? [{ rule, bytes: encoded }] : []
  })])
}

/** The same forms as they are when what people and programs split a text with is taken out (see `fold`). */
export const foldedNeedlesOf = (needles: readonly Needle[]): Needle[] =>
  unique(needles.map(({ rule, bytes }) => ({ rule: `${rule}-split`, bytes: fold(bytes) })).filter(({ bytes }) => bytes.length >= SHORTEST_PART))

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Of two forms that are the same bytes, the first gives its name. */
function unique(needles: readonly Needle[]): Needle[] {
  const seen = new Map<string, Needle>()
  for (const needle of needles) {
    const key = needle.bytes.toString('latin1')
    if (!seen.has(key)) seen.set(key, needle)
  }
  return [...seen.values()]
}

const OFFSETS = [0, 1, 2] as const
const FIRST_CHARACTER = [0, 2, 3] as const

/** The characters of a base64 text that depend on the value alone when it begins `offset` bytes into a group of three. */
function shiftedBase64(bytes: Buffer, offset: 0 | 1 | 2): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').replace(/=+$/, '')
  const whole = Math.floor(((offset + bytes.length) * 8) / 6)
  return encoded.slice(FIRST_CHARACTER[offset], whole)
}

/** Base64 of base64 begins at three places in each of the two: whatever stands before it, one of the nine is there. */
function twice(bytes: Buffer): [rule: string, text: string, shortest: number][] {
  const inner = OFFSETS.map((offset) => shiftedBase64(bytes, offset))
  return [...inner, ...inner.map(urlSafe)].flatMap((text) => OFFSETS.map((offset): [string, string, number] => ['base64-twice', shiftedBase64(Buffer.from(text), offset), SHORTEST_PART]))
}

const urlSafe = (base64: string): string => base64.replace(/\+/g, '-').replace(/\//g, '_')
