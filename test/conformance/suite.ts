import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Dialect } from '../../src/contract/model.ts'
import { until } from '../helpers/wire-harness.ts'
import { verifies } from '../verifies.ts'
import { type ConformanceBench, OBJECT, startConformance, TEXT } from './bench.ts'

export interface Asked {
  readonly prompt: string
  readonly model?: string
  readonly signal?: AbortSignal
}

/** A user of one SDK, as it comes: with its own retries, its own errors and its own idea of a stream. */
export interface Client {
  /** One answer, whole. */
  readonly say: (asked: Asked) => Promise<string>
  /** The same as a stream; `onText` hears each piece as it comes. Rejects where the SDK tells its user of an error. */
  readonly stream: (asked: Asked, onText: (text: string) => void) => Promise<string>
  /** Offers a tool `read`, answers its call with `content of <path>` and gives the final text. */
  useTool(prompt: string): Promise<string>
  /** Asks for `{ name, age }` by the SDK's own means. */
  object(prompt: string): Promise<unknown>
  /** The ids that the SDK's listing shows; undefined for an SDK without one. */
  list: (() => Promise<readonly string[]>) | undefined
}

export interface Conformance {
  readonly sdk: string
  readonly dialect: Dialect
  connect(address: string, token: string): Client
  /** What the SDK's error says of the HTTP status; undefined if it says none. */
  statusOf(error: unknown): number | undefined
  /** Whether the SDK asks again by itself when a provider is busy. */
  readonly retries: boolean
  /** How often it asks for an answer that the wire holds back with 502, its own retries included; undefined where waiting for them takes too long. */
  readonly asksAfterMismatch: number | undefined
}

const REFUSED_STATUS = { 'openai-chat': 403, 'openai-responses': 404, 'anthropic-messages': 403, gemini: 403 } as const

/** What an SDK shows to its user: the message of its error. */
async function messageOf(asking: Promise<unknown>): Promise<{ readonly message: string; readonly error: unknown }> {
  try {
    await asking
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), error }
  }
  return assert.fail('the SDK told its user of no error')
}

