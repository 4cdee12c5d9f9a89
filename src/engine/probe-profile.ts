import type { Refusal } from '../contract/gate.ts'
import type { GateName } from '../contract/lifecycle.ts'
import { REASON_TABLE, type Reason } from '../contract/reasons.ts'
import type { Verdict } from '../contract/verdict.ts'
import { grantPreflightCapability } from '../gates/catalog/index.ts'
import { printPair } from '../contract/model.ts'
import { Course, type CourseWatcher, type Decided } from './course.ts'
import { createCallRecorder } from './recorder.ts'
import { decideAdmission } from './steps/admission.ts'
import { decideCatalog } from './steps/catalog.ts'
import { decideHealth } from './steps/health.ts'
import type { World } from './world.ts'

/** What a probe of one profile found (MC-100, MC-104): where it stopped and why, or what answered. */
export interface ProbedProfile {
  readonly profile: string
  readonly run_id: string
  /** The configuration reads and the name resolves. Never enough to be healthy (MC-101). */
  readonly static_ok: boolean
  readonly healthy: boolean
  /** The gate that decided last. */
  readonly stage: GateName
  readonly reason: Reason | null
  readonly message: string
  readonly pair: string | null
  readonly served_model: string | null
  readonly latency_ms: number | null
  readonly tools: boolean | null
  readonly refusal: Pick<Refusal, 'asked' | 'found' | 'remedy'> | null
}

const SILENT: CourseWatcher = { gateBegan: () => undefined, gateDecided: () => undefined }

/** Probes one profile through catalog, admission and health. Stored as a run of its own, with time and evidence (MC-106); starts no agent. */
export async function probeProfile(world: World, profile: string, purpose: string): Promise<ProbedProfile> {
  const run = await world.ledger.begin({ kind: 'probe', taskId: 'probe', startedAt: world.clock() })
  const course = new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: SILENT })
  await course.append({ events: [course.event('run_opened', { profile, purpose })] })
  const found = { profile, run_id: run.runId, static_ok: false, healthy: false, reason: null, message: '', pair: null, served_model: null, latency_ms: null, tools: null, refusal: null }
  const refused = async (stage: GateName, decided: Extract<Decided<GateName, unknown>, { ok: false }>, known: Partial<ProbedProfile>): Promise<ProbedProfile> => {
    await course.append({ state: { to: 'blocked', reason: decided.reason, at: world.clock() }, events: [course.event('run_ended', { state: 'blocked', reason: decided.reason })] })
    return { ...found, ...known, stage, reason: decided.reason, message: decided.verdict.message, refusal: refusalOf(decided.verdict, decided.reason) }
  }

  const resolution = await decideCatalog(world, course, { profile, purpose, candidate: 0, capability: grantPreflightCapability() })
  if (!resolution.ok) return refused('catalog', resolution, {})
  const known = { static_ok: true, pair: printPair(resolution.proof.pair) }
  const admitted = await decideAdmission(world, course, resolution.proof, { admissionFile: null, asked: null })
  if (!admitted.ok) return refused('admission', admitted, known)
  const wire = await world.openWire(createCallRecorder(world.ledger, world.scanner))
  try {
    const began = world.clock().getTime()
    const health = await decideHealth(world, course, wire, resolution.proof, admitted.proof, {
      together: (verdict) => (verdict.outcome === 'pass' ? { state: { to: 'checked', reason: null, at: world.clock() }, events: [course.event('run_ended', { state: 'checked' })] } : {}),
    })
    if (!health.ok) return await refused('health', health, known)
    const { servedModel, toolsWork } = health.proof
    return { ...found, ...known, healthy: true, stage: 'health', message: health.verdict.message, served_model: servedModel, latency_ms: world.clock().getTime() - began, tools: toolsWork }
  } finally {
    await wire.close()
  }
}

const refusalOf = (verdict: Verdict, reason: Reason): ProbedProfile['refusal'] =>
  verdict.outcome === 'block' ? { asked: verdict.asked, found: verdict.found, remedy: verdict.remedy } : { asked: 'a verdict that permits', found: REASON_TABLE[reason].title, remedy: 'Probe again.' }
