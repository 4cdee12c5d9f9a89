import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { createSecretScanner, createValueScanner } from '../src/adapters/secret-scan/index.ts'
import type { SecretScanner } from '../src/gates/report/index.ts'
import { Draw, type Sample, secretSamples } from '../test/helpers/secret-corpus.ts'
import { cleanSamples } from '../test/helpers/secret-look-alikes.ts'

const SEED = 20_261_120
const TEXT_BYTES = 32 * 1_048_576
const CHUNK_BYTES = 65_536
const ROUNDS = 5

/** One figure, what it must be, and whether it is. */
export interface Row {
  readonly requirement: 'SEC-04' | 'SEC-05'
  readonly what: string
  readonly measured: string
  readonly required: string
  readonly within: boolean
}

const WORDS = 'the run of an agent is judged by what was seen on wire disk and process and not said report ledger gate model answer token key secret error file line with from into after before more than one'.split(' ')

/** Thirty-two megabytes as logs and sources are: words, numbers, names, signs and lines. */
function ordinaryText(draw: Draw): Buffer {
  const line = (): string => Array.from({ length: 4 + draw.below(10) }, () => (draw.below(9) === 0 ? `${draw.one(WORDS)}_${draw.below(1_000)} = "${draw.one(WORDS)}",` : draw.one(WORDS))).join(' ')
  const page = Buffer.from(Array.from({ length: 20_000 }, () => `${line()}\n`).join(''))
  const text = Buffer.alloc(TEXT_BYTES)
  for (let at = 0; at < text.length; at += page.length) page.copy(text, at)
  return text
}

const cut = (text: string, length: number): string[] => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')

const FORMS: readonly ((value: string) => string | Buffer)[] = [
  (value) => value, (value) => base64(value), (value) => base64(`u${value}`), (value) => base64(`us${value}`), (value) => Buffer.from(value).toString('base64url'), (value) => `Basic ${base64(`user:${value}`)}`,
  (value) => Buffer.from(value).toString('hex'), (value) => Buffer.from(value).toString('hex').toUpperCase(), (value) => encodeURIComponent(value), (value) => encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  (value) => JSON.stringify(value), (value) => JSON.stringify(JSON.stringify(value)), (value) => Buffer.from(value, 'utf16le'), (value) => cut(value, 20).join('\n'), (value) => cut(value, 12).map((part) => `'${part}'`).join(' + '),
  (value) => cut(base64(`${'x'.repeat(30)}${value}`), 40).join('\n'), (value) => value.slice(0, Math.ceil(value.length * 0.6)), (value) => value.slice(-Math.ceil(value.length * 0.6)), (value) => [...value].reverse().join(''),
  (value) => base64(base64(value)), (value) => base64(gzipSync(value)),
]

function keysOf(draw: Draw): readonly string[] {
  return Array.from({ length: 20 }, (_none, index) => [`sk-ant-api03-${draw.url(93)}AA`, `${draw.any(32)}+/&"x`, `p@ss w/rd"${draw.hex(18)}`, draw.hex(64)][index % 4] ?? '')
}

function scanStream(scanner: SecretScanner, scope: 'everything' | 'known-values', text: Buffer): number {
  const stream = scanner.open(scope)
  for (let at = 0; at < text.length; at += CHUNK_BYTES) stream.write(text.subarray(at, at + CHUNK_BYTES))
  return stream.end().length
}

/** Time that this thread was given, in milliseconds: what other programs take of the machine is not counted. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Megabytes a second of this thread, in the best of some rounds: what else the machine does only makes it slower. */
function speedOf(text: Buffer, scan: () => number): { readonly speed: number; readonly hits: number } {
  let hits = 0
  const seconds = Array.from({ length: ROUNDS }, () => {
    const startedAtMs = threadMs()
    hits += scan()
    return (threadMs() - startedAtMs) / 1_000
  })
  return { speed: text.length / 1e6 / Math.min(...seconds), hits }
}

