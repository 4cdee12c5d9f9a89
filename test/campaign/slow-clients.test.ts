/** Clients that send so slowly that they hold a connection for nothing (slow-loris): their connections are ended, and others are served meanwhile. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { verifies } from '../verifies.ts'
import { answerBy, ask, type Bench, json, startBench, until } from '../helpers/wire-harness.ts'

const SLOW_CLIENTS = 200

/** Sends the beginning at once and then one byte a second, for ever. */
function trickle(bench: Bench, begin: string, more: string): { readonly socket: Socket; readonly ended: Promise<string> } {
  const socket = connect(Number(new URL(bench.wire.address).port), '127.0.0.1', () => socket.write(begin))
  let got = ''
  const timer = setInterval(() => {
    if (socket.writable) socket.write(more)
  }, 1_000)
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
  // A byte that was under way when the wire hung up; what counts is what came back before.
  socket.on('error', () => undefined)
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(got)))
  ended.finally(() => clearInterval(timer)).catch(() => undefined)
  return { socket, ended }
}

verifies('WIR-40', 'two hundred clients that never end their headers, and as many that never end their body, are told so and let go; nothing is forwarded', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')), { limits: { calls: 10_000, tokens: 100_000_000, costUsd: null } })
  const line = 'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n'
  const inHeaders = Array.from({ length: SLOW_CLIENTS }, () => trickle(bench, line, 'X'))
  const inBody = Array.from({ length: SLOW_CLIENTS }, () => trickle(bench, `${line}Authorization: Bearer ${bench.grant.token}\r\nContent-Length: 100000\r\n\r\n{"model":"coder-1",`, ' '))
  const slow = [...inHeaders, ...inBody]
  context.after(() => slow.forEach(({ socket }) => socket.destroy()))
  await until(() => slow.every(({ socket }) => !socket.connecting), 'the slow clients to be connected')
  assert.equal((await ask(bench)).status, 200, 'an honest client is served beside them')
  for (const { ended } of slow) {
    const got = await ended
    assert.match(got, /^HTTP\/1\.1 408 /)
    assert.match(got, /a request that did not arrive whole in time/)
  }
  assert.equal((await ask(bench)).status, 200)
  assert.equal(bench.provider.received.length, 2)
  // Those whose headers named a run stand in its record; the others belong to nobody.
  await until(() => bench.recorder.calls.length === SLOW_CLIENTS + 2, 'a record of each slow body')
  assert.equal(bench.recorder.calls.filter(({ call }) => call.outcome === 'refused').length, SLOW_CLIENTS)
})
