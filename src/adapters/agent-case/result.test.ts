import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import { claimsOf } from './parse.ts'
import { examplesIn, readResult } from './result.ts'

const block = (result: unknown): string => `<<<AGENT_RESULT\n${typeof result === 'string' ? result : JSON.stringify(result)}\nAGENT_RESULT>>>`
const DONE = { status: 'completed', summary: 's', artifacts: { commit: 'abc', filesChanged: ['a'], testsPassed: true }, error: null }

test('a result at the end of an answer is read, in a code fence or out of one', () => {
  for (const answer of [block(DONE), `I did it.\n\n${block(DONE)}\n`, `\`\`\`\n${block(DONE)}\n\`\`\`\n`, block({ status: 'completed' }), block({ ...DONE, rubric: { role: 'reviewer' }, error: '' })]) {
    assert.deepEqual(readResult(answer, []), { ok: true, status: 'completed' }, answer)
  }
  assert.deepEqual(readResult(block({ status: 'failed', error: 'no' }), []), { ok: true, status: 'failed' })
  assert.deepEqual(readResult(block({ status: 'blocked' }), []), { ok: true, status: 'blocked' })
})

test('the last of several blocks counts', () => {
  assert.deepEqual(readResult(`${block(DONE)}\n${block({ status: 'failed' })}`, []), { ok: true, status: 'failed' })
})

for (const [answer, found] of [
  ['', 'AGENT_RESULT start delimiter not found'],
  ['All done, everything works.', 'AGENT_RESULT start delimiter not found'],
  [`AGENT_RESULT>>> ${JSON.stringify(DONE)} <<<AGENT_RESULT`, 'AGENT_RESULT end delimiter not found'],
  [`<<<AGENT_RESULT\n${JSON.stringify(DONE)}`, 'AGENT_RESULT end delimiter not found'],
  [`${block(DONE)}\nThat is how it would look.`, 'the answer goes on behind its result'],
  [block('{"status":"completed"'), 'a result that is no JSON'],
  [block('"completed"'), 'a result without a valid form'],
  [block([]), 'a result without a valid form'],
  [block({ summary: 'no status' }), 'a result without a valid status'],
  [block({ ...DONE, status: 'Completed' }), 'a result without a valid status'],
  [block({ ...DONE, error: 'it broke' }), 'status completed together with an error'],
  [block({ ...DONE, artifacts: { testsPassed: false } }), 'status completed together with failed tests'],
  [block({ ...DONE, artifacts: 'none' }), 'a result without a valid artifacts'],
] as const) {
  test(`refused: ${found}, ${JSON.stringify(answer).slice(0, 40)}`, () => {
    assert.deepEqual(readResult(answer, []), { ok: false, found })
  })
}

test('the example of a prompt is no result, however it is laid out; a real one beside it is', () => {
  const prompt = `End with:\n\`\`\`\n${block('{"status":"completed","summary":"<what was done>","error":null}')}\n\`\`\`\nor\n${block('{"status":"failed"}')}\nand always <<<AGENT_RESULT`
  const examples = examplesIn(prompt)
  assert.equal(examples.length, 2)
  for (const echo of ['{"status":"completed","summary":"<what was done>","error":null}', '{\n  "status": "completed",\n  "summary": "<what was done>",\n  "error": null\n}']) {
    assert.deepEqual(readResult(block(echo), examples), { ok: false, found: 'the example of the prompt, repeated' })
  }
  assert.deepEqual(readResult(block(DONE), examples), { ok: true, status: 'completed' })
})

const output = (text: string, tail = '') => ({ head: Buffer.from(text), tail: Buffer.from(tail), bytes: text.length + tail.length, sha256: sha256(text), truncated: false })

test('what Case says of itself is a claim; that it could open no pull request is none', () => {
  const retried = output('{"msg":"phase:implement","status":"retrying","failureClass":"agent-protocol-error"}\n')
  const claims = (stdout: string, tail = '') => claimsOf({ stdout: output(stdout, tail), stderr: retried })
  assert.deepEqual(claims('[unattended] Pipeline completed successfully.\n'), { claimedStatus: 'completed', claim: 'Pipeline completed successfully.', runtimeFailure: null })
  assert.deepEqual(claims('Pipeline completed successfully.\nPipeline failed at imple', 'menter phase.\n'), { claimedStatus: 'failed', claim: 'Pipeline failed at implementer phase.', runtimeFailure: 'agent-protocol-error' })
  assert.deepEqual(claims('Pipeline failed at closer phase.\n'), { claimedStatus: null, claim: 'Pipeline failed at closer phase.', runtimeFailure: 'agent-protocol-error' })
  assert.deepEqual(claims(''), { claimedStatus: null, claim: '', runtimeFailure: 'agent-protocol-error' })
  assert.equal(claimsOf({ stdout: output(''), stderr: output('{"failureClass":"sk-ANT"}') }).runtimeFailure, null)
})
