import * as z from 'zod'
import { sha256 } from '../contract/canonical.ts'
import type { Refusal } from '../contract/gate.ts'
import { createRunToken, type RunId } from '../contract/ids.ts'
import { printPair } from '../contract/model.ts'
import type { Reason } from '../contract/reasons.ts'
import { Digest } from '../contract/verdict.ts'
import { ModelCallEvidence, type ModelCall } from '../gates/wire/index.ts'
import { Course, type CourseWatcher } from './course.ts'
import type { Ledger, RunHistory } from './ledger.ts'
import { createCallRecorder } from './recorder.ts'
import { decideAdmission } from './steps/admission.ts'
import { decideCatalog } from './steps/catalog.ts'
import { decideHealth } from './steps/health.ts'
import type { World } from './world.ts'

/** A licence on the wire as its run holds it: who may ask what, for what, until when. The token itself is nowhere. */
export const GrantedLicence = z.strictObject({
  epoch: z.int().positive(),
  token_sha256: Digest,
  profile: z.string(),
  purpose: z.string(),
  expires_at: z.iso.datetime(),
})
export type GrantedLicence = z.infer<typeof GrantedLicence>

export interface LicenceRecord {
  readonly runId: RunId
  readonly state: string
  readonly licence: GrantedLicence
  readonly revoked: boolean
  readonly calls: readonly ModelCall[]
}

export type LicenceAnswer =
  | { readonly ok: true; readonly runId: RunId; readonly token: string; readonly pair: string; readonly dialect: string; readonly expiresAt: string }
  | { readonly ok: false; readonly runId: RunId; readonly refusal: Pick<Refusal, 'reason' | 'message' | 'asked' | 'found' | 'remedy'>; readonly reason: Reason }

const SILENT: CourseWatcher = { gateBegan: () => undefined, gateDecided: () => undefined }

/**
 * Grants a licence to a client that Portcullis does not start: the profile passes catalog, admission and health, as every
 * run does, and only then a token is made. The ledger keeps its hash; the caller gets the token once.
 */
export async function grantLicence(world: World, asked: { readonly profile: string; readonly purpose: string; readonly expiresAt: Date }): Promise<LicenceAnswer> {
  const run = await world.ledger.begin({ kind: 'wire', taskId: 'wire', startedAt: world.clock() })
  const { runId } = run
  const course = new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: SILENT })
  await course.append({ events: [course.event('run_opened', { profile: asked.profile, purpose: asked.purpose })] })
  const blocked = async (decided: { readonly reason: Reason; readonly verdict: { readonly message: string } }): Promise<LicenceAnswer> => {
    const { reason, verdict } = decided
    await course.append({ state: { to: 'blocked', reason, at: world.clock() }, events: [course.event('run_ended', { state: 'blocked', reason })] })
    const told = verdict as Partial<Record<'asked' | 'found' | 'remedy', string>>
    return { ok: false, runId, reason, refusal: { reason, message: verdict.message, asked: told.asked ?? '', found: told.found ?? '', remedy: told.remedy ?? '' } }
  }
  const resolution = await decideCatalog(world, course, { profile: asked.profile, purpose: asked.purpose, candidate: 0, capability: null })
  if (!resolution.ok) return blocked(resolution)
  const admitted = await decideAdmission(world, course, resolution.proof, { admissionFile: null, asked: null })
  if (!admitted.ok) return blocked(admitted)
  const wire = await world.openWire(createCallRecorder(world.ledger, world.scanner))
  try {
    const health = await decideHealth(world, course, wire, resolution.proof, admitted.proof)
    if (!health.ok) return await blocked(health)
  } finally {
    await wire.close()
  }
  const token = createRunToken()
  const licence: GrantedLicence = { epoch: 1, token_sha256: sha256(token), profile: asked.profile, purpose: asked.purpose, expires_at: asked.expiresAt.toISOString() }
  await course.append({ events: [course.event('licence_granted', licence)] })
  return { ok: true, runId, token, pair: printPair(resolution.proof.pair), dialect: resolution.proof.provider.dialect, expiresAt: licence.expires_at }
}

/** Reads a licence back from its run; undefined for a run that never got one. */
export function licenceOf({ run, entries }: RunHistory): LicenceRecord | undefined {
  let licence: GrantedLicence | undefined
  let revoked = false
  const calls: ModelCall[] = []
  for (const { kind, body } of entries) {
    if (kind === 'verdict') continue
    const document: unknown = JSON.parse(body)
    const call = kind === 'evidence' ? ModelCallEvidence.read(document) : undefined
    if (call !== undefined) calls.push(call.predicate)
    const event = kind === 'event' ? LicenceEvent.safeParse(document) : undefined
    if (event?.success !== true) continue
    if (event.data.type === 'licence_revoked') revoked = true
    else licence = GrantedLicence.parse(event.data.data)
  }
  return licence === undefined || run.kind !== 'wire' ? undefined : { runId: run.runId, state: run.state, licence, revoked, calls }
}

const LicenceEvent = z.looseObject({ type: z.enum(['licence_granted', 'licence_revoked']), data: z.unknown() })

/** Every licence of the ledger, newest first. */
export async function licencesIn(ledger: Ledger): Promise<LicenceRecord[]> {
  const records: LicenceRecord[] = []
  for (const run of await ledger.list()) {
    if (run.kind !== 'wire') continue
    const history = await ledger.history(run.runId)
    const record = history === undefined ? undefined : licenceOf(history)
    if (record !== undefined) records.push(record)
  }
  return records
}

/**
 * Makes a new token for a licence that is in force; the one before is stale from then on (WIR-04). Rights, limits and what was
 * used of them stay; the wire reads its admission again when it takes the new one up. Undefined if the licence has ended.
 */
export async function renewLicence({ ledger, clock }: Pick<World, 'ledger' | 'clock'>, record: LicenceRecord, expiresAt: Date): Promise<{ readonly token: string; readonly licence: GrantedLicence } | undefined> {
  if (record.revoked || record.state !== 'open' || Date.parse(record.licence.expires_at) <= clock().getTime()) return undefined
  const token = createRunToken()
  const licence: GrantedLicence = { ...record.licence, epoch: record.licence.epoch + 1, token_sha256: sha256(token), expires_at: expiresAt.toISOString() }
  await ledger.append({ runId: record.runId, events: [{ type: 'licence_granted', at: clock().toISOString(), data: licence }] })
  return { token, licence }
}

/** Revokes a licence: the wire refuses its next call within a second, and closes its run. False if it had ended already. */
export async function revokeLicence({ ledger, clock }: Pick<World, 'ledger' | 'clock'>, record: LicenceRecord): Promise<boolean> {
  if (record.revoked || record.state !== 'open') return false
  await ledger.append({ runId: record.runId, events: [{ type: 'licence_revoked', at: clock().toISOString(), data: { epoch: record.licence.epoch } }] })
  return true
}
