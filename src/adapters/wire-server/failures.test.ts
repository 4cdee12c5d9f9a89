import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { createCredentials } from '../credentials/index.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { verifies } from '../../../test/verifies.ts'
import { answerBy, ask, eventsBy, json, portOf, settled, SPOKEN, SSE, startBench, until } from '../../../test/helpers/wire-harness.ts'
import { startWire } from './index.ts'

verifies('ADM-N16', 'a provider that refuses the connection, or hangs up without a word, is unreachable', async (context) => {
  const closed = createServer()
  closed.listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const port = portOf(closed.address())
  closed.close()
  await once(closed, 'close')
  const nobody = await startBench(context, () => undefined, { baseUrl: `http://127.0.0.1:${port}/v1` })
  const hangingUp = await startBench(context, (response) => void response.destroy())
  for (const bench of [nobody, hangingUp]) {
    const answer = await ask(bench)
    assert.equal(answer.status, 502)
    assert.equal(answer.headers['x-portcullis-reason'], 'provider_unreachable')
    assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.providerStatus, bench.recorder.only.responseDigest], ['failed', 'provider_unreachable', null, null])
  }
})

verifies('WIR-33 ADM-N16', 'each of the time limits of a provider ends the call as provider_timeout', async (context) => {
  const silent = await startBench(context, () => undefined, { timeouts: { firstByte: '60ms' } })
  const stalling = await startBench(context, (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'), { timeouts: { idle: '60ms' } })
  const endless = await startBench(context, (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 5)
    response.on('close', () => clearInterval(timer))
  }, { timeouts: { total: '120ms', idle: '1s' } })
  for (const [bench, found] of [[silent, /no first byte within 60ms/], [stalling, /no byte for 60ms/], [endless, /no whole answer within 120ms/]] as const) {
    const answer = await ask(bench)
    assert.equal(answer.status, 504)
    assert.equal(answer.headers['x-portcullis-reason'], 'provider_timeout')
    assert.match(bench.recorder.only.detail ?? '', found)
    await until(() => bench.provider.aborted() === 1, 'the provider to be let go')
  }
})

void test('a stream that stalls after it began is cut with the reason in it', async (context) => {
  for (const dialect of SPOKEN) {
    const bench = await startBench(context, (response) => void response.writeHead(200, SSE).write(eventsBy(dialect, 'coder-1')[0]), { dialect, timeouts: { idle: '60ms' } })
    const answer = await ask(bench)
    assert.equal(answer.complete, false)
    assert.ok(answer.body.includes('provider_timeout'))
    assert.equal(bench.recorder.only.reason, 'provider_timeout')
  }
})

verifies('WIR-13', 'an agent that leaves ends the provider\'s work: while waiting, and in mid-stream; each is recorded once', async (context) => {
  for (const streaming of [false, true]) {
    const bench = await startBench(context, (response) => {
      if (streaming) response.writeHead(200, SSE).write(eventsBy('openai-chat', 'coder-1')[0])
    })
    const leaving = new AbortController()
    const asking = ask(bench, { signal: leaving.signal, onData: () => leaving.abort() }).then(() => 'answered', () => 'left')
    await until(() => bench.provider.received.length === 1, 'the request to arrive')
    const began = performance.now()
    if (!streaming) leaving.abort()
    await asking
    await until(() => bench.provider.aborted() === 1, 'the provider to see the end')
    if (!streaming) assert.ok(performance.now() - began < 500)
    await until(() => bench.recorder.calls.length === 1, 'the record')
    assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.clientStatus], ['failed', 'interrupted', null])
  }
})

verifies('WIR-55', 'waves of agents that leave while queued, waiting and in mid-stream leave nothing stuck', async (context) => {
  let leaving = true
  const bench = await startBench(context, (response, number) => {
    if (!leaving) json(response, answerBy('openai-chat', 'coder-1'))
    else if (number % 2 === 0) response.writeHead(200, SSE).write(eventsBy('openai-chat', 'coder-1')[0])
  }, { limits: { calls: 10_000, tokens: 100_000_000, costUsd: null } })
  for (let wave = 0; wave < 3; wave += 1) {
    await Promise.all(Array.from({ length: 60 }, (_, index) => {
      const gone = new AbortController()
      const asking = ask(bench, { signal: gone.signal, onData: () => gone.abort() }).then(() => undefined, () => undefined)
      if (index % 3 === 0) setImmediate(() => gone.abort())
      else until(() => bench.provider.received.length > 0, 'the first request').then(() => setImmediate(() => gone.abort()), () => gone.abort())
      return asking
    }))
  }
  leaving = false
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask(bench)))
  assert.ok(answers.every((answer) => answer.status === 200))
  await bench.grant.revoke()
  const numbers = bench.recorder.calls.map(({ call }) => call.number)
  assert.equal(new Set(numbers).size, numbers.length)
  assert.equal(bench.grant.unrecordedCalls(), 0)
  assert.equal(numbers.length, Math.max(...numbers), 'every request that was bound has its record')
})