/** Every promise that an SDK makes to its user, kept through the real wire. */
export function conforms(by: Conformance): void {
  const start = async (context: TestContext, change?: Parameters<typeof startConformance>[2]): Promise<{ readonly bench: ConformanceBench; readonly client: Client }> => {
    const bench = await startConformance(context, by.dialect, change)
    return { bench, client: by.connect(bench.wire.address, bench.token) }
  }
  const named = (what: string): string => `${by.sdk}: ${what}`

  verifies('WIR-10 WIR-11', named('plain, streaming, tools and structured output pass, each call witnessed'), async (context) => {
    const { bench, client } = await start(context)
    assert.equal(await client.say({ prompt: 'say it' }), TEXT)
    const pieces: string[] = []
    assert.equal(await client.stream({ prompt: 'say it' }, (text) => pieces.push(text)), TEXT)
    assert.ok(pieces.length > 1)
    assert.equal(pieces.join(''), TEXT)
    assert.equal(await client.useTool('read a'), 'I have read it')
    assert.deepEqual(await client.object('an object'), OBJECT)
    const calls = bench.calls()
    assert.deepEqual(calls.map((call) => [call.outcome, call.dialect, call.requestedModel, call.servedModel, call.inference, call.usage !== null]), calls.map(() => ['answered', by.dialect, 'coder-1', 'coder-1', true, true]))
    assert.deepEqual(calls.slice(0, 4).map((call) => [call.stream, call.toolCalls]), [[false, false], [true, false], [false, true], [false, false]])
    assert.equal(calls.length, 5)
    assert.equal(bench.provider.requests().length, 5)
  })

  verifies('WIR-02 WIR-05', named('a refusal shows its reason, what was asked and what is admitted, and the SDK asks once'), async (context) => {
    const { bench, client } = await start(context)
    for (const asking of [client.say, (asked: Asked) => client.stream(asked, () => undefined)]) {
      const { message, error } = await messageOf(asking({ prompt: 'say it', model: 'small-fast' }))
      for (const part of ['model_not_admitted', 'Asked: scripted/small-fast.', 'Admitted: scripted/coder-1.', 'Ask for coder-1']) assert.ok(message.includes(part), `${by.sdk} says: ${message}`)
      assert.equal(by.statusOf(error), REFUSED_STATUS[by.dialect])
    }
    assert.deepEqual(bench.calls().map((call) => [call.outcome, call.reason, call.requestedModel]), [1, 2].map(() => ['refused', 'model_not_admitted', 'small-fast']))
    assert.equal(bench.provider.requests().length, 0)
  })

  verifies('WIR-05 WIR-23', named('a used-up budget and a token of nobody are told at once, and asked once'), async (context) => {
    const { bench, client } = await start(context, { limits: { calls: 0, tokens: 1, costUsd: null } })
    assert.match((await messageOf(client.say({ prompt: 'say it' }))).message, /budget_exhausted.*0 of 0 calls used/)
    assert.deepEqual(bench.calls().map((call) => call.reason), ['budget_exhausted'])
    const stranger = by.connect(bench.wire.address, 'sk-somebody-elses')
    assert.match((await messageOf(stranger.say({ prompt: 'say it' }))).message, /run_unknown.*Send the run token/)
    assert.equal(bench.wire.unboundRequests(), 1)
    assert.equal(bench.provider.requests().length, 0)
  })

  verifies('WIR-13 ADM-N16', named('errors of the provider arrive as the SDK knows them'), async (context) => {
    const { bench, client } = await start(context)
    for (const [prompt, status, text] of [['say no', 400, 'The script answers 400.'], ['say who are you', 401, 'Incorrect API key provided.']] as const) {
      const { message, error } = await messageOf(client.say({ prompt }))
      assert.equal(by.statusOf(error), status)
      assert.ok(message.includes(text), message)
    }
    assert.deepEqual(bench.calls().map((call) => [call.outcome, call.reason, call.clientStatus]), [['failed', 'provider_rejected', 400], ['failed', 'provider_auth', 401]])
  })

  verifies('WIR-13 WIR-32', named('Retry-After reaches the SDK, which asks again as it does without a wire'), async (context) => {
    const { bench, client } = await start(context)
    const asking = client.say({ prompt: 'say later' })
    if (by.retries) assert.equal(await asking, TEXT)
    else assert.equal(by.statusOf((await messageOf(asking)).error), 503)
    assert.deepEqual(bench.calls().map((call) => [call.outcome, call.clientStatus]), by.retries ? [['failed', 503], ['answered', 200]] : [['failed', 503]])
  })

  verifies('WIR-21', named('an answer of another model is an error for its user, who sees nothing of it'), async (context) => {
    const { bench, client } = await start(context)
    if (by.asksAfterMismatch === undefined) {
      const leaving = new AbortController()
      const asking = messageOf(client.say({ prompt: 'say as another', signal: leaving.signal }))
      await until(() => bench.calls().length === 1, 'the first call')
      leaving.abort()
      assert.ok(!(await asking).message.includes(TEXT))
    } else {
      const { message, error } = await messageOf(client.say({ prompt: 'say as another' }))
      assert.match(message, /served_model_mismatch.*served by coder-9; admitted coder-1/)
      assert.equal(by.statusOf(error), 502)
      assert.equal(bench.calls().length, by.asksAfterMismatch)
    }
    assert.ok(bench.calls().every((call) => call.reason === 'served_model_mismatch' && call.servedModel === 'coder-9'))
  })

  verifies('WIR-25', named('a stream that the provider cuts is an error for its user, never a clean end'), async (context) => {
    const { bench, client } = await start(context)
    const { message } = await messageOf(client.stream({ prompt: 'say half of it' }, () => undefined))
    assert.ok(message.length > 0)
    await until(() => bench.calls().length > 0, 'the record')
    assert.ok(bench.calls().every((call) => call.outcome === 'failed' && call.reason === 'answer_truncated'))
  })

  verifies('WIR-13', named('a user who aborts, while waiting or in mid-stream, ends the call at the provider'), async (context) => {
    const { bench, client } = await start(context)
    const waiting = new AbortController()
    const silent = messageOf(client.say({ prompt: 'say nothing', signal: waiting.signal }))
    await until(() => bench.provider.requests().length === 1, 'the request to arrive')
    waiting.abort()
    await silent
    await until(() => bench.calls().length === 1, 'the record of the first call')
    const streaming = new AbortController()
    const heard: string[] = []
    const cut = messageOf(client.stream({ prompt: 'say it slowly', signal: streaming.signal }, (text) => {
      heard.push(text)
      streaming.abort()
    }))
    await cut
    await until(() => bench.calls().length === 2, 'the record of the second call')
    assert.ok(heard.length > 0 && heard.join('') !== TEXT)
    assert.deepEqual(bench.calls().map((call) => [call.outcome, call.reason, call.clientStatus, call.stream]), [['failed', 'interrupted', null, false], ['failed', 'interrupted', null, true]])
    assert.equal(bench.provider.requests().length, 2)
  })

  verifies('WIR-06', named('its listing shows the admitted model and no other'), async (context) => {
    const { bench, client } = await start(context)
    if (client.list === undefined) return
    assert.deepEqual(await client.list(), ['coder-1'])
    assert.deepEqual(bench.calls().map((call) => [call.outcome, call.inference]), [['answered', false]])
    assert.equal(bench.provider.requests().length, 0)
  })
}
