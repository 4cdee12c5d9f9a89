import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { answerBy, ask, eventsBy, json, SECRET, SPOKEN, SSE, startBench, until } from '../../../test/helpers/wire-harness.ts'
import type { CredentialSource } from '../../gates/catalog/index.ts'
import { createCredentials } from '../credentials/index.ts'
import { needlesOf } from '../secret-scan/index.ts'

verifies('WIR-21', 'an answer by another model, or by none, is refused in each dialect before one byte of it reaches the agent', async (context) => {
  for (const dialect of SPOKEN) {
    for (const [model, reason] of [['coder-9', 'served_model_mismatch'], [undefined, 'served_model_unknown']] as const) {
      for (const streamed of [false, true]) {
        const bench = await startBench(context, (response) => (streamed ? response.writeHead(200, SSE).end(eventsBy(dialect, model).join('')) : json(response, answerBy(dialect, model))), { dialect })
        const answer = await ask(bench)
        assert.equal(answer.status, 502)
        assert.equal(answer.headers['x-portcullis-reason'], reason)
        assert.equal(answer.headers['x-should-retry'], 'false')
        assert.ok(!answer.body.includes('SECRET-TEXT'))
        assert.equal(answer.body.includes('"type":"error"'), dialect === 'anthropic-messages')
        const call = bench.recorder.only
        assert.deepEqual([call.outcome, call.reason, call.servedModel, call.requestedModel, call.clientStatus, call.providerStatus], ['failed', reason, model ?? null, 'coder-1', 502, 200])
        assert.equal(call.stream, streamed)
      }
    }
  }
})

verifies('WIR-11 WIR-43', 'a stream reaches the agent byte for byte, however it is cut into pieces', async (context) => {
  for (const dialect of SPOKEN) {
    const whole = Buffer.from(eventsBy(dialect, 'coder-1').join(''))
    const bench = await startBench(context, (response) => void drip(response, whole, 11), { dialect })
    const answer = await ask(bench)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'text/event-stream')
    assert.equal(answer.body, whole.toString())
    assert.equal(answer.complete, true)
    const call = bench.recorder.only
    assert.deepEqual([call.outcome, call.servedModel, call.stream, call.usage?.inputTokens, call.usage?.outputTokens, call.responseBytes], ['answered', 'coder-1', true, 7, 3, whole.length])
  }
})

/** Writes a few bytes a turn of the event loop, so that the wire sees many small pieces. */
async function drip(response: { write(piece: Buffer): boolean; end(): unknown; writeHead(status: number, headers: Readonly<Record<string, string>>): unknown }, whole: Buffer, size: number): Promise<void> {
  response.writeHead(200, SSE)
  for (let at = 0; at < whole.length; at += size) {
    response.write(whole.subarray(at, at + size))
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

verifies('WIR-21', 'a stream that changes its model is cut: the agent gets an error event and no clean end', async (context) => {
  for (const dialect of SPOKEN) {
    const good = eventsBy(dialect, 'coder-1').slice(0, 1)
    const bench = await startBench(context, (response) => {
      response.writeHead(200, SSE).write(good.join(''))
      onceSent.then(() => response.write(eventsBy(dialect, 'coder-9').join('')), () => response.destroy())
    }, { dialect })
    let sent: () => void = () => undefined
    const onceSent = new Promise<void>((resolve) => (sent = resolve))
    const answer = await ask(bench, { onData: () => sent() })
    assert.equal(answer.status, 200)
    assert.equal(answer.complete, false)
    assert.ok(answer.body.startsWith(good.join('')))
    assert.ok(answer.body.includes('served_model_mismatch'))
    assert.ok(!answer.body.includes('SECRET-TEXT'))
    assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.servedModel], ['failed', 'served_model_mismatch', 'coder-9'])
  }
})

verifies('WIR-22', 'the last bytes of an answer wait for its evidence: a JSON answer whole, a stream from its last event on', async (context) => {
  for (const dialect of SPOKEN) {
    for (const streamed of [false, true]) {
      const events = eventsBy(dialect, 'coder-1')
      const bench = await startBench(context, (response) => (streamed ? response.writeHead(200, SSE).end(events.join('')) : json(response, answerBy(dialect, 'coder-1'))), { dialect })
      bench.recorder.holding = true
      let soFar = ''
      let done = false
      const asking = ask(bench, { onData: (text) => (soFar = text) }).then((answer) => {
        done = true
        return answer
      })
      await until(() => bench.recorder.waiting === 1, 'the evidence to be on its way')
      assert.ok(!soFar.includes(events.at(-1) ?? ''))
      if (!streamed) assert.equal(soFar, '')
      assert.equal(done, false)
      assert.equal(bench.grant.calls().length, 0)
      bench.recorder.release()
      const answer = await asking
      assert.equal(answer.complete, true)
      assert.equal(answer.body, streamed ? events.join('') : JSON.stringify(answerBy(dialect, 'coder-1')))
      assert.equal(bench.grant.calls().length, 1)
    }
  }
})

