import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { countsAgainst, healthyAtFirst, type HealthSample, type HealthThresholds, isHealthy, type PassiveHealth, probedHealthy, sampled } from './passive-health.ts'

const good: HealthSample = { failed: false, firstByteMs: 100 }
const bad: HealthSample = { failed: true, firstByteMs: null }
const after = (samples: readonly HealthSample[], thresholds: HealthThresholds, from: PassiveHealth = healthyAtFirst): PassiveHealth => samples.reduce((health, sample) => sampled(health, sample, thresholds), from)

verifies('WIR-30', 'so many failures in a row make a pair unhealthy, and one answer between them starts the count again', () => {
  const thresholds = { window: 10, consecutiveErrors: 3 }
  assert.equal(isHealthy(after([bad, bad, good, bad, bad], thresholds)), true)
  assert.match(after([bad, bad, good, bad, bad, bad], thresholds).unhealthy ?? '', /3 calls in a row failed/)
})

verifies('WIR-30', 'a share of the last calls makes a pair unhealthy once the window is full, and old calls leave it', () => {
  const thresholds = { window: 4, errorRate: 0.5 }
  assert.equal(isHealthy(after([bad, good, bad], thresholds)), true)
  assert.match(after([bad, good, bad, good], thresholds).unhealthy ?? '', /2 of the last 4/)
  assert.equal(isHealthy(after([bad, good, good, good, bad, good], thresholds)), true)
})

verifies('WIR-30', 'slow answers make a pair unhealthy by their median', () => {
  const thresholds = { window: 3, firstByteMs: 1_000 }
  const slow = { failed: false, firstByteMs: 1_000 }
  assert.equal(isHealthy(after([slow, good, good], thresholds)), true)
  assert.equal(isHealthy(after([slow, slow], thresholds)), true)
  assert.match(after([slow, good, slow], thresholds).unhealthy ?? '', /1000 ms to begin/)
})

verifies('WIR-30', 'only a probe brings a pair back, whatever late answers say', () => {
  const thresholds = { window: 2, consecutiveErrors: 1 }
  const unhealthy = after([bad], thresholds)
  assert.equal(isHealthy(after([good, good, good], thresholds, unhealthy)), false)
  assert.equal(isHealthy(probedHealthy()), true)
})

test('a limit that is not configured holds nothing against a pair', () => {
  assert.equal(isHealthy(after(Array.from({ length: 50 }, () => bad), { window: 5 })), true)
})

test('what the agent, its request or our own ledger did says nothing of a provider', () => {
  for (const reason of ['interrupted', 'evidence_unavailable', 'provider_rejected', null] as const) assert.equal(countsAgainst(reason), false)
  for (const reason of ['provider_overloaded', 'provider_timeout', 'provider_auth', 'served_model_mismatch', 'answer_truncated'] as const) assert.equal(countsAgainst(reason), true)
})
