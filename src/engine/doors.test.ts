import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Accepted } from '../gates/acceptance/index.ts'
import type { Admitted } from '../gates/admission/index.ts'
import type { Resolution } from '../gates/catalog/index.ts'
import type { Healthy } from '../gates/health/index.ts'
import type { LaunchPermit } from '../gates/launch/index.ts'
import type { Ready } from '../gates/readiness/index.ts'
import type { Witnessed } from '../gates/wire/index.ts'
import { finishRun } from './finish.ts'
import { decideAcceptance } from './steps/acceptance.ts'
import { decideAdmission } from './steps/admission.ts'
import { dispatchPrompt } from './steps/dispatch.ts'
import { decideHealth } from './steps/health.ts'
import { decideReadiness } from './steps/launch.ts'
import { grantToAgent } from './steps/wire.ts'
import type { World } from './world.ts'

/** A world in which everything but the clock is out of reach: whatever a door touches before it has looked at its proof fails the test. */
const world = new Proxy({} as World, {
  get: (_target, name) => {
    if (name === 'clock') return () => new Date('2026-11-20T21:39:18.001Z')
    throw new Error(`the door touched world.${String(name)} before it checked its proof`)
  },
})
const untouchable = (what: string): never =>
  new Proxy({} as never, {
    get: (_target, name) => {
      throw new Error(`the door touched ${what}.${String(name)} before it checked its proof`)
    },
  })
const course: Parameters<typeof decideAdmission>[1] = untouchable('course')

const verdict = { outcome: 'pass', expiresAt: '2999-01-01T00:00:00.000Z' }
/** As complete as a proof can be written by hand. */
const forged = (content: object): never => ({ ...content, verdict }) as never

const pair = { provider: 'scripted', model: 'coder-1' }
const resolution: Resolution = forged({ pair, profileName: 'p', profile: {}, provider: {} })
const admitted: Admitted = forged({ pair, servedModelIds: ['coder-1'] })
const healthy: Healthy = forged({ pair })
const permit: LaunchPermit = forged({ plan: {}, planDigest: '0'.repeat(64) })
const ready: Ready = forged({ pid: 1, startTicks: 1, planDigest: '0'.repeat(64) })
const witnessed: Witnessed = forged({ admitted: pair })
const accepted: Accepted = forged({ runId: '20261120T213918Z-t-1', attempt: 1, workspace: '0'.repeat(64) })

const doors: Record<string, () => unknown> = {
  'admission, for a resolution': () => decideAdmission(world, course, resolution, { admissionFile: null, asked: null }),
  'health, for a resolution': () => decideHealth(world, course, untouchable('wire'), resolution, admitted),
  'the licence on the wire': () => grantToAgent(world, course, untouchable('wire'), { resolution, admitted, healthy }),
  'readiness, for a launch permit': () => decideReadiness(world, course, resolution, permit, untouchable('session'), untouchable('cancelled')),
  'dispatch, for a ready session': () => dispatchPrompt(world, course, resolution, ready, untouchable('session'), 'prompt', untouchable('cancelled')),
  'acceptance, for a witnessed run': () => decideAcceptance(world, course, { ...untouchedInput(), witnessed }),
  'the accepted state': () => finishRun(world, course, untouchable('directory'), { accepted }, { artefacts: [], texts: [] }),
}

function untouchedInput(): Omit<Parameters<typeof decideAcceptance>[2], 'witnessed'> {
  return { task: untouchable('task'), reference: null, watched: false, claims: [], cancelled: untouchable('cancelled'), attempt: 1, review: untouchable('review'), earlier: [], answers: [], agent: untouchable('agent'), directory: untouchable('directory'), binding: untouchable('binding'), stage: 'work', targets: null, before: '', after: { digest: '', filesChanged: 0, protectedChanged: [], linksOut: [] }, note: () => undefined, keep: () => undefined }
}

for (const [name, open] of Object.entries(doors)) {
  test(`${name}: a proof written by hand opens nothing, and nothing is touched`, async () => {
    await assert.rejects(async () => open(), { code: 'proof_forged' })
  })
}

test('the compiler refuses what only looks like a proof', () => {
  const open = (): unknown[] => [
    // @ts-expect-error a literal is no Resolution
    decideAdmission(world, course, { pair, profileName: 'p', verdict }, { admissionFile: null, asked: null }),
    // @ts-expect-error a literal is no Accepted
    finishRun(world, course, untouchable('directory'), { accepted: { runId: 'r', attempt: 1, workspace: 'w', verdict } }, { artefacts: [], texts: [] }),
    // @ts-expect-error a Healthy is no Admitted
    grantToAgent(world, course, untouchable('wire'), { resolution, admitted: healthy, healthy }),
  ]
  assert.equal(typeof open, 'function')
})
