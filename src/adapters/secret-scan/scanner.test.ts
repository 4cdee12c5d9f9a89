import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { verifies } from '../../../test/verifies.ts'
import { createSecretScanner, createValueScanner } from './index.ts'

const values = [`canary-${randomBytes(24).toString('base64url')}`, `p@ss w/"rd\\${randomBytes(9).toString('hex')}+/`, `${randomBytes(30).toString('base64')}`,
  // Its base64 differs from its base64url wherever it begins.
  'a>?~b>?~~c>?>d>>?']

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const cut = (text: string, length: number): string[] => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []
const every = (text: string, escape: (byte: string) => string): string => [...Buffer.from(text)].map((byte) => escape(byte.toString(16).padStart(2, '0'))).join('')
const some = (text: string, escape: (byte: string) => string): string => [...text].map((character, index) => (index % 5 === 2 ? every(character, escape) : character)).join('')
const most = (text: string): number => Math.ceil(text.length * 0.6)

/** Every form that SEC-04 names, and some that programs write beside. */
const forms: Record<string, (value: string) => string | Buffer> = {
  raw: (value) => `key=${value} end`,
  json: (value) => JSON.stringify({ key: value }),
  'json with escaped slashes': (value) => JSON.stringify({ key: value }).replaceAll('/', '\\/'),
  'json in json': (value) => JSON.stringify({ body: JSON.stringify({ key: value }) }),
  base64: (value) => base64(value),
  'base64 one byte in': (value) => base64(`u${value}`),
  'base64 two bytes in': (value) => base64(`us${value}zz`),
  'basic auth': (value) => `Basic ${base64(`user:${value}`)}`,
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'base64url one byte in': (value) => Buffer.from(`u${value}`).toString('base64url'),
  'base64url two bytes in': (value) => Buffer.from(`us${value}zz`).toString('base64url'),
  url: (value) => `https://example.com/?key=${encodeURIComponent(value)}`,
  'url in lower case': (value) => encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  'url with any character escaped': (value) => some(value, (byte) => `%${byte}`),
  'url with every character escaped': (value) => every(value, (byte) => `%${byte}`),
  'json with any character escaped': (value) => some(value, (byte) => `\\u00${byte}`),
  'json in json with every character escaped': (value) => every(value, (byte) => `\\\\u00${byte.toUpperCase()}`),
  'a string with every character escaped': (value) => every(value, (byte) => `\\x${byte}`),
  'html with any character escaped': (value) => some(value, (byte) => `&#x${byte};`),
  'html with every character escaped': (value) => every(value, (byte) => `&#${Number.parseInt(byte, 16)};`),
  'base64 in a url': (value) => base64(`u${value}`).replace(/[+/=]/g, encodeURIComponent),
  'wrapped base64 in a url': (value) => encodeURIComponent(cut(base64(`u${value}`), 8).join('\r\n')),
  'escapes of escapes': (value) => encodeURIComponent(some(value, (byte) => `%${byte}`)),
  hex: (value) => Buffer.from(value).toString('hex'),
  'hex in upper case': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'hex in groups': (value) => cut(Buffer.from(value).toString('hex'), 4).join(' '),
  'utf-16': (value) => Buffer.from(value, 'utf16le'),
  'utf-16, the other way round': (value) => Buffer.from(value, 'utf16le').swap16(),
  reversed: (value) => [...value].reverse().join(''),
  'split over lines': (value) => cut(value, 9).join('\n'),
  'split over lines, in json': (value) => JSON.stringify(cut(value, 9).join('\r\n')),
  'split over lines of a patch': (value) => cut(value, 9).map((line) => `+${line}`).join('\n'),
  'split over lines of a comment': (value) => cut(value, 9).map((line) => `# ${line}`).join('\n'),
  'split over lines of another comment': (value) => cut(value, 9).map((line) => ` // ${line}`).join('\n'),
  'hex with colons': (value) => cut(Buffer.from(value).toString('hex'), 2).join(':'),
  'split by concatenation': (value) => cut(value, 6).map((part) => `'${part}'`).join(' + '),
  'split by concatenation over lines': (value) => cut(value, 6).map((part) => JSON.stringify(part)).join(' +\n    '),
  'wrapped base64': (value) => cut(base64(`${'x'.repeat(31)}${value}`), 20).join('\n'),
  'base64 of base64': (value) => base64(base64(value)),
  'wrapped base64 of wrapped base64': (value) => cut(base64(cut(base64(`some text before ${value}`), 32).join('\n')), 32).join('\n'),
  'base64 of base64 in lines of json': (value) => JSON.stringify(`out:\n${cut(base64(base64(value)), 20).join('\n')}`),
  'base64 of base64 in a patch': (value) => cut(base64(base64(value)), 20).map((line) => `\n+${line}`).join(''),
  'base64 of base64 right behind a path': (value) => `/tmp/${base64(base64(value))}`,
  'base64 of base64 behind bytes that are no text': (value) => base64(Buffer.concat([Buffer.from([0, 200, 255, 1]), Buffer.from(base64(`u${value}`))])),
  'base64 of utf-16': (value) => base64(Buffer.from(`x${value}`, 'utf16le')),
  'base64 of gzip right behind letters': (value) => `ab${base64(gzipSync(`text before ${value}`))}`,
  gzip: (value) => gzipSync(`text before ${value}`),
  'base64 of gzip': (value) => base64(gzipSync(`text before ${value}`)),
  'base64 of base64 of gzip': (value) => base64(base64(gzipSync(`text before ${value}`))),
  'gzip with fields that nobody reads': (value) => {
    const packed = gzipSync(`text before ${value}`)
    packed.fill(77, 8, 10)
    return packed
  },
  'gzip behind what only begins like it': (value) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), gzipSync(`text before ${value}`)]),
  'gzip that was overwritten behind it': (value) => Buffer.concat([gzipSync(`${value}${randomBytes(500).toString('hex')}`).subarray(0, 400), Buffer.alloc(200, 0xff)]),
  'gzip that was overwritten far behind it': (value) => Buffer.concat([gzipSync(`${value}${randomBytes(9_000).toString('hex')}`).subarray(0, 8_000), Buffer.alloc(200, 0xff)]),
  'gzip that was cut short': (value) => gzipSync(`${value}${randomBytes(5_000).toString('hex')}`).subarray(0, 4_000),
}

