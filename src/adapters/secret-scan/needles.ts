/** One way a known value can be written, and how that way is called in a finding. */
export interface Needle {
  readonly rule: string
  readonly bytes: Buffer
}

/** Below this length an encoded form is found everywhere by chance; the raw value is searched whatever its length. */
const SHORTEST_ENCODED_FORM = 8

/** Every form in which a known credential is searched for (SEC-04 names them; the raw form is first). */
export function needlesOf(value: string): Needle[] {
  if (value === '') return []
  const bytes = Buffer.from(value, 'utf8')
  const json = JSON.stringify(value).slice(1, -1)
  const forms: [rule: string, text: string | Buffer][] = [
    ['base64', bytes.toString('base64').replace(/=+$/, '')],
    ['base64-offset-1', shiftedBase64(bytes, 1)],
    ['base64-offset-2', shiftedBase64(bytes, 2)],
    ['base64url', bytes.toString('base64url')],
    ['base64url-offset-1', urlSafe(shiftedBase64(bytes, 1))],
    ['base64url-offset-2', urlSafe(shiftedBase64(bytes, 2))],
    ['hex', bytes.toString('hex')],
    ['hex-upper', bytes.toString('hex').toUpperCase()],
    ['url', encodeURIComponent(value)],
    ['url-lower', encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
    ['json', json],
    ['json-in-json', JSON.stringify(json).slice(1, -1)],
    ['utf-16', Buffer.from(value, 'utf16le')],
    ['reversed', Array.from(value).reverse().join('')],
  ]
  const needles: Needle[] = [{ rule: 'raw', bytes }]
  for (const [rule, form] of forms) {
    const encoded = typeof form === 'string' ? Buffer.from(form, 'utf8') : form
    if (encoded.length >= SHORTEST_ENCODED_FORM && !needles.some((needle) => needle.bytes.equals(encoded))) needles.push({ rule, bytes: encoded })
  }
  return needles
}

/** The characters of a base64 text that depend on the value alone when it begins `offset` bytes into a group of three. */
function shiftedBase64(bytes: Buffer, offset: 1 | 2): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').replace(/=+$/, '')
  const whole = Math.floor(((offset + bytes.length) * 8) / 6)
  return encoded.slice(offset === 1 ? 2 : 3, whole)
}

const urlSafe = (base64: string): string => base64.replace(/\+/g, '-').replace(/\//g, '_')
