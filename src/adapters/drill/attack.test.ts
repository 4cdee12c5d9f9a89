import assert from 'node:assert/strict'
import { verifies } from '../../../test/verifies.ts'
import { judgeAttack, type Expectation, type Observed } from './index.ts'

const EXPECTS: Expectation = { by: 'admission', reason: 'missing_admission', process: false, requests: 0 }
const REFUSED: Observed = { by: 'admission', reason: 'missing_admission', message: '', found: '', processStarted: false, requests: 0, withheldAnswers: 0, leftIn: [], elapsedMs: 1, cutShort: false }
const TIMED_OUT = { by: 'run', reason: 'run_timed_out', cutShort: true } as const

const CASES: readonly (readonly [string, Partial<Observed>, 'closed' | 'open' | 'not-proven'])[] = [
  ['is refused where it must be', {}, 'closed'],
  ['is refused where it must be, at the last moment', { cutShort: true }, 'closed'],
  ['is accepted', { by: null, reason: null }, 'open'],
  ['is accepted, at the last moment', { by: null, reason: null, cutShort: true }, 'open'],
  ['is refused by a later gate', { by: 'health', reason: 'provider_unreachable' }, 'open'],
  ['is refused for another reason', { reason: 'admission_expired' }, 'open'],
  ['has the agent started, and is refused as it must be', { processStarted: true }, 'open'],
  ['has a request reach the provider, and is refused as it must be', { requests: 1 }, 'open'],
  ['leaves the credential behind', { leftIn: ['report.json'] }, 'open'],
  ['has no time to end', TIMED_OUT, 'not-proven'],
  ['has no time to end, and the agent was started', { ...TIMED_OUT, processStarted: true }, 'open'],
  ['has no time to end, and a request reached the provider', { ...TIMED_OUT, requests: 1 }, 'open'],
  ['ends in time as if it had had none', { ...TIMED_OUT, cutShort: false }, 'open'],
]
for (const [what, seen, verdict] of CASES) {
  verifies('ADM-N13', `an attack that ${what} is ${verdict}`, () => {
    const judged = judgeAttack(EXPECTS, { ...REFUSED, ...seen })
    assert.equal(judged.verdict, verdict)
    assert.equal(judged.because.length === 0, verdict === 'closed')
  })
}