/** Of the longer ones also a part is enough. */
const parts: Record<string, (value: string) => string> = {
  'the first 60 percent': (value) => `'${value.slice(0, most(value))}'`,
  'the last 60 percent': (value) => `'${value.slice(-most(value))}'`,
  'the first 60 percent over lines': (value) => cut(value.slice(0, most(value)), 7).join('\n'),
}

function assertFound(form: string, value: string, written: string | Buffer): void {
  const scanner = createValueScanner(() => values)
  const text = Buffer.concat([Buffer.from('before '), Buffer.from(written as string), Buffer.from(' after')])
  const hash = scanner.scan(Buffer.from(value))[0]?.hash
  const whole = scanner.scan(text)
  for (const size of [text.length, 64, 7, 1]) {
    const stream = scanner.open('known-values')
    for (let at = 0; at < text.length; at += size) stream.write(text.subarray(at, at + size))
    const findings = stream.end()
    assert.ok(findings.some((finding) => finding.hash === hash), `${form} in pieces of ${size}`)
    assert.deepEqual(findings, whole, `${form} in pieces of ${size}`)
    assert.ok(!JSON.stringify(findings).includes(value))
  }
}

for (const [form, write] of Object.entries(forms)) {
  verifies('SEC-04 ADM-X4 ADM-X5', `a known credential is found written as ${form}, in pieces of any size, and the finding does not repeat it`, () => {
    for (const value of values) assertFound(form, value, write(value))
  })
}
for (const [form, write] of Object.entries(parts)) {
  verifies('SEC-04', `a known credential is found of which ${form} is there`, () => {
    for (const value of values.filter((each) => each.length >= 20)) assertFound(form, value, write(value))
  })
}

