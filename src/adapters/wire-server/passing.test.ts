import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { sha256 } from '../../contract/canonical.ts'
import { answerBy, ask, type Bench, json, QUESTION, ROUTE_OF, SPOKEN, SSE, startBench } from '../../../test/helpers/wire-harness.ts'
import { verifies } from '../../../test/verifies.ts'
import { MAX_REQUEST_BYTES } from './limits.ts'

const GOLDEN = join(import.meta.dirname, '../../../test/fixtures/providers/golden')
/** What the recorded requests have the provider run or fetch. */
const providerTools = ['web_search_20250305', 'googleSearch', 'fileUri']
const golden = (name: string): Buffer => readFileSync(join(GOLDEN, name))

verifies('WIR-11 WIR-10 WIR-20', 'images, thinking, cache fields, unknown fields and future events survive unchanged in every dialect, both ways', async (context) => {
  for (const dialect of SPOKEN) {
    const [sent, whole, lines] = [golden(`${dialect}.request.json`), golden(`${dialect}.answer.json`), golden(`${dialect}.stream.sse`)]
    const streams = [lines, Buffer.from(lines.toString().replaceAll('\n', '\r\n'))]
    const bench = await startBench(context, (response, number) => (number === 1 ? response.writeHead(200, { 'content-type': 'application/json' }).end(whole) : response.writeHead(200, SSE).end(streams[number - 2])), { dialect, providerTools })
    for (const expected of [whole, ...streams]) {
      const answer = await ask(bench, { body: sent })
      assert.equal(answer.status, 200, `${dialect}: ${answer.body}`)
      assert.equal(answer.body, expected.toString())
      assert.ok(answer.complete)
      assert.ok(bench.provider.received.at(-1)?.body.equals(sent))
      const call = bench.recorder.calls.at(-1)?.call
      assert.deepEqual([call?.outcome, call?.requestedModel, call?.servedModel, call?.requestDigest, call?.responseDigest], ['answered', 'coder-1', 'coder-1', sha256(sent), sha256(expected)])
      assert.deepEqual(call?.usage, { inputTokens: 1_200, outputTokens: 30, cacheReadTokens: 1_024, ...(dialect === 'anthropic-messages' ? { cacheWriteTokens: 170, reasoningTokens: 0 } : { cacheWriteTokens: 0, reasoningTokens: 20 }) })
      assert.equal(call?.toolCalls, expected !== whole || dialect === 'openai-responses')
    }
  }
})

const PACKED = [
  ['gzip', gzipSync, gunzipSync],
  ['GZIP', gzipSync, gunzipSync],
  ['br', brotliCompressSync, brotliDecompressSync],
  ['zstd', zstdCompressSync, zstdDecompressSync],
] as const

verifies('WIR-11 WIR-02', 'a compressed body is read, judged by the model in it, and goes on byte for byte with its header', async (context) => {
  for (const dialect of SPOKEN) {
    const bench = await startBench(context, (response) => json(response, answerBy(dialect, 'coder-1')), { dialect, providerTools })
    const sent = golden(`${dialect}.request.json`)
    for (const [encoding, pack, unpack] of PACKED) {
      const packed = pack(sent)
      assert.equal((await ask(bench, { body: packed, headers: { 'content-encoding': encoding } })).status, 200)
      const received = bench.provider.received.at(-1)
      assert.deepEqual([received?.headers['content-encoding'], received?.headers['content-length']], [encoding, String(packed.length)])
      assert.ok(received !== undefined && received.body.equals(packed))
      assert.ok(unpack(received.body).equals(sent))
      assert.equal(bench.recorder.calls.at(-1)?.call.requestDigest, sha256(packed))
    }
    assert.equal(bench.provider.received.length, PACKED.length)
  }
})

