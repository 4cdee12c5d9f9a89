/** WIR-40 in one place: what is too large, cannot be read without a guess, or hides something is refused with its reason, and nothing of it is forwarded. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Dialect } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import { refused } from '../../../test/helpers/refused.ts'
import { verifies } from '../../../test/verifies.ts'
import { answerBy, ask, type Bench, json, QUESTION, SPOKEN, startBench, until } from '../../../test/helpers/wire-harness.ts'
import { MAX_HEADER_BYTES, MAX_REQUEST_BYTES } from './limits.ts'

const served = (context: TestContext, change: Parameters<typeof startBench>[2] = {}): Promise<Bench> =>
  startBench(context, (response) => json(response, answerBy(change.dialect ?? 'openai-chat', 'coder-1')), change)

verifies('WIR-40', 'limits: a body, a target and headers that are too long', async (context) => {
  const bench = await served(context)
  const large = `{"model":"coder-1","x":"${'x'.repeat(MAX_REQUEST_BYTES)}"}`
  await refused(bench, { body: large }, 'request_too_large', 413)
  await refused(bench, { body: large, chunked: true }, 'request_too_large', 413)
  await refused(bench, { path: `/v1/chat/completions?x=${'y'.repeat(5_000)}` }, 'request_malformed', 400)
  assert.equal((await ask(bench, { method: 'GET', path: '/v1/models', headers: { 'x-long': 'x'.repeat(MAX_HEADER_BYTES - 1_024) } })).status, 200)
  const answer = await ask(bench, { headers: { 'x-long': 'x'.repeat(MAX_HEADER_BYTES) } })
  assert.deepEqual([answer.status, answer.headers['x-portcullis-reason']], [431, 'request_too_large'])
  assert.equal(bench.provider.received.length, 0)
})

/** Bodies in which two parsers, or a parser and a reader, could see two models. */
const TWO_FACED = [
  '{"model":"coder-1","model":"other"}',
  '{"model":"other","model":"coder-1"}',
  '{"model":"coder-1","model":"coder-1"}',
  '{"model":"coder-1","mod\\u0065l":"other"}',
  '{"mod\\u0065l":"coder-1"}',
  '{"\\u006d\\u006f\\u0064\\u0065\\u006c":"other","model":"coder-1"}',
  '{"model":"coder-1","Model":"other"}',
  '{"model":"coder-1","MODEL":"other"}',
  '{"model":["coder-1"]}',
  '{"model":{"name":"coder-1"}}',
  '{"model":null}',
  '{"model":""}',
]

/** Bodies in which a model stands, but not as the one that is asked for. */
const ELSEWHERE = [
  '{"messages":[{"model":"coder-1"}]}',
  '{"request":{"model":"coder-1"}}',
  '{"text":"\\"model\\":\\"coder-1\\""}',
  '["model","coder-1"]',
  '"{\\"model\\":\\"coder-1\\"}"',
]

const NOT_ONE_OBJECT = ['', ' ', '{', '[]', 'null', '{"model":"coder-1"', '{"model":"coder-1"} trailing', '{"model":"coder-1"}{"model":"other"}', '{"model":"coder-1",}', "{'model':'coder-1'}", '{"model":"coder-1"}\u0000', '// c\n{"model":"coder-1"}', '{"model":"coder-1","x":NaN}']

verifies('WIR-40', 'duplicate, escaped, nested and quoted models, and what is no single JSON object', async (context) => {
  // Gemini names its model in the path; what its bodies may say beside it is in gemini's own tests.
  for (const dialect of SPOKEN.filter((spoken) => spoken !== 'gemini')) {
    const bench = await served(context, { dialect })
    const status = dialect === 'anthropic-messages' ? 403 : 400
    for (const body of [...TWO_FACED, ...ELSEWHERE, ...NOT_ONE_OBJECT]) await refused(bench, { body }, 'request_malformed', status)
  }
})

verifies('WIR-40', 'the same where every other model is mapped onto the admitted one: mapping is no licence to guess', async (context) => {
  const bench = await served(context, { backgroundModels: 'map' })
  for (const body of [...TWO_FACED, ...ELSEWHERE, ...NOT_ONE_OBJECT]) await refused(bench, { body }, 'request_malformed', 400)
})

