import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createRunToken } from '../../src/contract/ids.ts'
import type { Dialect } from '../../src/contract/model.ts'
import { RUNTIME_CAPABILITIES, type SessionRuntime } from '../../src/engine/sessions/runtime.ts'
import type { Profile } from '../../src/gates/catalog/index.ts'
import type { ScriptedProvider, ScriptedToolCall } from '../../src/adapters/scripted-provider/index.ts'
import { openLive, type Opened, providerFor } from '../helpers/live-sessions.ts'
import { verifies } from '../verifies.ts'

export interface RuntimeUnderTest {
  readonly name: string
  runtime(): SessionRuntime
  readonly dialect: Dialect
  /** What stands behind the provider's address in the base URL. */
  readonly path: string
  readonly profile?: Partial<Profile>
  /** A tool that has to ask, under a profile that asks; undefined where nothing asks. */
  readonly asking?: { readonly call: (workspace: string) => ScriptedToolCall; readonly profile: Partial<Profile>; readonly effect: (workspace: string) => string }
  /** How the model answers in a schema; undefined where it cannot be held to one. */
  readonly structured?: { readonly text?: string; readonly toolCalls?: ScriptedToolCall[] }
  readonly skip?: string | false
}

const SCHEMA = { type: 'object', properties: { verdict: { type: 'string' } }, required: ['verdict'], additionalProperties: false }

/** What every runtime must hold, each claim of its manifest by what it does against a model server. */
export function sessionRuntimeSuite(under: RuntimeUnderTest): void {
  const called = (what: string): string => `${under.name}: ${what}`
  /** Skipped by name where its program is absent. */
  const here = (body: (context: TestContext) => Promise<void>) => async (context: TestContext): Promise<void> => (typeof under.skip === 'string' ? context.skip(under.skip) : await body(context))

  verifies('MC-037', called('a message enters with a receipt, ends by the runtime\'s own channel, and the next one is a turn of its own'), here(async (context) => {
    const { opened, provider } = await started(context, under)
    const { session, events, send } = opened
    assert.equal(session.state(), 'ready')
    const first = await send('the first message', { turnId: 'T-1.1' })
    assert.equal(first.outcome, 'delivered', JSON.stringify(first))
    const { ended } = await events.next('turn_end')
    assert.deepEqual([ended.outcome, ended.finalMessage, ended.startTokens], ['completed', 'Answer one.', null])
    assert.ok(ended.durationMs > 0)
    assert.equal(session.state(), 'ready')
    const from = events.all.length
    assert.equal((await send('the second message', { turnId: 'T-1.2' })).outcome, 'delivered')
    const second = await events.next('turn_end', from)
    assert.deepEqual([second.turnId, second.ended.finalMessage, second.ended.startTokens], ['T-1.2', 'Answer two.', ended.endTokens])
    assert.deepEqual(asked(provider, 'turns[1]'), 1)
    assert.equal(asked(provider, 'turns[2]'), 1)
  }))

  verifies('MC-030 MC-031 MC-033', called('a busy session refuses before a byte is written, and no trace of the refused message is anywhere'), here(async (context) => {
    const { opened, provider } = await started(context, under)
    const { session, events, send } = opened
    assert.equal((await send('hang on this')).outcome, 'delivered')
    await reached(provider, 1)
    const refused = await send('the second message')
    assert.deepEqual(refused, { outcome: 'refused', state: 'running', written: false, found: 'status=running' })
    assert.equal(await session.interrupt(AbortSignal.timeout(15_000)), true)
    const { turnId, ended } = await events.next('turn_end')
    assert.deepEqual([turnId, ended.outcome], ['T-1.1', 'interrupted'], ended.found)
    const from = events.all.length
    // The interrupted session is of use again, and only what was delivered is in its conversation.
    assert.equal((await send('the first message', { turnId: 'T-1.2' })).outcome, 'delivered')
    const next = await events.next('turn_end', from)
    assert.equal(next.ended.finalMessage, 'Answer one.')
    assert.equal(asked(provider, 'turns[2]'), 0)
    assert.doesNotMatch(session.raw().content.toString('utf8'), /the second message/)
  }))

  verifies('MC-033', called('of two that come at once exactly one enters'), here(async (context) => {
    const { opened, provider } = await started(context, under)
    const both = await Promise.all([opened.send('the first message', { turnId: 'T-1.1' }), opened.send('the second message', { turnId: 'T-1.2' })])
    assert.deepEqual(both.map(({ outcome }) => outcome), ['delivered', 'refused'])
    await opened.events.next('turn_end')
    assert.deepEqual([asked(provider, 'turns[1]'), asked(provider, 'turns[2]')], [1, 0])
    assert.equal(opened.events.of('turn_end').length, 1)
  }))

  verifies('MC-044', called('a runtime that is killed in its turn ends that turn as unknown, and gets nothing more'), here(async (context) => {
    const { opened, provider } = await started(context, under)
    const { session, events, send } = opened
    assert.equal((await send('hang on this')).outcome, 'delivered')
    await reached(provider, 1)
    process.kill(session.process.pid, 'SIGKILL')
    await events.next('session_end')
    assert.deepEqual(events.of('turn_end').map(({ turnId, ended }) => [turnId, ended.outcome, ended.finalMessage]), [['T-1.1', 'unknown', null]])
    assert.equal((await send('the second message')).outcome, 'dead')
    assert.equal(session.state(), 'closed')
    assert.equal(asked(provider, 'turns[2]'), 0)
  }))

  verifies('MC-060', called('words of the model about itself end nothing'), here(async (context) => {
    const { opened } = await started(context, under)
    await opened.send('say the words')
    const { ended } = await opened.events.next('turn_end')
    assert.equal(ended.outcome, 'completed')
    assert.deepEqual([ended.structured, opened.events.of('turn_end').length], [null, 1])
  }))

  const { asking } = under
  if (asking !== undefined) {
    for (const [allow, what] of [[true, 'allowed'], [false, 'refused']] as const) {
      void test(called(`a tool that has to ask waits, and what is ${what} ${allow ? 'happens' : 'does not happen'}`), here(async (context) => {
        const { opened } = await started(context, under, asking.profile)
        const { session, events, request, send } = opened
        await send('write the file')
        const { requestId } = await events.next('permission')
        assert.equal(session.state(), 'needs_input')
        assert.equal((await send('the second message')).outcome, 'refused')
        assert.equal(existsSync(asking.effect(request.workspace)), false)
        assert.equal(await session.answer('another', true), false)
        assert.equal(await session.answer(requestId, allow), true)
        await events.next('turn_end')
        assert.equal(existsSync(asking.effect(request.workspace)), allow)
        assert.equal(await session.answer(requestId, true), false)
      }))
    }
  }

  if (under.structured !== undefined) {
    verifies('MC-060', called('an answer in the schema that was asked for comes as data, apart from its words'), here(async (context) => {
      const { opened } = await started(context, under)
      await opened.send('answer in the schema', { schema: SCHEMA })
      const { ended } = await opened.events.next('turn_end')
      assert.deepEqual([ended.outcome, ended.structured], ['completed', { verdict: 'yes' }])
    }))
  } else {
    verifies('MC-060', called('a schema that the runtime cannot be held to is refused before a byte is written'), here(async (context) => {
      const { opened, provider } = await started(context, under)
      const refused = await opened.send('answer in the schema', { schema: SCHEMA })
      assert.deepEqual([refused.outcome, refused.outcome === 'refused' && refused.written, inference(provider)], ['refused', false, 0])
    }))
  }

  void test(`${under.name}: its manifest claims what is tested here, and no more`, () => {
    const { manifest } = under.runtime()
    assert.deepEqual(Object.keys(manifest).sort(), [...RUNTIME_CAPABILITIES].sort())
    assert.equal(manifest.permission_callback !== 'none', asking !== undefined)
    assert.equal(manifest.structured_result !== 'none', under.structured !== undefined)
    // Nothing here resumes a session, and every test needs the other six.
    assert.equal(manifest.resume, 'none')
    for (const name of ['busy_signal', 'delivery_receipt', 'turn_identity', 'terminal_signal', 'interrupt', 'wire_binding'] as const) assert.notEqual(manifest[name], 'none', name)
  })
}

