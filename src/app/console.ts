import * as z from 'zod'
import { PACKAGE_ROOT } from '../version.ts'
import { trustedKeys } from '../adapters/keys/index.ts'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { REASONS } from '../contract/reasons.ts'
import { Verdict } from '../contract/verdict.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { AccessStore, Ledger } from '../engine/index.ts'
import { join } from 'node:path'
import { resolve } from '../app.ts'
import { checkAdmission } from './admissions.ts'
import { keysOf } from './keys.ts'
import { type AppOptions, configurationOf } from './places.ts'

/** Where the built console lies in the package, or in a checkout that was built. */
export const CONSOLE_DIRECTORY: string = join(PACKAGE_ROOT, 'dist/console')

export const GateCount = z.strictObject({ gate: z.enum(LIFECYCLE), pass: z.int(), block: z.int(), abstain: z.int() })
export const Overview = z.strictObject({
  since: z.iso.datetime().describe('Verdicts from this instant on are counted.'),
  gates: z.array(GateCount).describe('All nine, in the order of the lifecycle; none is left out for want of verdicts.'),
})
export type Overview = z.infer<typeof Overview>

/** How often each gate passed, blocked and abstained since an instant. */
export async function overviewOf(store: AccessStore, since: Date): Promise<Overview> {
  const found = await store.verdictsSince(since)
  return {
    since: since.toISOString(),
    gates: LIFECYCLE.map((gate) => {
      const count = (outcome: 'pass' | 'block' | 'abstain'): number => found.filter((each) => each.gate === gate && each.outcome === outcome).reduce((sum, each) => sum + each.count, 0)
      return { gate, pass: count('pass'), block: count('block'), abstain: count('abstain') }
    }),
  }
}

export const RunVerdict = z.strictObject({ digest: z.string(), position: z.int(), verdict: Verdict })

/** The chain of verdicts of a run as it is stored, in its order. Believed by nobody until it is verified. */
export async function verdictsOf(ledger: Ledger, runId: string): Promise<z.infer<typeof RunVerdict>[]> {
  const history = await ledger.history(runId)
  if (history === undefined) throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: 'no such run in this ledger', remedy: 'GET /runs lists them; npx portcullis runs does so here.' })
  return history.entries.flatMap(({ kind, digest, position, body }) => (kind === 'verdict' ? [{ digest, position, verdict: Verdict.parse(JSON.parse(body)) }] : []))
}

const Standing = z.strictObject({
  purpose: z.string(),
  permitted: z.boolean().describe('Whether catalog and admission would let a run of this purpose pass now.'),
  status: z.string(),
  message: z.string(),
  resolved: z.string().nullable().describe('Agent, provider and model that the profile means now; null where it means none.'),
  details: z.array(z.tuple([z.string(), z.string()])),
  refusal: z.strictObject({ reason: z.enum(REASONS), asked: z.string(), found: z.string(), remedy: z.string() }).nullable(),
})
export const ProfileRow = z.strictObject({ profile: z.string(), agent: z.string(), model: z.string().describe('As the configuration writes it: an exact pair, or the name of an alias.'), isolation: z.string(), purposes: z.array(Standing) })

/** Every profile beside every purpose of the configuration, asked of catalog and admission now. */
export async function profileRows(options: AppOptions): Promise<z.infer<typeof ProfileRow>[]> {
  const { configuration } = configurationOf(options)
  const purposes = Object.keys(configuration.purposes)
  return Promise.all(
    Object.entries(configuration.profiles).map(async ([name, { agent, model, isolation }]) => ({
      profile: name, agent, model, isolation,
      purposes: await Promise.all(purposes.map((purpose) => standing(options, name, purpose))),
    })),
  )
}

async function standing(options: AppOptions, profile: string, purpose: string): Promise<z.infer<typeof Standing>> {
  const resolved = resolve(options, { profile, purpose })
  const { status, message, refusal } = await checkAdmission(options, { profile, purpose, file: undefined })
  return {
    purpose, status, message,
    permitted: refusal === null,
    resolved: resolved.ok ? resolved.triple : null,
    details: resolved.ok ? resolved.details.map(([name, value]): [string, string] => [name, value]) : [],
    refusal: refusal === null ? null : { reason: refusal.reason, asked: refusal.asked, found: refusal.found, remedy: refusal.remedy },
  }
}

export const PublicKey = z.strictObject({ key_id: z.string(), algorithm: z.string(), pem: z.string() })

/** The public halves that this server believes; the browser checks a bundle with them. */
export const publicKeys = (options: AppOptions): z.infer<typeof PublicKey>[] =>
  trustedKeys(keysOf(options)).map(({ keyId, algorithm, key }) => ({ key_id: keyId, algorithm, pem: key.export({ type: 'spki', format: 'pem' }).toString() }))