verifies('WIR-40', 'bytes that are no UTF-8, a byte order mark, UTF-16 and UTF-32', async (context) => {
  const bench = await served(context)
  const text = '{"model":"coder-1"}'
  const bodies = [
    Buffer.from('{"model":"coder-1","x":"\xff"}', 'latin1'),
    Buffer.from('{"model":"coder-1\xc0\xaf"}', 'latin1'),
    Buffer.from('{"model":"coder-1","x":"\xed\xa0\x80"}', 'latin1'),
    Buffer.from(`\uFEFF${text}`),
    Buffer.from(text, 'utf16le'),
    Buffer.from(`\uFEFF${text}`, 'utf16le'),
    Buffer.concat([...text].map((character) => Buffer.from([0, 0, 0, character.charCodeAt(0)]))),
    // "model" in UTF-7, which old readers of JSON tried.
    Buffer.from('{"+AG0-odel":"coder-1"}'),
  ]
  for (const body of bodies) await refused(bench, { body }, 'request_malformed', 400)
})

verifies('WIR-40', 'JSON that nests too deep or has too many members, whatever else it says', async (context) => {
  const bench = await served(context)
  for (const open of ['[', '{"a":']) await refused(bench, { body: `{"model":"coder-1","x":${open.repeat(1_000_000)}` }, 'request_malformed', 400)
  await refused(bench, { body: `{"model":"coder-1","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}` }, 'request_malformed', 400)
  await refused(bench, { body: `{"model":"coder-1",${Array.from({ length: 100_000 }, (_unused, index) => `"k${index}":1`).join(',')}}` }, 'request_malformed', 400)
})

verifies('WIR-40', 'compressed bodies: a bomb is unpacked no further than the limit, and what cannot be undone is not guessed at', async (context) => {
  const bench = await served(context)
  const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, 0x20))
  for (const coding of ['gzip', 'GZIP']) await refused(bench, { body: bomb, headers: { 'content-encoding': coding } }, 'request_too_large', 413)
  for (const coding of ['br', 'deflate', 'zstd', 'gzip, gzip', 'identity, gzip']) await refused(bench, { body: bomb, headers: { 'content-encoding': coding } }, 'request_malformed', 400)
  await refused(bench, { body: bomb }, 'request_malformed', 400)
  await refused(bench, { body: gzipSync(QUESTION), chunked: true, headers: { 'transfer-encoding': 'gzip, chunked' } }, 'request_malformed', 400)
  await refused(bench, { body: QUESTION, chunked: true, headers: { 'transfer-encoding': 'gzip, chunked' } }, 'request_malformed', 400)
})

/** Writes bytes as they are and gives all that came back until the wire closed the connection. */
function raw(bench: Bench, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(bench.wire.address).port), '127.0.0.1', () => socket.write(text, 'latin1'))
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.on('close', () => resolve(got))
    socket.on('error', reject)
  })
}

