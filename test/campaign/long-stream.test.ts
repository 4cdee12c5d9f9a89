/** A stream of a gigabyte, to an agent that reads slowly at first: what was passed on is not kept (WIR-13). */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { SECRET } from '../helpers/wire-harness.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const GIBIBYTE = 2 ** 30
const SAMPLES = 64
/** From the first half of the stream to the second; half a gibibyte passes in between. */
const MOST_GROWTH_MB = 64

/** With as much memory as it likes V8 collects late, and its laziness looks like a leak; in little, a leak ends the process. */
const SMALL_HEAP = ['--max-old-space-size=64', '--max-semi-space-size=8']

const event = (content: string, more: object = {}): Buffer => Buffer.from(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'coder-1', choices: [{ index: 0, delta: { content }, finish_reason: null }], ...more })}\n\n`)
const LONG = event('y'.repeat(65_536))

/** Writes events as fast as they are taken, until a gibibyte is through. */
async function pour(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let bytes = 0; bytes < GIBIBYTE; bytes += LONG.length) if (!response.write(LONG)) await once(response, 'drain')
  response.end(Buffer.concat([event('', { usage: { prompt_tokens: 1, completion_tokens: 1 } }), Buffer.from('data: [DONE]\n\n')]))
}

async function startProvider(context: TestContext): Promise<string> {
  const server = createServer((incoming, response) => {
    incoming.resume()
    incoming.once('end', () => void pour(response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

const Ready = z.object({ address: z.string(), token: z.string() })
const residentMb = ({ pid }: ChildProcess): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

verifies('WIR-13', 'a gibibyte that is streamed leaves the memory of the wire as it was, also while the agent does not read', async (context) => {
  const place = temporaryDirectory(context)
  const wire = fork(join(import.meta.dirname, '../fixtures/programs/wire-over-ledger.ts'), [join(place, 'ledger.db'), await startProvider(context)], { execArgv: SMALL_HEAP, env: { ...process.env, PROVIDER_KEY: SECRET } })
  context.after(() => wire.kill())
  const { address, token } = Ready.parse(await new Promise((resolve) => wire.once('message', resolve)))
  const outgoing = request(`${address}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } })
  outgoing.end('{"model":"coder-1","stream":true,"messages":[]}')
  const answer = await new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve))
  // Nothing is read for a while: the provider could have written hundreds of megabytes by then.
  await delay(2_000)
  const stalled = residentMb(wire)
  const samples: number[] = []
  let bytes = 0
  let last = ''
  answer.on('data', (read: Buffer) => {
    bytes += read.length
    last = read.subarray(-16).toString()
    if (bytes > (samples.length + 1) * (GIBIBYTE / SAMPLES)) samples.push(residentMb(wire))
  })
  await once(answer, 'end')
  assert.ok(bytes > GIBIBYTE, `${bytes} bytes`)
  assert.match(last, /\[DONE\]\n\n$/)
  assert.ok(stalled < 300, `${stalled} MB while the agent did not read`)
  const [first, second] = [samples.slice(0, SAMPLES / 2), samples.slice(SAMPLES / 2)].map((half) => Math.max(...half))
  const shown = samples.map((megabytes) => megabytes.toFixed(0)).join(' ')
  assert.ok(first !== undefined && second !== undefined && second - first < MOST_GROWTH_MB && second < 500, `MB in use, in the course of the stream: ${shown}`)
})
