import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Draw, secretSamples } from '../../../test/helpers/secret-corpus.ts'
import { cleanSamples } from '../../../test/helpers/secret-look-alikes.ts'
import { verifies } from '../../../test/verifies.ts'
import { createRunToken } from '../../contract/ids.ts'
import { FORMAT_RULES } from './format-rules.ts'
import { type FormatHit, FormatScan } from './format-scan.ts'
import { createSecretScanner, createValueScanner } from './index.ts'

const SEEDS = [1, 2, 3, 5, 8, 13]
const draw = new Draw(7)

function scan(text: string | Buffer, size = 65_536): readonly FormatHit[] {
  const bytes = Buffer.from(text as string)
  const running = new FormatScan()
  for (let at = 0; at < bytes.length; at += size) running.write(bytes.subarray(at, at + size))
  return running.end()
}
const rulesIn = (text: string): string[] => scan(text).map(({ rule }) => rule)

for (const seed of SEEDS) {
  verifies('SEC-05', `of a hundred credentials of more than seventy providers, drawn from ${seed}, at least 97 are found where they stand`, () => {
    const samples = secretSamples(seed)
    assert.equal(samples.length, 100)
    assert.ok(new Set(samples.map(({ kind }) => kind)).size > 70)
    const missed = samples.filter(({ text, secret = '' }) => !scan(text).some((hit) => secret.includes(hit.secret) || JSON.stringify(secret).includes(hit.secret)))
    assert.ok(missed.length <= 3, missed.map(({ kind }) => kind).join(', '))
  })
  verifies('SEC-05', `of 169 clean texts that look alike, drawn from ${seed}, at most two are taken for credentials`, () => {
    const samples = cleanSamples(seed)
    assert.equal(samples.length, 169)
    const taken = samples.filter(({ text }) => scan(text).length > 0)
    assert.ok(taken.length <= 2, taken.map(({ kind }) => kind).join(', '))
  })
}

verifies('SEC-05 ADM-X5', 'the formats that rule sets know, and those that they miss, are each found by their own rule', () => {
  const found: [text: string, rule: string][] = [
    [`sk-ant-api03-${draw.url(93)}AA`, 'anthropic'],
    [`sk-ant-oat01-${draw.url(93)}AA`, 'anthropic'],
    [`sk-ant-ort01-${draw.url(93)}AA`, 'anthropic'],
    [`ghp_${draw.any(36)}`, 'github'],
    [`AKIA${draw.of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`, 'aws'],
    [`${Buffer.from(`{"alg":"RS256","kid":"${draw.hex(6)}"}`).toString('base64url')}.${Buffer.from(`{"sub":"${draw.hex(20)}"}`).toString('base64url')}.${draw.url(40)}`, 'json-web-token'],
    [createRunToken(), 'portcullis-run-token'],
    [`MISTRAL_API_KEY=${draw.any(32)}`, 'named-secret'],
    [`https://deploy:${draw.any(20)}@git.internal/x`, 'address-with-password'],
    [`Authorization: Basic ${Buffer.from(`user:${draw.any(24)}`).toString('base64')}`, 'authorization-header'],
  ]
  for (const [text, rule] of found) assert.deepEqual(rulesIn(`a line\n  ${text}\n`), [rule], rule)
})

test('a run token is known by its checksum, so that nothing else is one', () => {
  const token = createRunToken()
  assert.deepEqual(rulesIn(`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`), [])
})

test('every rule compiles, and has a beginning', () => {
  for (const { rule, beginnings, expression } of FORMAT_RULES) {
    assert.ok(beginnings.every((beginning) => beginning.length > 1), rule)
    assert.doesNotThrow(() => new RegExp(expression.replace(/\(\?i:/g, '(?:')), rule)
  }
})

test('a credential is found wherever it stands in a long text, whatever the pieces', () => {
  const token = `ghp_${draw.any(36)}`
  for (const at of [0, 65_500, 65_535, 65_536, 131_050, 150_000]) {
    const text = `${'some words '.repeat(20_000).slice(0, at)} ${token} ${'more words '.repeat(3_000)}`
    for (const size of [1_000, 65_536, 1_000_000]) {
      const found = scan(text, size)
      assert.deepEqual(found.map(({ rule, start, end }) => [rule, text.slice(start, end)]), [['github', token]], `at ${at} in pieces of ${size}`)
    }
  }
  assert.deepEqual(scan(`x ${token}`, 1).map(({ start }) => start), [2])
})

test('what continues as another word is not one, and an escape before it is no part of a word', () => {
  const token = `ghp_${draw.any(36)}`
  for (const text of [`a${token}`, `${token}a`, `_${token}`]) assert.deepEqual(rulesIn(text), [], text)
  for (const text of [`\\n${token}\\n`, `%3D${token}`, `"${token}"`, `=${token};`, `\\u003d${token}`]) assert.deepEqual(rulesIn(text), ['github'], text)
})

verifies('SEC-05', 'a hostile text is scanned to its end or given up, and costs a bounded number of tries either way', () => {
  const hostile = ['token=', 'key=abcdefghijk1234567', 'ghp_aaaaaaaaaa ', '://a:', 'eyJaaaaaaaaaa.', '-----BEGIN ', 'bearer ', 'sk-', 'Q~', '-us', 'xoxb-a-a-a-a', '-----BEGIN PRIVATE KEY-----\nabc: d\n']
  const given = hostile.filter((piece) => {
    try {
      scan(piece.repeat(Math.ceil(100_000 / piece.length)))
      return false
    } catch (error) {
      assert.equal(error instanceof Error && error.name, 'ScanIncomplete')
      return true
    }
  })
  assert.ok(given.length >= 5 && given.length < hostile.length, given.join(' | '))
})

verifies('SEC-06', 'a finding of a form holds no part of the secret, and in a scan for known values alone there is none', () => {
  const secret = `ghp_${draw.any(36)}`
  const text = Buffer.from(`token: ${secret}`)
  const findings = createSecretScanner(() => []).scan(text)
  assert.deepEqual(findings.map(({ rule, offset }) => [rule, offset]), [['github', 7]])
  assert.ok(!JSON.stringify(findings).includes(secret.slice(4, 12)))
  assert.deepEqual(createValueScanner(() => []).scan(text), [])
  const stream = createSecretScanner(() => []).open('known-values')
  stream.write(text)
  assert.deepEqual(stream.end(), [])
})

test('what is a known value is told as one, once', () => {
  const secret = `ghp_${draw.any(36)}`
  assert.deepEqual(createSecretScanner(() => [secret]).scan(Buffer.from(secret)).map(({ rule }) => rule), ['raw'])
})

test('a redacted text holds no secret of any form, and a private key goes with all its lines', () => {
  const scanner = createSecretScanner(() => [])
  const key = `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 60 }, () => draw.any(64)).join('\n')}\n-----END PRIVATE KEY-----`
  assert.match(scanner.redact(`before\n${key}\nafter`), /^before\n-----BEGIN PRIVATE KEY-----\n\[withheld by portcullis\]-----END PRIVATE KEY-----\nafter$/)
  assert.equal(scanner.redact(`a ghp_${draw.any(36)} b`), 'a [withheld by portcullis] b')
})