verifies('WIR-22', 'if the evidence cannot be stored, the answer ends in an error and the call is counted as not recorded', async (context) => {
  for (const dialect of SPOKEN) {
    const bench = await startBench(context, (response) => json(response, answerBy(dialect, 'coder-1')), { dialect })
    bench.recorder.failing = true
    const answer = await ask(bench)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['x-portcullis-reason'], 'evidence_unavailable')
    assert.ok(!answer.body.includes('SECRET-TEXT'))
    assert.equal(bench.grant.unrecordedCalls(), 1)
    assert.deepEqual(bench.grant.calls(), [])

    let first: () => void = () => undefined
    const firstRead = new Promise<void>((resolve) => (first = resolve))
    const events = eventsBy(dialect, 'coder-1')
    const streaming = await startBench(context, (response) => {
      response.writeHead(200, SSE).write(events[0])
      firstRead.then(() => response.end(events.slice(1).join('')), () => response.destroy())
    }, { dialect })
    streaming.recorder.failing = true
    const cut = await ask(streaming, { onData: () => first() })
    assert.equal(cut.complete, false)
    assert.ok(cut.body.includes('evidence_unavailable'))
    assert.ok(!cut.body.includes(events.at(-1) ?? ''))
    assert.equal(streaming.grant.unrecordedCalls(), 1)
  }
})

void test('a refusal, a greeting and a listing whose evidence cannot be stored say so', async (context) => {
  const bench = await startBench(context, (response) => json(response, {}))
  bench.recorder.failing = true
  for (const question of [{ body: '{"model":"other"}' }, { method: 'GET', path: '/v1/models' }, { method: 'HEAD', path: '/' }]) {
    const answer = await ask(bench, question)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['x-portcullis-reason'], 'evidence_unavailable')
  }
  assert.equal(bench.grant.unrecordedCalls(), 3)
})

verifies('WIR-25', 'an answer that the provider cuts never ends cleanly for the agent', async (context) => {
  for (const dialect of SPOKEN) {
    const events = eventsBy(dialect, 'coder-1')
    for (const how of ['reset', 'early end'] as const) {
      const bench = await startBench(context, (response) => {
        response.writeHead(200, SSE).write(events[0])
        read.then(() => (how === 'reset' ? response.destroy() : response.end(events[1])), () => response.destroy())
      }, { dialect })
      let seen: () => void = () => undefined
      const read = new Promise<void>((resolve) => (seen = resolve))
      const answer = await ask(bench, { onData: () => seen() })
      assert.equal(answer.complete, false, `${dialect} ${how}`)
      assert.ok(answer.body.includes('answer_truncated'))
      assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason], ['failed', 'answer_truncated'])
    }
    const json = await startBench(context, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"model":"coder-1"')
      setImmediate(() => response.destroy())
    }, { dialect })
    const answer = await ask(json)
    assert.equal(answer.status, 502)
    assert.equal(answer.headers['x-portcullis-reason'], 'answer_truncated')
  }
})

void test('garbage, a compressed answer and a redirect are malformed, and a redirect is not followed', async (context) => {
  const plays: readonly Parameters<typeof startBench>[1][] = [
    (response) => json(response, 'not json at all'),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    (response) => response.writeHead(204).end(),
    (response) => json(response, answerBy('openai-chat', 'coder-1'), 200, { 'content-encoding': 'gzip' }),
    (response) => response.writeHead(200, SSE).end('data: {"model":"coder-1"}\n\ndata: {oops\n\n'),
    (response, number) => (number === 1 ? response.writeHead(307, { location: '/v1/chat/completions' }).end() : json(response, answerBy('openai-chat', 'coder-1'))),
    (response) => response.socket?.end('this is not HTTP\r\n\r\n'),
  ]
  for (const play of plays) {
    const bench = await startBench(context, play)
    const answer = await ask(bench)
    assert.equal(answer.status, 502, play.toString())
    assert.equal(answer.headers['x-portcullis-reason'], 'provider_malformed')
    assert.equal(answer.headers.location, undefined)
    assert.equal(bench.provider.received.length, 1)
    assert.equal(bench.recorder.only.reason, 'provider_malformed')
  }
})

verifies('WIR-13 ADM-N16', 'errors of the provider pass through with status, body and headers, and are classified', async (context) => {
  const cases = [[400, 'provider_rejected'], [401, 'provider_auth'], [403, 'provider_auth'], [404, 'provider_model_unknown'], [429, 'provider_rate_limited'], [500, 'provider_overloaded'], [529, 'provider_overloaded']] as const
  for (const dialect of SPOKEN) {
    const body = { error: { message: 'as the provider says it', type: 'x' } }
    const bench = await startBench(context, (response, number) => json(response, body, cases[number - 1]?.[0] ?? 500, { 'retry-after': '2', 'x-ratelimit-remaining': '7', 'x-request-id': `id-${number}`, 'set-cookie': 'a=b' }), { dialect })
    for (const [status, reason] of cases) {
      const answer = await ask(bench)
      assert.deepEqual([answer.status, answer.body, answer.headers['retry-after'], answer.headers['x-ratelimit-remaining'], answer.headers['set-cookie']], [status, JSON.stringify(body), '2', '7', undefined])
      const call = bench.recorder.calls.at(-1)?.call
      assert.deepEqual([call?.outcome, call?.reason, call?.providerStatus, call?.clientStatus, call?.servedModel, call?.providerRequestId], ['failed', reason, status, status, null, `id-${bench.recorder.calls.length}`])
    }
  }
})

