import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION, scenario } from '../e2e/scenario.ts'
import { type Collector, startCollector } from '../helpers/collector.ts'
import { type ServedApi, servedApi, ServerEnded } from '../helpers/served-api.ts'
import { until } from '../helpers/served-wire.ts'

/** What the agent is asked to do, and what the model answers: neither is anybody's business but theirs. */
const SAID = /Implement|slugify\(|It is done\./

const View = z.object({ run: z.object({ state: z.string() }), running: z.boolean(), ending: z.object({ exit_code: z.int() }).nullable() })

async function runOver(served: ServedApi): Promise<{ readonly run: string; readonly state: string; readonly exitCode: number | undefined }> {
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml' } })
  const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
  let view: z.infer<typeof View> | undefined
  for (const limit = performance.now() + 60_000; view?.running !== false && performance.now() < limit; await new Promise((resolve) => setTimeout(resolve, 50))) view = View.parse((await served.ask(`/runs/${run}`, { token: served.admin })).json())
  return { run, state: view?.run.state ?? 'unknown', exitCode: view?.ending?.exit_code }
}

const metric = async (served: ServedApi, name: string): Promise<number> => {
  const { text } = await served.ask('/metrics', { token: served.admin })
  return text.split('\n').filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const settings = ({ endpoint, address }: Collector, timeout: string) => ({ endpoint, allow: { addresses: [address] }, timeout })

test('a collector over HTTP is told of a run, each of its verdicts and each call, and of nothing that was said', async (context) => {
  const [made, collector] = [await scenario(context), await startCollector(context)]
  made.set(CONFIGURATION, ['server'], { telemetry: settings(collector, '5s') })
  const served = await servedApi(context, made.directory)
  const { run, state } = await runOver(served)
  assert.equal(state, 'accepted')
  const of = (name: RegExp) => collector.spans.filter((span) => span.attributes['portcullis.run.id'] === run && name.test(span.name))
  await until(() => of(/^run$/).length === 1, 'the span of the run')
  // The server tells at the end what it has not told yet.
  await served.end()
  const gates = of(/^gate /).map(({ attributes }) => attributes['portcullis.gate.name'])
  for (const gate of ['catalog', 'admission', 'health', 'launch', 'wire', 'acceptance', 'report']) assert.ok(gates.includes(gate), gate)
  const calls = of(/^chat coder-1$/)
  assert.ok(calls.some(({ attributes }) => attributes['portcullis.call.purpose'] === 'agent' && attributes['gen_ai.request.model'] === 'coder-1' && attributes['gen_ai.response.model'] === 'coder-1' && Number(attributes['gen_ai.usage.input_tokens']) > 0), JSON.stringify(calls))
  assert.equal(new Set([...of(/./)].map(({ traceId }) => traceId)).size, 1)
  const told = collector.bodies.join('\n')
  assert.doesNotMatch(told, SAID)
  for (const secret of [served.admin, made.directory]) assert.equal(told.includes(secret), false)
})

test('a collector that hangs or answers 500 changes no verdict, holds up no call, and its losses are counted', async (context) => {
  const [made, collector] = [await scenario(context), await startCollector(context)]
  made.set(CONFIGURATION, ['server'], { telemetry: settings(collector, '1m') })
  collector.behave = () => undefined
  const hanging = await servedApi(context, made.directory, { arguments: ['--drain', '1s'] })
  assert.deepEqual((await runOver(hanging)).state, 'accepted')
  assert.equal(await hanging.end(), 0)
  collector.behave = (answer) => void answer.writeHead(500).end()
  const refusing = await servedApi(context, made.directory)
  assert.deepEqual((await runOver(refusing)).state, 'accepted')
  for (const limit = performance.now() + 20_000; (await metric(refusing, 'portcullis_spans_lost_total{loss="refused"}')) === 0; ) {
    assert.ok(performance.now() < limit, 'the losses to be counted')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(await metric(refusing, 'portcullis_spans_sent_total'), 0)
  assert.equal((await refusing.ask('/readyz')).status, 200)
})

test('without telemetry nothing is sent, and a collector whose address nobody allowed is a server that does not start', async (context) => {
  const [made, collector] = [await scenario(context), await startCollector(context)]
  const silent = await servedApi(context, made.directory)
  assert.equal((await runOver(silent)).state, 'accepted')
  await silent.end()
  assert.deepEqual(collector.bodies, [])
  made.set(CONFIGURATION, ['server'], { telemetry: { endpoint: collector.endpoint, timeout: '5s' } })
  await assert.rejects(servedApi(context, made.directory), (error: unknown) => error instanceof ServerEnded && error.code === 2 && /OpenTelemetry/.test(error.message))
  assert.deepEqual(collector.bodies, [])
})
