import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { createSecretScanner } from './index.ts'

const values = [`canary-${randomBytes(24).toString('base64url')}`, `p@ss w/"rd\\${randomBytes(9).toString('hex')}+/`, `${randomBytes(30).toString('base64')}`,
  // Its base64 differs from its base64url wherever it begins.
  'a>?~b>?~~c>?>d>>?']

const forms: Record<string, (value: string) => string | Buffer> = {
  raw: (value) => `key=${value} end`,
  json: (value) => JSON.stringify({ key: value }),
  'json in json': (value) => JSON.stringify({ body: JSON.stringify({ key: value }) }),
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 one byte in': (value) => Buffer.from(`u${value}`).toString('base64'),
  'base64 two bytes in': (value) => Buffer.from(`us${value}zz`).toString('base64'),
  'basic auth': (value) => `Basic ${Buffer.from(`user:${value}`).toString('base64')}`,
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'base64url one byte in': (value) => Buffer.from(`u${value}`).toString('base64url'),
  'base64url two bytes in': (value) => Buffer.from(`us${value}zz`).toString('base64url'),
  url: (value) => `https://example.com/?key=${encodeURIComponent(value)}`,
  'url in lower case': (value) => encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  hex: (value) => Buffer.from(value).toString('hex'),
  'hex in upper case': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'utf-16': (value) => Buffer.from(value, 'utf16le'),
  reversed: (value) => [...value].reverse().join(''),
}

for (const [form, write] of Object.entries(forms)) {
  verifies('ADM-X4', `a known credential is found written as ${form}, and the finding does not repeat it`, () => {
    for (const value of values) {
      const scanner = createSecretScanner(() => values)
      const written = write(value)
      const findings = scanner.scan(Buffer.concat([Buffer.from('before '), Buffer.from(written as string), Buffer.from(' after')]))
      assert.ok(findings.length > 0, form)
      assert.ok(!JSON.stringify(findings).includes(value))
    }
  })
}

test('ordinary bytes hold no finding', () => {
  assert.deepEqual(createSecretScanner(() => values).scan(randomBytes(1 << 20)), [])
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
