import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { answerBy, ask, type Bench, json, startBench, until } from '../../../test/helpers/wire-harness.ts'

/** A wire whose licences were not read lately, and a question that has come in and waits for that. */
async function waiting(context: TestContext) {
  const readings = { current: false, asked: 0 }
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')), {
    current: () => {
      readings.asked += 1
      return readings.current
    },
  })
  const answer = ask(bench)
  await until(() => readings.asked > 0, 'the question to wait')
  return { bench, answer, caughtUp: () => void (readings.current = true) }
}

async function refused(bench: Bench, answer: ReturnType<typeof ask>, reason: string): Promise<void> {
  assert.equal((await answer).headers['x-portcullis-reason'], reason)
  assert.equal(bench.provider.received.length, 0, 'the provider was asked nothing')
  assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason], ['refused', reason])
}

verifies('WIR-04', 'while nobody can read what a licence rests on nothing is forwarded; a call waits a second for it, then says so', async (context) => {
  const { bench, answer } = await waiting(context)
  await refused(bench, answer, 'credential_unavailable')
  assert.match(bench.recorder.only.detail ?? '', /licences that could not be read/)
})

test('a call that comes while the machine stood still is answered once its licence was read again', async (context) => {
  const { bench, answer, caughtUp } = await waiting(context)
  caughtUp()
  assert.equal((await answer).status, 200)
  assert.equal(bench.recorder.only.outcome, 'answered')
})

const ENDS: readonly (readonly [string, string, (bench: Bench) => unknown])[] = [
  ['its record ended', 'not_admitted', ({ grant }) => grant.withdraw({ reason: 'not_admitted', found: 'a record that was removed', remedy: 'Renew it.' })],
  ['it was revoked', 'interrupted', ({ grant }) => grant.revoke()],
  ['its token expired', 'run_unknown', (bench) => void (bench.clock = new Date(bench.request.expiresAt))],
  ['it got a later generation', 'stale_epoch', ({ wire, request }) => wire.grant({ ...request, epoch: request.epoch + 1 })],
]
for (const [what, reason, end] of ENDS) {
  verifies('WIR-04', `a call that waited is judged by what was read then: ${what}`, async (context) => {
    const { bench, answer, caughtUp } = await waiting(context)
    const ended = end(bench)
    caughtUp()
    await refused(bench, answer, reason)
    await ended
  })
}
