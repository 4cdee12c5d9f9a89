import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Finding } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { proofOf } from '../../../test/helpers/proofs.ts'
import { DispatchEvidence, type DispatchFacts } from './dispatch-facts.ts'
import { dispatchGate, dispatchProof } from './gate.ts'
import { spendTurn, type Turn } from './turn.ts'

const digest = 'a'.repeat(64)
const prompt = 'Implement slugify ✔'
const good: DispatchFacts = {
  observedAt: '2026-11-20T21:39:18.000Z',
  validForMs: 5_000,
  pid: 4242,
  promptDigest: sha256(prompt),
  promptBytes: 21,
  sessionState: 'idle',
  deliveriesBefore: 0,
  phase: 'before',
  failure: null,
}

const decide = (facts: DispatchFacts): Finding => dispatchGate.decide(DispatchEvidence.schema.parse(facts), [digest])

function blocks(change: Partial<DispatchFacts>, reason: Reason, found: RegExp): void {
  const finding = decide({ ...good, ...change })
  assert.equal(finding.outcome, 'block')
  if (finding.outcome !== 'block') throw new Error('unreachable')
  assert.equal(finding.reason, reason)
  assert.match(finding.found, found)
  assert.deepEqual(finding.evidence, [digest])
}

test('one prompt may enter an idle session', () => {
  assert.deepEqual(decide(good), {
    outcome: 'pass',
    message: 'one prompt, once, to an idle session',
    evidence: [digest],
    expiresAt: new Date('2026-11-20T21:39:23.000Z'),
  })
})

test('a busy session is busy, and a dead one takes nothing', () => {
  blocks({ sessionState: 'running' }, 'runtime_busy', /a turn is running/)
  blocks({ sessionState: 'dead' }, 'failed_to_inject', /the session has ended/)
})

test('a prompt that was handed over before is not sent again, whatever the session says', () => {
  for (const sessionState of ['idle', 'running', 'dead'] as const) {
    blocks({ sessionState, deliveriesBefore: 1 }, 'failed_to_inject', /already handed over once/)
    blocks({ sessionState, deliveriesBefore: 2 }, 'failed_to_inject', /already handed over 2 times/)
  }
})

test('a delivery that failed is a block, with what was found or without', () => {
  blocks({ phase: 'failed', failure: 'Agent is already processing' }, 'failed_to_inject', /already processing/)
  blocks({ phase: 'failed' }, 'failed_to_inject', /nothing says why/)
  blocks({ failure: 'pipe closed' }, 'failed_to_inject', /pipe closed/)
})

test('an empty prompt is no turn', () => {
  blocks({ promptBytes: 0 }, 'failed_to_inject', /the prompt is empty/)
})

const now = new Date('2026-11-20T21:39:19Z')
const turnOf = (change: Partial<DispatchFacts> = {}): Promise<Turn> => proofOf(dispatchGate, dispatchProof, { ...good, ...change }, now)

const refusesTurn = (spend: () => void, found: RegExp): void => {
  assert.throws(spend, (error) => {
    assert.ok(error instanceof PortcullisError)
    assert.equal(error.code, 'proof_forged')
    assert.match(error.found, found)
    return true
  })
}

test('a turn is spent once', async () => {
  const turn = await turnOf()
  spendTurn(turn, { prompt, pid: 4242 }, now)
  refusesTurn(() => spendTurn(turn, { prompt, pid: 4242 }, now), /already used/)
})

test('a turn holds for its prompt, its process and its time only, and a literal is none', async () => {
  const turn = await turnOf()
  refusesTurn(() => spendTurn(turn, { prompt: `${prompt}!`, pid: 4242 }, now), /another prompt/)
  refusesTurn(() => spendTurn(turn, { prompt, pid: 4243 }, now), /process 4242, used for process 4243/)
  refusesTurn(() => spendTurn(turn, { prompt, pid: 4242 }, new Date('2026-11-20T21:39:23Z')), /expired/)
  // @ts-expect-error: a turn cannot be written by hand
  refusesTurn(() => spendTurn({ promptDigest: sha256(prompt), pid: 4242, verdict: turn.verdict }, { prompt, pid: 4242 }, now), /did not make/)
  refusesTurn(() => spendTurn({ ...turn }, { prompt, pid: 4242 }, now), /did not make/)
  spendTurn(turn, { prompt, pid: 4242 }, now)
})