/** Each with a whole and admitted question behind it, which must not be reached. */
const SMUGGLING: Readonly<Record<string, readonly [headers: string, body: string]>> = {
  'a length and chunks': ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  'chunks and a length': ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'],
  'two lengths': ['Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'],
  'the same length twice': ['Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'],
  'a list of lengths': ['Content-Length: 5, 5\r\n', 'hello'],
  'a signed length': ['Content-Length: +5\r\n', 'hello'],
  'a hexadecimal length': ['Content-Length: 0x5\r\n', 'hello'],
  'an empty length': ['Content-Length: \r\n', ''],
  'a space before the colon': ['Content-Length : 5\r\n', 'hello'],
  'a space before the colon of the coding': ['Transfer-Encoding : chunked\r\n', '0\r\n\r\n'],
  'an unknown coding': ['Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
  'the coding identity': ['Transfer-Encoding: identity\r\n', ''],
  'two codings': ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'],
  'chunked twice': ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  'chunked, and then another': ['Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'],
  'a folded header': ['X-Folded: 1\r\n 2\r\nContent-Length: 0\r\n', ''],
  'a folded coding': ['Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'],
  'a bare line feed': ['X-Bare: 1\nContent-Length: 0\r\n', ''],
  'a bare carriage return': ['X-Bare: 1\rContent-Length: 0\r\n', ''],
  'a NUL in a header': ['X-Nul: 1\x002\r\nContent-Length: 0\r\n', ''],
  'a space in the name of a header': ['X Space: 1\r\nContent-Length: 0\r\n', ''],
  'a negative chunk': ['Transfer-Encoding: chunked\r\n', '-1\r\nhello\r\n0\r\n\r\n'],
  'a chunk with a prefix': ['Transfer-Encoding: chunked\r\n', '0x5\r\nhello\r\n0\r\n\r\n'],
  'a chunk of no number': ['Transfer-Encoding: chunked\r\n', 'g\r\nhello\r\n0\r\n\r\n'],
  'a chunk that overflows': ['Transfer-Encoding: chunked\r\n', 'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n'],
  'a chunk that is longer than it says': ['Transfer-Encoding: chunked\r\n', '5\r\nhelloX0\r\n\r\n'],
  'a chunk that ends in line feeds': ['Transfer-Encoding: chunked\r\n', '5\nhello\n0\n\n'],
  'a chunk with a space': ['Transfer-Encoding: chunked\r\n', '5 \r\nhello\r\n0\r\n\r\n'],
  'a chunk with an endless extension': ['Transfer-Encoding: chunked\r\n', `5;a=${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
  'a length behind the body': ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n'],
}

verifies('WIR-40', 'smuggled framing: where a request ends is never a guess, and what stands behind a refused one is not read', async (context) => {
  const bench = await served(context)
  const request = (headers: string): string => `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\n${headers}\r\n`
  const behind = `${request(`Content-Length: ${QUESTION.length}\r\n`)}${QUESTION}`
  for (const [name, [headers, body]] of Object.entries(SMUGGLING)) {
    const got = await raw(bench, `${request(headers)}${body}${behind}`)
    assert.match(got, /^HTTP\/1\.1 4\d\d [A-Z]/, name)
    assert.match(got, /\r\nx-portcullis-reason: request_(?:malformed|too_large)\r\n/, name)
    assert.equal(got.match(/HTTP\/1\.1 \d{3} /g)?.length, 1, `${name}: one answer, not two`)
    const answer: unknown = JSON.parse(got.slice(got.indexOf('\r\n\r\n')))
    assert.ok(typeof answer === 'object' && answer !== null && 'portcullis' in answer, name)
    assert.equal(bench.provider.received.length, 0, name)
  }
  assert.deepEqual(new Set(bench.recorder.calls.map(({ call }) => `${call.outcome} ${call.reason}`)), new Set(['refused interrupted', 'refused request_malformed']))
  assert.ok((await raw(bench, behind.replace('\r\n', '\r\nConnection: close\r\n'))).startsWith('HTTP/1.1 200 '), 'the question behind is one that is answered by itself')
})

verifies('WIR-40', 'what is no HTTP/1.1 request to this address', async (context) => {
  const bench = await served(context)
  const rest = `Authorization: Bearer ${bench.grant.token}\r\nConnection: close\r\nContent-Length: ${QUESTION.length}\r\n\r\n${QUESTION}`
  const requests = {
    'no Host': `POST /v1/chat/completions HTTP/1.1\r\n${rest}`,
    'two Hosts': `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n${rest}`,
    'another address in the target': `POST http://evil.example/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
    'a target with a space': `POST /v1/chat completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
    'lines without carriage return': `POST /v1/chat/completions HTTP/1.1\nHost: 127.0.0.1\n${rest}`,
    'a version that does not exist': `POST /v1/chat/completions HTTP/1.2\r\nHost: 127.0.0.1\r\n${rest}`,
    'a method in another case': `post /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'an expectation': `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-maybe\r\n${rest}`,
    TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'a dotted path': `POST /v1/../v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
    'an escaped path': `POST /v1/chat%2fcompletions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
    'a doubled slash': `POST //v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`,
  }
  for (const [name, text] of Object.entries(requests)) {
    assert.match(await raw(bench, text), /^HTTP\/1\.1 4\d\d /, name)
    assert.equal(bench.provider.received.length, 0, name)
  }
  assert.equal(await raw(bench, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'), '')
})

verifies('WIR-40', 'fields behind a chunked body: they name no run, no model and no host, and the request is refused', async (context) => {
  const bench = await served(context)
  const second = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r1-2' })
  const size = QUESTION.length.toString(16)
  for (const trailer of [`Authorization: Bearer ${second.token}`, 'X-Trailer: 1', 'Host: evil.example', 'Content-Encoding: gzip']) {
    for (const announced of ['', 'Trailer: X-Trailer\r\n']) {
      const got = await raw(bench, `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\nConnection: close\r\n${announced}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${QUESTION}\r\n0\r\n${trailer}\r\n\r\n`)
      assert.match(got, /^HTTP\/1\.1 400 /)
      assert.match(got, /behind the body/)
    }
  }
  assert.equal(bench.provider.received.length, 0)
  assert.deepEqual([bench.grant.calls().length, second.calls().length], [8, 0])
})

verifies('WIR-40', 'a request that breaks off in its body is recorded, and nothing of it is forwarded', async (context) => {
  const bench = await served(context)
  for (const framing of [`Content-Length: ${QUESTION.length + 1}\r\n\r\n${QUESTION}`, `Transfer-Encoding: chunked\r\n\r\n${QUESTION.length.toString(16)}\r\n${QUESTION}\r\n`]) {
    const before = bench.recorder.calls.length
    const socket = connect(Number(new URL(bench.wire.address).port), '127.0.0.1')
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\n${framing}`, () => setImmediate(() => socket.destroy()))
    await until(() => bench.recorder.calls.length > before, 'the record of the broken request')
    assert.equal(bench.recorder.calls.at(-1)?.call.outcome, 'refused')
  }
  assert.equal(bench.provider.received.length, 0)
})

verifies('WIR-40', 'something unreadable behind an answer that is under way cuts it, and never stands in it', async (context) => {
  const bench = await startBench(context, (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"model":"coder-1","choices":[{"delta":{"content":"a"}}]}\n\ndata: {"model":"coder-1","choices":[{"delta":{"content":"b"}}]}\n\n'))
  const socket = connect(Number(new URL(bench.wire.address).port), '127.0.0.1')
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${bench.grant.token}\r\nContent-Length: ${QUESTION.length}\r\n\r\n${QUESTION}`)
  let got = ''
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    if (got === '') socket.write('\x00\x00not a request\r\n\r\n')
    got += chunk.toString()
  })
  await closed
  assert.equal(got.match(/HTTP\/1\.1 \d{3} /g)?.length, 1)
  assert.ok(!got.includes('request_malformed'))
  assert.ok(!got.endsWith('0\r\n\r\n'), 'no clean end')
})