function valueRows(draw: Draw, text: Buffer): Row[] {
  const keys = keysOf(draw)
  const scanner = createValueScanner(() => keys)
  const found = keys.map((key) => FORMS.filter((form) => scanner.scan(Buffer.concat([Buffer.from('before '), Buffer.from(form(key) as string), Buffer.from(' after')])).length > 0).length)
  const all = keys.length * FORMS.length
  const count = found.reduce((sum, each) => sum + each, 0)
  const { speed, hits } = speedOf(text, () => scanStream(scanner, 'known-values', text))
  return [
    { requirement: 'SEC-04', what: `${keys.length} keys in ${FORMS.length} forms`, measured: `${count} of ${all}`, required: 'all', within: count === all },
    { requirement: 'SEC-04', what: 'known values, ordinary text', measured: `${speed.toFixed(0)} MB/s`, required: '100 MB/s', within: speed >= 100 },
    { requirement: 'SEC-04', what: 'false hits in 32 MB', measured: String(hits), required: '0', within: hits === 0 },
  ]
}

function formatRows(text: Buffer): Row[] {
  const scanner = createSecretScanner(() => [])
  const taken = (samples: readonly Sample[]): Sample[] => samples.filter((sample) => scanner.scan(Buffer.from(sample.text)).length > 0)
  const samples = secretSamples(SEED)
  const found = taken(samples).length
  const clean = taken(cleanSamples(SEED)).length
  const { speed } = speedOf(text, () => scanStream(scanner, 'everything', text))
  return [
    { requirement: 'SEC-05', what: `credentials of ${new Set(samples.map(({ kind }) => kind)).size} providers`, measured: `${found} of ${samples.length}`, required: '97 of 100', within: found >= 97 },
    { requirement: 'SEC-05', what: 'clean texts that look alike', measured: `${clean} of 169`, required: 'at most 2', within: clean <= 2 },
    { requirement: 'SEC-05', what: 'formats, ordinary text', measured: `${speed.toFixed(0)} MB/s`, required: '20 MB/s', within: speed >= 20 },
  ]
}

const HOSTILE = ['token=', 'key=abcdefghijk1234567', 'secret="Zx81kQw0PmT4Vb9Rn2Ls7"', 'ghp_aaaaaaaaaa ', '://a:', 'eyJaaaaaaaaaa.', '-----BEGIN ', 'bearer ', 'sk-', 'Q~', '-us', 'xoxb-a-a-a-a', '-----BEGIN PRIVATE KEY-----\nabc: d\n', 'QUJDREVGR0hJSktMTU5P\n', '\\n', '\u001f\u008b\b']

function hostileRow(draw: Draw): Row {
  const keys = keysOf(draw)
  const scanner = createSecretScanner(() => keys)
  const texts = [...HOSTILE.map((piece) => Buffer.from(piece.repeat(Math.ceil(100_000 / piece.length)).slice(0, 100_000), 'latin1')), gzipSync(Buffer.alloc(64 * 1_048_576)), randomBytes(100_000)]
  const slowest = texts.map((text) => Math.min(...Array.from({ length: 3 }, () => timeOf(scanner, text))))
  const worstMs = Math.max(...slowest)
  return { requirement: 'SEC-05', what: `worst of ${texts.length} hostile texts of 100 KB`, measured: `${worstMs.toFixed(0)} ms`, required: '250 ms', within: worstMs <= 250 }
}

/** How long it takes until the text is scanned or given up, in milliseconds of this thread. */
function timeOf(scanner: SecretScanner, text: Buffer): number {
  const startedAtMs = threadMs()
  try {
    scanner.scan(text)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ScanIncomplete') throw error
    return threadMs() - startedAtMs
  }
  return threadMs() - startedAtMs
}

export const printRows = (rows: readonly Row[]): string =>
  `Secret scan, corpus drawn from ${SEED}, best of ${ROUNDS} rounds, time of one thread\n\n${rows.map(({ requirement, what, measured, required, within }) => `${requirement}  ${what.padEnd(44)} ${measured.padStart(12)}   must be ${required.padEnd(12)} ${within ? 'it holds' : 'it does not'}\n`).join('')}`

/** Measures what SEC-04 and SEC-05 ask for. Takes about ten seconds. */
export function scanRows(): Row[] {
  const draw = new Draw(SEED)
  const text = ordinaryText(draw)
  return [...valueRows(draw, text), ...formatRows(text), hostileRow(draw)]
}