verifies('WIR-13', 'a slow reader slows the provider down instead of filling memory', async (context) => {
  const piece = `data: ${JSON.stringify({ model: 'coder-1', choices: [{ delta: { content: 'x'.repeat(60_000) } }] })}\n\n`
  const total = 1_000
  let written = 0
  const bench = await startBench(context, (response) => {
    response.writeHead(200, SSE)
    const pump = (): void => {
      while (written < total) {
        written += 1
        if (!response.write(piece)) return void response.once('drain', pump)
      }
      response.end('data: [DONE]\n\n')
    }
    pump()
    // Sixty megabytes take a busy machine a while.
  }, { timeouts: { idle: '60s', total: '120s' } })
  let resume: () => void = () => undefined
  const asking = ask(bench, {
    onHead: (answer) => {
      answer.pause()
      resume = () => void answer.resume()
    },
  })
  await until(() => written > 0, 'the first piece')
  await settled(() => written)
  assert.ok(written < total / 2, `${written} of ${total} pieces taken while the agent did not read`)
  resume()
  const answer = await asking
  assert.equal(answer.complete, true)
  assert.equal(answer.body.length, total * piece.length + 'data: [DONE]\n\n'.length)
})

void test('revoking a grant refuses later requests, cuts the open ones and waits for their evidence', async (context) => {
  const bench = await startBench(context, (response, number) => {
    if (number === 1) response.writeHead(200, SSE).write(eventsBy('openai-chat', 'coder-1')[0])
  })
  let begun = false
  const streaming = ask(bench, { onData: () => (begun = true) })
  const waiting = ask(bench)
  await until(() => begun && bench.provider.received.length === 2, 'both calls to be under way')
  bench.recorder.holding = true
  let revoked = false
  const revoking = bench.grant.revoke().then(() => (revoked = true))
  await until(() => bench.recorder.waiting === 2, 'both records')
  assert.equal(revoked, false)
  bench.recorder.release()
  await revoking
  assert.deepEqual(bench.grant.calls().map(({ call }) => [call.outcome, call.reason]), [['failed', 'interrupted'], ['failed', 'interrupted']])
  assert.equal((await streaming).complete, false)
  assert.equal((await waiting).headers['x-portcullis-reason'], 'interrupted')
  assert.equal((await ask(bench)).headers['x-portcullis-reason'], 'run_unknown')
  await until(() => bench.provider.aborted() === 2, 'the provider to be let go')
  assert.notEqual(bench.grant.lastActivityAt(), undefined)
})

verifies('SEC-01', 'a missing credential is a refusal that says where it was looked for; nothing is forwarded', async (context) => {
  const credentials = createCredentials({ environment: {}, homeDirectory: '/nowhere' })
  for (const dialect of SPOKEN) {
    const bench = await startBench(context, (response) => json(response, answerBy(dialect, 'coder-1')), { dialect, credentials })
    const answer = await ask(bench)
    assert.equal(answer.headers['x-portcullis-reason'], 'credential_unavailable')
    assert.ok(answer.body.includes('PROVIDER_KEY'))
    assert.ok(answer.status < 500)
    assert.equal(bench.provider.received.length, 0)
    assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.inference], ['refused', 'credential_unavailable', true])
  }
})

void test('a fault of the wire itself is recorded and never becomes an answer', async (context) => {
  const broken = { credentialFor: () => Promise.reject(new RangeError('with sk-provider-secret in it')), knownValues: () => [], mark: () => Promise.resolve('none') }
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')), { credentials: broken })
  await assert.rejects(ask(bench))
  assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.detail], ['failed', 'gate_crashed', 'the wire threw RangeError'])
})

void test('a port that is taken is a fault that says which', async (context) => {
  const bench = await startBench(context, () => undefined)
  const port = Number(new URL(bench.wire.address).port)
  await assert.rejects(startWire({ recorder: bench.recorder, credentials: bench.credentials, clock: () => new Date(0), port, thresholds: undefined }), (error) => error instanceof PortcullisError && error.code === 'port_taken' && error.message.includes(String(port)))
})