verifies('SEC-04', 'an ordinary text holds no known credential, and one that is made of parts of it neither', () => {
  const scanner = createValueScanner(() => values)
  const words = Array.from({ length: 200_000 }, (_none, index) => createHash('sha256').update(String(index)).digest('base64url').slice(0, 1 + (index % 9))).join(' ')
  const pieces = values.map((value) => `${value.slice(0, 7)} ${value.slice(9, 16)} ${base64(value).slice(0, 9)}`).join(' ')
  assert.deepEqual(scanner.scan(Buffer.from(words + pieces)), [])
})

verifies('SEC-06', 'a finding names rule and place, and a hash that without the key of this scanner says nothing', () => {
  const value = values[0] ?? ''
  const [one, other] = [createSecretScanner(() => values), createSecretScanner(() => values)].map((scanner) => scanner.scan(Buffer.from(`12345 ${value}`)))
  assert.deepEqual(one?.map(({ rule, offset }) => [rule, offset]), [['raw', 6]])
  assert.match(one?.[0]?.hash ?? '', /^[0-9a-f]{16}$/)
  assert.notEqual(one?.[0]?.hash, other?.[0]?.hash)
  assert.notEqual(one?.[0]?.hash, createHash('sha256').update(value).digest('hex').slice(0, 16))
})

verifies('SEC-07', 'a text in which more is packed than may be unpacked is not scanned to its end, and says so', () => {
  const scanner = createValueScanner(() => values)
  const bomb = gzipSync(Buffer.alloc(64 * 1_048_576))
  const half = gzipSync(Buffer.alloc(12 * 1_048_576))
  assert.deepEqual(scanner.scan(half), [])
  for (const text of [bomb, Buffer.from(base64(bomb)), Buffer.concat([half, half]), Buffer.concat(Array.from({ length: 65 }, (_none, index) => gzipSync(String(index))))]) {
    assert.throws(() => scanner.scan(text), { name: 'ScanIncomplete' })
  }
  // A text that cannot be scanned is not shown either.
  assert.equal(createValueScanner(() => values).redact(base64(bomb)), '[withheld by portcullis]')
})

test('a key that is longer than what is searched for is cut out whole', () => {
  const long = JSON.stringify({ type: 'account', key: randomBytes(2_000).toString('base64'), id: 'x' })
  const scanner = createValueScanner(() => [long])
  for (const text of [long, JSON.stringify(long), base64(long), long.slice(0, 1_700), long.slice(-1_700)]) {
    assert.match(scanner.redact(`before ${text} after`), /^before "?\[withheld by portcullis\]"?=* after$/)
  }
})

test('ordinary bytes hold no finding', () => {
  assert.deepEqual(createValueScanner(() => values).scan(randomBytes(1 << 20)), [])
})

test('a credential that became known after the scanner was made is searched for too', () => {
  const known: string[] = []
  const scanner = createSecretScanner(() => known)
  assert.deepEqual(scanner.scan(Buffer.from('abc-123')), [])
  known.push('abc-123')
  assert.equal(scanner.scan(Buffer.from('abc-123'))[0]?.rule, 'raw')
  assert.equal(scanner.knownValues(), 1)
})

test('an empty value is not searched for: it would be found everywhere', () => {
  const scanner = createSecretScanner(() => ['', ''])
  assert.deepEqual(scanner.scan(Buffer.from('text')), [])
  assert.equal(scanner.knownValues(), 0)
})

test('a redacted text holds no form of the value, and keeps the rest', () => {
  for (const value of values) {
    const scanner = createSecretScanner(() => values)
    const text = `one ${value} two ${Buffer.from(value).toString('base64')} three ${encodeURIComponent(value)} four`
    const redacted = scanner.redact(text)
    assert.deepEqual(scanner.scan(Buffer.from(redacted)), [])
    assert.match(redacted, /^one .* two .* three .* four$/)
  }
})
