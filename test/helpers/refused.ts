import assert from 'node:assert/strict'
import { ask, type Ask, type Bench } from './wire-harness.ts'

/** Refused, in the client's own shape, recorded once, and nothing of it at the provider. */
export async function refused(bench: Bench, question: Ask, reason: string, status: number): Promise<string> {
  const before = bench.recorder.calls.length
  const answer = await ask(bench, question)
  assert.equal(answer.headers['x-portcullis-reason'], reason)
  assert.equal(answer.status, status)
  assert.ok(answer.body.includes(reason))
  assert.equal(bench.provider.received.length, 0)
  const recorded = bench.recorder.calls.slice(before)
  assert.equal(recorded.length, 1)
  assert.equal(recorded[0]?.call.outcome, 'refused')
  assert.equal(recorded[0]?.call.reason, reason)
  assert.equal(recorded[0]?.call.clientStatus, status)
  assert.equal(recorded[0]?.call.providerStatus, null)
  return answer.body
}
