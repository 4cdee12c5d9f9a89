import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WITNESS } from './configuration.ts'
import { ClaudeProtocol } from './protocol.ts'

const said = (...records: readonly object[]): ClaudeProtocol => {
  const protocol = new ClaudeProtocol('coder-1')
  protocol.onStdout(Buffer.from(`no JSON\n${records.map((record) => JSON.stringify(record)).join('\n')}\n`))
  return protocol
}

const INIT = { type: 'system', subtype: 'init', model: 'coder-1', claude_code_version: '2.1.329' }
const STOP = { type: 'system', subtype: 'hook_response', hook_event: 'Stop', exit_code: 0, stderr: '' }
const START = { type: 'system', subtype: 'hook_response', hook_event: 'SessionStart', exit_code: 0, stderr: `${WITNESS}\n` }
const RESULT = { type: 'result', subtype: 'success', is_error: false, num_turns: 3, result: 'Done.', terminal_reason: 'completed' }
const HELLO = { type: 'control_response', response: { subtype: 'success', request_id: 'portcullis-hello' } }
const line = { write: () => Promise.resolve(), closeStdin: () => undefined }

test('only a result without an error, after a turn, on the planned model and with the hook beside it is completed', () => {
  assert.deepEqual(said(INIT, STOP, RESULT).claim(), { claimedStatus: 'completed', claim: 'Done.' })
  const failures: readonly [readonly object[], RegExp][] = [
    [[INIT, STOP, { ...RESULT, is_error: true, result: 'API Error: 529' }], /success: completed: API Error: 529/],
    [[INIT, STOP, { ...RESULT, subtype: 'error_during_execution' }], /error_during_execution/],
    [[INIT, STOP, { ...RESULT, num_turns: 0 }], /without a turn/],
    [[INIT, RESULT], /hook Stop was never called/],
    [[{ ...INIT, model: 'claude-opus-5-5' }, STOP, RESULT], /runs on claude-opus-5-5, planned coder-1/],
    [[INIT, { type: 'system', subtype: 'model_fallback', original_model: 'coder-1', fallback_model: 'haiku' }, STOP, RESULT], /fell back from coder-1 to haiku/],
    // The later result, of a helper that went on, must not cover the earlier one.
    [[INIT, STOP, { ...RESULT, is_error: true }, RESULT], /success/],
  ]
  for (const [records, found] of failures) {
    const { claimedStatus, claim } = said(...records).claim()
    assert.equal(claimedStatus, 'failed')
    assert.match(claim, found)
  }
})

test('without a result it has said nothing, and one that does not say whether it is an error is none', () => {
  assert.equal(said(INIT, STOP).claim().claimedStatus, null)
  const { is_error: _without, ...incomplete } = RESULT
  assert.equal(said(INIT, STOP, incomplete).claim().claimedStatus, null)
})

test('it is ready when it has answered and the hook of our settings was called, and not before', async () => {
  const late = Symbol('late')
  const readiness = (...records: readonly object[]): Promise<unknown> => Promise.race([said(...records).ready(line), new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(late))))])
  assert.deepEqual(await readiness(HELLO, START), { responded: true, claims: { model: null, provider: null, version: null, effort: null } })
  assert.equal(await readiness(HELLO), late)
  assert.equal(await readiness(START), late)
  assert.equal(await readiness(HELLO, { ...START, stderr: 'another hook' }), late)
  assert.equal(await readiness({ ...HELLO, response: { ...HELLO.response, subtype: 'error' } }, START), undefined)
})