/** Refused before anything was forwarded; the sentence the agent reads. */
async function refused(bench: Bench, body: Buffer, encoding: string, reason: string): Promise<string> {
  const answer = await ask(bench, { body, headers: { 'content-encoding': encoding } })
  assert.equal(answer.headers['x-portcullis-reason'], reason, `${encoding}: ${answer.body}`)
  assert.ok(answer.status === 400 || answer.status === 403 || answer.status === 413)
  assert.equal(bench.provider.received.length, 0)
  assert.equal(bench.recorder.calls.at(-1)?.call.reason, reason)
  return answer.body
}

verifies('WIR-02 WIR-07 WIR-40', 'a compressed body hides nothing: another model, two models, broken and doubled encodings are refused', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  const mapped = { ...bench, grant: bench.wire.grant({ ...bench.request, runId: 'mapped', backgroundModels: 'map' }) }
  for (const [encoding, pack] of PACKED) {
    await refused(bench, pack('{"model":"other"}'), encoding, 'model_not_admitted')
    await refused(bench, pack('{"model":"coder-1","model":"other"}'), encoding, 'request_malformed')
    assert.match(await refused(mapped, pack('{"model":"other"}'), encoding, 'request_malformed'), /in which the wire rewrites nothing/)
    const packed = pack(QUESTION)
    assert.match(await refused(bench, packed.subarray(0, -3), encoding, 'request_malformed'), /cannot be undone|not valid JSON/)
    for (const behind of [pack('{"model":"other"}'), Buffer.alloc(1), Buffer.from('junk')]) await refused(bench, Buffer.concat([packed, behind]), encoding, 'request_malformed')
    assert.match(await refused(bench, Buffer.from(QUESTION), encoding, 'request_malformed'), /cannot be undone/)
    await refused(bench, pack(pack(QUESTION)), `${encoding}, ${encoding}`, 'request_malformed')
  }
  for (const encoding of ['deflate', 'compress', 'identity, gzip', 'gzip;q=1']) assert.match(await refused(bench, gzipSync(QUESTION), encoding, 'request_malformed'), /does not undo/)
})

verifies('WIR-40', 'a compressed bomb is refused once it holds more than a request may; what just fits is read', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  const holding = (bytes: number): Buffer => Buffer.from(`{"model":"coder-1","x":"${'x'.repeat(bytes - 26)}"}`)
  const [bomb, fits] = [Buffer.alloc(MAX_REQUEST_BYTES + 1, ' '), holding(MAX_REQUEST_BYTES)]
  assert.equal(fits.length, MAX_REQUEST_BYTES)
  for (const [encoding, pack] of [['gzip', gzipSync], ['zstd', zstdCompressSync]] as const) {
    const small = pack(bomb)
    assert.ok(small.length < bomb.length / 500)
    assert.match(await refused(bench, small, encoding, 'request_too_large'), /a compressed body that holds more than/)
  }
  // Brotli's own effort is spared: a low quality packs as tightly what is all the same.
  assert.match(await refused(bench, brotliCompressSync(bomb, { params: { 1: 1 } }), 'br', 'request_too_large'), /holds more than/)
  assert.equal((await ask(bench, { body: gzipSync(fits), headers: { 'content-encoding': 'gzip' } })).status, 200)
})

interface Spoken {
  readonly text: string
  readonly closed: boolean
}