const BESIDE: readonly (readonly [dialect: Dialect, body: string, reason: Reason])[] = [
  ['openai-chat', '{"model":"coder-1","models":["coder-1","other"]}', 'request_malformed'],
  ['openai-chat', '{"model":"coder-1","api_base":"https://elsewhere.example"}', 'request_malformed'],
  ['openai-chat', '{"model":"coder-1","web_search_options":{}}', 'provider_tool_not_allowed'],
  ['openai-responses', '{"model":"coder-1","tools":[{"type":"mcp","server_url":"https://elsewhere.example"}]}', 'provider_tool_not_allowed'],
  ['openai-responses', '{"model":"coder-1","tools":[{"type":"image_generation","model":"other"}]}', 'model_not_admitted'],
  ['anthropic-messages', '{"model":"coder-1","mcp_servers":[{"type":"url","url":"https://elsewhere.example"}]}', 'provider_tool_not_allowed'],
  ['anthropic-messages', '{"model":"coder-1","tools":[{"type":"advisor_1","name":"advisor","model":"other"}]}', 'model_not_admitted'],
  ['gemini', '{"contents":[],"tools":[{"urlContext":{}}]}', 'provider_tool_not_allowed'],
]

verifies('WIR-07', 'a request that has the provider ask another model, run a tool or reach a server is recorded and not forwarded', async (context) => {
  for (const [dialect, body, reason] of BESIDE) {
    const bench = await served(context, { dialect })
    for (const sent of [{ body }, { body: gzipSync(body), headers: { 'content-encoding': 'gzip' } }]) assert.equal((await ask(bench, sent)).headers['x-portcullis-reason'], reason)
    assert.deepEqual(bench.recorder.calls.map(({ call }) => [call.outcome, call.reason]), [['refused', reason], ['refused', reason]])
    assert.equal(bench.provider.received.length, 0)
  }
})

verifies('WIR-07', 'no header of an agent chooses another model, path, method or account at a gateway in front of the provider', async (context) => {
  const bench = await served(context)
  const names = ['x-portkey-config', 'X-Portkey-Custom-Host', 'Helicone-Fallbacks', 'cf-aig-custom-cost', 'x-litellm-tags', 'X-Forwarded-Host', 'Forwarded', 'X-Original-URL', 'x_rewrite_url', 'X-HTTP-Method-Override', 'OpenAI-Organization', 'openai-project', 'x-goog-user-project']
  assert.equal((await ask(bench, { headers: { ...Object.fromEntries(names.map((name) => [name, 'elsewhere'])), 'x-stainless-lang': 'js' } })).status, 200)
  const [received] = bench.provider.received
  assert.deepEqual(Object.entries(received?.headers ?? {}).filter(([, value]) => value === 'elsewhere'), [])
  assert.equal(received?.headers['x-stainless-lang'], 'js')
})