verifies('WIR-41 SEC-01', 'a credential that the provider sends back reaches neither the agent nor the evidence', async (context) => {
  const key = (response: { req: { headers: Record<string, unknown> } }): string => String(response.req.headers['authorization'] ?? response.req.headers['x-api-key'] ?? response.req.headers['x-goog-api-key']).replace('Bearer ', '')
  const spelt = (text: string): string => JSON.stringify({ error: { message: `wrong key ${text}` } }).replaceAll('/', '\\/')
  const unicode = (text: string): string => [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const escaped = (answer: object, text: string): string => JSON.stringify(answer).replace('SECRET-TEXT', unicode(text))
  for (const dialect of SPOKEN) {
    const bench = await startBench(context, (response, number) => {
      const sent = key(response)
      assert.equal(sent, SECRET)
      if (number === 1) json(response, { error: { message: `wrong key ${sent}` } }, 401, { 'x-echo': sent, 'x-request-id': sent })
      else if (number === 2) json(response, spelt(sent), 400)
      else if (number === 3) json(response, { ...answerBy(dialect, 'coder-1'), echo: sent })
      else if (number === 4) response.writeHead(200, SSE).end(eventsBy(dialect, 'coder-1').join('').replace('SECRET-TEXT', sent))
      else if (number === 5) json(response, answerBy(dialect, sent))
      else if (number === 6) json(response, escaped(answerBy(dialect, 'coder-1'), sent))
      else if (number === 7) json(response, escaped(answerBy(dialect, 'coder-1'), sent), 400)
      else response.writeHead(200, SSE).end(eventsBy(dialect, 'coder-1').map((event) => event.replace('SECRET-TEXT', unicode(sent))).join(''))
    }, { dialect })
    const answers = []
    for (let number = 1; number <= 8; number += 1) answers.push(await ask(bench))
    assert.deepEqual(answers.map((answer) => answer.status), [401, 400, 502, 502, 502, 502, 400, 502])
    assert.match(answers[0]?.body ?? '', /wrong key \*{10}/)
    assert.deepEqual(answers.slice(2, 4).map((answer) => answer.headers['x-portcullis-reason']), ['secret_leak', 'secret_leak'])
    for (const text of [JSON.stringify(answers), JSON.stringify(bench.recorder.calls)]) {
      for (const form of [SECRET, JSON.stringify(SECRET).slice(1, -1), SECRET.replaceAll('/', '\\/'), unicode(SECRET).replaceAll('\\', '\\\\'), bench.grant.token]) assert.ok(!text.includes(form), `${dialect}: ${text}`)
    }
    assert.deepEqual(bench.credentials.knownValues(), [SECRET])
  }
})

verifies('WIR-41 SEC-01', 'whatever source a credential comes from: an error that repeats it in another encoding reaches nobody, nor does an escape in what is no JSON', async (context) => {
  const home = temporaryDirectory(context)
  writeFileSync(join(home, 'key'), SECRET)
  writeFileSync(join(home, 'oauth.json'), JSON.stringify({ claudeAiOauth: { accessToken: SECRET } }))
  const sources: readonly CredentialSource[] = [
    { source: 'env', name: 'PROVIDER_KEY', class: 'c' },
    { source: 'file', path: '~/key', class: 'c' },
    { source: 'command', command: ['/bin/cat', join(home, 'key')], class: 'c' },
    { source: 'oauth-file', path: '~/oauth.json', class: 'c' },
  ]
  const escaped = [...SECRET].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const echoes = [...needlesOf(SECRET).map((needle) => needle.bytes), Buffer.from(escaped)]
  for (const source of sources) {
    const credentials = createCredentials({ environment: { PROVIDER_KEY: SECRET }, homeDirectory: home })
    const bench = await startBench(context, (response, number) => void response.writeHead(401, { 'content-type': 'text/plain' }).end(Buffer.concat([Buffer.from('event: error, wrong key '), echoes[number - 1] ?? Buffer.from(SECRET)])), { credentials })
    const grant = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r1-2', provider: { ...bench.request.provider, credential: source } })
    for (const echo of echoes) {
      const answer = await ask({ ...bench, grant })
      assert.equal(answer.status, 401)
      assert.match(answer.body, /^event: error, wrong key [*=]+$/, `${source.source}: ${echo.toString()}`)
    }
    assert.equal(bench.provider.received.at(-1)?.headers.authorization, `Bearer ${SECRET}`, source.source)
    assert.ok(!JSON.stringify(bench.recorder.calls).includes(SECRET))
  }
})