async function started(context: TestContext, under: RuntimeUnderTest, change: Partial<Profile> = {}): Promise<{ readonly opened: Opened; readonly provider: ScriptedProvider }> {
  const runToken = createRunToken()
  const write = under.asking?.call('WORKSPACE') ?? { name: 'none', arguments: {} }
  const provider = await providerFor(context, {
    // Who comes without the run token gets no answer: the binding of the manifest.
    requireKey: runToken,
    turns: [
      { when: { lastTool: '.' }, answer: { text: 'The tool was used.' } },
      { when: { lastUser: 'the first message' }, answer: { text: 'Answer one.' } },
      { when: { lastUser: 'the second message' }, answer: { text: 'Answer two.' } },
      { when: { lastUser: 'write the file' }, answer: { toolCalls: [write] } },
      { when: { lastUser: 'answer in the schema' }, answer: under.structured ?? { text: 'never' } },
      { when: { lastUser: 'say the words' }, answer: { text: 'DONE: all of it.\nQUESTION: which file?' } },
      // Its fault sends half of it: some runtimes give no receipt before the model has begun to answer.
      { when: { lastUser: 'hang on this' }, answer: { text: 'The first half of an answer whose second half never comes.' } },
    ],
    faults: [{ on: { lastUser: 'hang on this' }, fault: { stall: true } }],
  })
  const opened = await openLive(context, { runtime: under.runtime(), dialect: under.dialect, baseUrl: `${provider.url}${under.path}`, runToken, profile: { ...under.profile, ...change } })
  const ready = await opened.session.ready(AbortSignal.timeout(30_000))
  assert.deepEqual(ready, { ok: true }, opened.session.raw().content.toString('utf8').slice(-2_000))
  return { opened, provider }
}

const asked = (provider: ScriptedProvider, row: string): number => provider.requests().filter(({ answeredBy }) => answeredBy === row).length
const inference = (provider: ScriptedProvider): number => provider.requests().filter((request) => request.inference).length

/** Waits until the model server has been asked so often. */
async function reached(provider: ScriptedProvider, count: number): Promise<void> {
  while (inference(provider) < count) await new Promise((resolve) => setImmediate(resolve))
}