/** Says something on a bare socket and hears it out to its end. */
function speak(bench: Bench, text: string): Promise<Spoken> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(bench.wire.address).port), '127.0.0.1', () => socket.write(text))
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.on('end', () => resolve({ text: got, closed: true }))
    socket.setTimeout(5_000, () => {
      resolve({ text: got, closed: false })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

verifies('WIR-10 WIR-05', 'a WebSocket is refused with 426, by which Codex goes on over HTTP at once; recorded, closed, nothing forwarded', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-responses', 'coder-1')), { dialect: 'openai-responses' })
  const paths = ['/v1/responses', '/responses', '/codex/responses', '/v1/codex/responses']
  for (const path of paths) {
    const { text, closed } = await speak(bench, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u0081\u0005hello`)
    assert.match(text, /^HTTP\/1\.1 426 Upgrade Required\r\n/)
    assert.match(text, /x-portcullis-reason: websocket_refused\r\n/)
    assert.match(text, /Ask over HTTP, with \\"stream\\": true/)
    assert.equal(closed, true)
  }
  const nobody = await speak(bench, 'GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n')
  assert.match(nobody.text, /^HTTP\/1\.1 4\d\d /)
  assert.match(nobody.text, /run_unknown/)
  assert.equal(bench.provider.received.length, 0)
  assert.deepEqual(bench.recorder.calls.map(({ call }) => [call.method, call.route, call.outcome, call.reason, call.clientStatus, call.inference]), paths.map((path) => ['GET', path, 'refused', 'websocket_refused', 426, false]))
  assert.equal((await ask(bench)).status, 200)
})

void test('a request that offers another HTTP beside itself is answered as it is', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  const { text } = await speak(bench, `POST ${ROUTE_OF['openai-chat']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: ${QUESTION.length}\r\n\r\n${QUESTION}`)
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  const [received] = bench.provider.received
  assert.deepEqual([received?.headers.upgrade, received?.headers['http2-settings'], received?.body.toString()], [undefined, undefined, QUESTION])
})

verifies('WIR-06 WIR-10', 'Gemini: its listing shows what may be asked; tokens are counted at the provider, and only for that', async (context) => {
  const bench = await startBench(context, (response) => json(response, { totalTokens: 12, promptTokensDetails: [] }), { dialect: 'gemini', aliases: ['deep'] })
  const listing: unknown = JSON.parse((await ask(bench, { method: 'GET', path: '/v1beta/models?pageSize=50' })).body)
  const model = (id: string): object => ({ name: `models/${id}`, baseModelId: id, version: '', displayName: id, supportedGenerationMethods: ['generateContent', 'countTokens'] })
  assert.deepEqual(listing, { models: [model('coder-1'), model('deep')] })
  assert.equal((await ask(bench, { path: '/v1beta/models/coder-1:countTokens' })).body, '{"totalTokens":12,"promptTokensDetails":[]}')
  assert.equal((await ask(bench, { path: '/v1beta/models/deep:countTokens' })).status, 200)
  assert.equal((await ask(bench, { path: '/v1beta/models/other:countTokens' })).status, 403)
  assert.equal((await ask(bench, { path: '/v1beta/models/coder-1:embedContent' })).status, 404)
  assert.deepEqual(bench.provider.received.map((request) => request.url), ['/v1beta/models/coder-1:countTokens', '/v1beta/models/coder-1:countTokens'])
  assert.deepEqual(bench.recorder.calls.map(({ call }) => [call.route, call.requestedModel, call.inference, call.outcome]), [
    ['/v1beta/models', null, false, 'answered'], ['/v1beta/models/coder-1:countTokens', 'coder-1', false, 'answered'], ['/v1beta/models/deep:countTokens', 'deep', false, 'answered'],
    ['/v1beta/models/other:countTokens', 'other', false, 'refused'], ['/v1beta/models/coder-1:embedContent', null, false, 'refused'],
  ])
})

verifies('WIR-02 WIR-10', 'Gemini: a mapped background model is asked as the admitted one, by its path alone', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('gemini', 'coder-1')), { dialect: 'gemini', backgroundModels: 'map' })
  const body = '{ "contents" : [] }'
  assert.equal((await ask(bench, { path: '/v1beta/models/flash-lite:streamGenerateContent?alt=sse', body })).status, 200)
  const [received] = bench.provider.received
  assert.deepEqual([received?.url, received?.body.toString()], ['/v1beta/models/coder-1:streamGenerateContent?alt=sse', body])
  assert.deepEqual([bench.recorder.only.requestedModel, bench.recorder.only.servedModel, bench.recorder.only.route], ['flash-lite', 'coder-1', '/v1beta/models/flash-lite:streamGenerateContent'])
})
