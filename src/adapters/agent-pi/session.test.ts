import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { AgentExit, AgentSession } from '../../engine/agent.ts'
import { launchOf, profile, requestFor, turnFor } from '../../../test/helpers/agents.ts'
import { piAgent } from './index.ts'

const output = { head: Buffer.alloc(0), tail: Buffer.alloc(0), bytes: 0, sha256: '', truncated: false }
const exit: AgentExit = { code: 0, signal: null, stdout: output, stderr: output, leaked: false, durationMs: 1, readFailure: null }
const soon = (): AbortSignal => AbortSignal.timeout(10_000)

interface ScriptedPi {
  readonly session: AgentSession
  readonly written: string[]
  print(record: object | string): void
  end(): void
  readonly inputClosed: () => boolean
}

/** A session over a pi whose every word is given: for what the real one does only now and then. */
async function scriptedPi(context: TestContext, answer: (command: { id: string; type: string }, pi: Pick<ScriptedPi, 'print' | 'end'>) => void): Promise<ScriptedPi> {
  const adapter = piAgent({ program: undefined, directory: import.meta.dirname })
  const launch = launchOf(await adapter.plan(requestFor(context, { profile })))
  const ended = Promise.withResolvers<AgentExit>()
  const written: string[] = []
  let inputClosed = false
  let print = (_record: object | string): void => undefined
  const end = (): void => ended.resolve(exit)
  const session = await adapter.open(
    launch,
    (onStdout) => {
      print = (record) => onStdout(Buffer.from(`${typeof record === 'string' ? record : JSON.stringify(record)}\n`))
      return Promise.resolve({
        pid: 4242,
        exited: ended.promise,
        write: (text) => {
          written.push(text)
          answer(JSON.parse(text) as { id: string; type: string }, { print, end })
          return Promise.resolve()
        },
        closeStdin: () => {
          inputClosed = true
        },
        stop: () => Promise.resolve(end()),
      })
    },
    () => new Date(),
  )
  return { session, written, print: (record) => print(record), end, inputClosed: () => inputClosed }
}

const accepting = ({ id, type }: { id: string; type: string }, pi: Pick<ScriptedPi, 'print'>): void => pi.print({ id, type: 'response', command: type, success: true })
const assistant = (message: object): object => ({ type: 'message_end', message: { role: 'assistant', ...message } })

test('a turn for another prompt, for another process, or used up, writes nothing', async (context) => {
  const { session, written } = await scriptedPi(context, accepting)
  const turn = await turnFor('one', 4242)
  await assert.rejects(session.deliver(turn, 'two', soon()), { code: 'proof_forged' })
  await assert.rejects(session.deliver(await turnFor('one', 4243), 'one', soon()), { code: 'proof_forged' })
  await assert.rejects(session.deliver({ ...turn }, 'one', soon()), { code: 'proof_forged' })
  assert.deepEqual([written, session.state()], [[], 'idle'])
  assert.equal((await session.deliver(turn, 'one', soon())).ok, true)
  await assert.rejects(session.deliver(turn, 'one', soon()), { code: 'proof_forged' })
  assert.equal(written.length, 1)
})

test('a pi that ends, or is silent, before it gave a receipt has not received the prompt', async (context) => {
  const ending = await scriptedPi(context, (_command, pi) => pi.end())
  const gone = await ending.session.deliver(await turnFor('x', 4242), 'x', soon())
  assert.equal(gone.ok ? '' : gone.refusal.found, 'pi ended before it gave a receipt')
  const silent = await scriptedPi(context, () => undefined)
  const late = await silent.session.deliver(await turnFor('x', 4242), 'x', AbortSignal.timeout(50))
  assert.equal(late.ok ? '' : late.refusal.found, 'pi gave no receipt in the time given')
})

test('what pi says of its state is read strictly: garbage, a failure and silence are no answer', async (context) => {
  for (const data of [undefined, null, 'idle', {}, { isStreaming: 'no' }, { isStreaming: false, model: 'coder-1' }]) {
    const { session } = await scriptedPi(context, ({ id }, pi) => pi.print({ id, type: 'response', command: 'get_state', success: true, data }))
    assert.equal((await session.ready(soon())).responded, false, JSON.stringify(data))
  }
  const failing = await scriptedPi(context, ({ id }, pi) => pi.print({ id, type: 'response', command: 'get_state', success: false, data: { isStreaming: false } }))
  assert.equal((await failing.session.ready(soon())).responded, false)
  const silent = await scriptedPi(context, (_command, pi) => pi.print('Warning: no model "coder-1"'))
  assert.equal((await silent.session.ready(AbortSignal.timeout(50))).responded, false)
})

test('a pi without a model says so, and one that is busy is running', async (context) => {
  const answering = (state: object) => ({ id }: { id: string }, pi: Pick<ScriptedPi, 'print'>): void => pi.print({ id, type: 'response', command: 'get_state', success: true, data: state })
  const empty = await scriptedPi(context, answering({ isStreaming: false, thinkingLevel: 'off' }))
  assert.deepEqual((await empty.session.ready(soon())).claims, { model: '(none)', provider: '(none)', version: null, effort: null })
  assert.equal(empty.session.state(), 'idle')
  const busy = await scriptedPi(context, answering({ isStreaming: true, model: { id: 'coder-1', provider: 'scripted' } }))
  assert.equal((await busy.session.ready(soon())).responded, true)
  assert.equal(busy.session.state(), 'running')
})

test('its input is closed when it has settled, and not before', async (context) => {
  const pi = await scriptedPi(context, accepting)
  await pi.session.deliver(await turnFor('x', 4242), 'x', soon())
  pi.print({ type: 'agent_end', willRetry: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(pi.inputClosed(), false)
  pi.print({ type: 'agent_settled' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(pi.inputClosed(), true)
})

for (const [name, records, claimed, claim] of [
  ['settled on an answer', [assistant({ stopReason: 'stop', content: [{ type: 'text', text: 'Done' }] }), { type: 'agent_settled' }], 'completed', 'Done'],
  ['settled on an error', [assistant({ stopReason: 'error', errorMessage: '401' }), { type: 'agent_settled' }], 'failed', '401'],
  ['settled on a cut answer', [assistant({ stopReason: 'length', content: [] }), { type: 'agent_settled' }], 'failed', 'pi stopped: length'],
  ['recovered from an error', [assistant({ stopReason: 'error', errorMessage: '529' }), assistant({ stopReason: 'stop', content: [{ type: 'text', text: 'Done' }] }), { type: 'agent_settled' }], 'completed', 'Done'],
  ['ended on an error before it settled', [assistant({ stopReason: 'error', errorMessage: '401' })], 'failed', '401'],
  ['was aborted before it settled', [assistant({ stopReason: 'aborted' })], 'failed', 'pi stopped: aborted'],
  ['ended after an answer, unsettled', [assistant({ stopReason: 'stop', content: [{ type: 'text', text: 'Done' }] })], null, 'Done'],
  ['settled without a word', [{ type: 'agent_settled' }], null, ''],
  ['said nothing', [], null, ''],
] as const) {
  test(`a pi that ${name} claims ${claimed ?? 'nothing'}, though it exits with 0`, async (context) => {
    const pi = await scriptedPi(context, accepting)
    for (const record of records) pi.print(record)
    pi.end()
    const outcome = await pi.session.finished
    assert.deepEqual([outcome.exit.code, outcome.claimedStatus, outcome.claim], [0, claimed, claim])
  })
}
