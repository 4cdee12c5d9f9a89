import type * as WireCluster from '../adapters/wire-cluster/index.ts'
import { composeWorld } from '../app.ts'
import type { LicenceAnswer, LicenceRecord, World } from '../engine/index.ts'
import { ModelCallEvidence, type ModelCall } from '../gates/wire/index.ts'
import { instantOf } from './instant.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'

/** Opens what a licence needs, for as long as `use` takes. */
async function withWorld<Value>(options: AppOptions, use: (world: World) => Promise<Value>): Promise<Value> {
  const { ledgerIn } = await import('./store.ts')
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
  try {
    return await use(await composeWorld(options, ledger, stateDirectory))
  } finally {
    await ledger.close()
  }
}

/** Takes a profile through catalog, admission and health, and gives a token for it. The token is shown once and stored nowhere. */
export async function createToken(options: AppOptions, asked: { readonly profile: string; readonly purpose: string; readonly expires: string }): Promise<LicenceAnswer> {
  const expiresAt = instantOf(asked.expires, options.clock())
  const { grantLicence } = await import('../engine/index.ts')
  return withWorld(options, (world) => grantLicence(world, { profile: asked.profile, purpose: asked.purpose, expiresAt }))
}

export interface TokenRow {
  readonly runId: string
  readonly profile: string
  readonly purpose: string
  readonly expiresAt: string
  readonly state: 'live' | 'expired' | 'revoked' | 'closed'
  readonly calls: number
}

const rowOf = ({ runId, licence, revoked, state, calls }: LicenceRecord, now: Date): TokenRow => ({
  runId,
  profile: licence.profile,
  purpose: licence.purpose,
  expiresAt: licence.expires_at,
  state: revoked ? 'revoked' : Date.parse(licence.expires_at) <= now.getTime() ? 'expired' : state === 'open' ? 'live' : 'closed',
  calls: calls.filter((call) => call.purpose === 'agent').length,
})

/** Every token ever made, newest first, by its run; never the token. */
export async function listTokens(options: AppOptions): Promise<readonly TokenRow[]> {
  const [{ ledgerIn }, { licencesIn }] = await Promise.all([import('./store.ts'), import('../engine/index.ts')])
  const ledger = ledgerIn(options, stateDirectoryOf(options))
  try {
    const existing = await ledger.openExisting()
    return existing === undefined ? [] : (await licencesIn(existing)).map((record) => rowOf(record, options.clock()))
  } finally {
    await ledger.close()
  }
}

const licenceOfRun = async (records: Promise<readonly LicenceRecord[]>, runId: string): Promise<LicenceRecord> => {
  const record = (await records).find((each) => each.runId === runId)
  if (record === undefined) throw usage('the run of a token', `no token of run ${runId}`, 'npx portcullis tokens list shows them.')
  return record
}

/** Replaces the token of a run by a new one, shown once; the old one opens nothing from the next second on. Throws `usage` for one that has ended. */
export async function renewToken(options: AppOptions, runId: string, expires: string): Promise<{ readonly token: string; readonly epoch: number; readonly expiresAt: string }> {
  const expiresAt = instantOf(expires, options.clock())
  const { licencesIn, renewLicence } = await import('../engine/index.ts')
  return withWorld(options, async (world) => {
    const renewed = await renewLicence(world, await licenceOfRun(licencesIn(world.ledger), runId), expiresAt)
    if (renewed === undefined) throw usage('a token that is in force', `the token of ${runId} has ended`, 'Create a new one: npx portcullis tokens create --help')
    return { token: renewed.token, epoch: renewed.licence.epoch, expiresAt: renewed.licence.expires_at }
  })
}

/** Revokes the token of a run. False if it had ended before. */
export async function revokeToken(options: AppOptions, runId: string): Promise<boolean> {
  const { licencesIn, revokeLicence } = await import('../engine/index.ts')
  return withWorld(options, async (world) => revokeLicence(world, await licenceOfRun(licencesIn(world.ledger), runId)))
}

export interface ServeRequest {
  readonly port: number
  /** How many processes serve; 1 is this one alone (WIR-54). */
  readonly workers: number
  /** Where Prometheus may scrape; undefined for nowhere. */
  readonly metricsPort: number | undefined
  readonly ended: AbortSignal
  ready(wire: { readonly address: string; readonly live: number; readonly metrics: string | null }): void
  noted(text: string): void
}

/**
 * Serves every token on one port until `ended` aborts. With several workers, each is a process that runs this same function and
 * serves until the first one ends it. Throws `port_taken`.
 */
export async function serveWire(options: AppOptions, asked: ServeRequest): Promise<void> {
  const cluster = asked.workers === 1 ? undefined : await import('../adapters/wire-cluster/index.ts')
  if (cluster?.isWireWorker() === true) return serveAsWorker(options, asked.port, cluster)
  const [{ CURRENT_MS, serveLicences }, { createMetrics }, { LocalTally }] = await Promise.all([import('../engine/index.ts'), import('../adapters/metrics/index.ts'), import('../adapters/wire-server/index.ts')])
  await withWorld(options, async (world) => {
    const metrics = createMetrics()
    const { recorded, unrecorded } = metrics
    const { noted } = asked
    const scraped = asked.metricsPort === undefined ? undefined : await metrics.serve(asked.metricsPort)
    const wire = await serveLicences(world, {
      noted, recorded, unrecorded,
      open: (recorder, ageMs) =>
        cluster === undefined
          ? world.openWire(recorder, { port: asked.port, current: () => ageMs() <= CURRENT_MS })
          : cluster.ClusteredWire.open({ workers: asked.workers, ledger: world.ledger, tally: new LocalTally(), ageMs, noted, recorded, unrecorded }),
    })
    asked.ready({ address: wire.address, live: wire.live(), metrics: scraped?.address ?? null })
    await new Promise<void>((resolve) => {
      if (asked.ended.aborted) return resolve()
      asked.ended.addEventListener('abort', () => resolve(), { once: true })
    })
    await wire.close()
    await scraped?.close()
  })
}

/** One of several processes that serve: what it reads, judges and forwards is its own; the primary counts and stores. */
async function serveAsWorker(options: AppOptions, port: number, cluster: typeof WireCluster): Promise<void> {
  const { createCallRecorder, CURRENT_MS } = await import('../engine/index.ts')
  await withWorld(options, (world) =>
    cluster.serveAsWorker({
      open: ({ ledger, tally, ageMs }) => world.openWire(cluster.reportingTo(createCallRecorder(ledger, world.scanner)), { port, tally, current: () => ageMs() <= CURRENT_MS }),
    }),
  )
}

export interface SeenCall {
  readonly runId: string
  readonly call: ModelCall
}

/** How often a follower looks: new calls are seen within a second. */
const FOLLOW_MS = 250
const ROWS_AT_ONCE = 500

/** Gives every recorded call, in the order in which they were stored; with `follow` also those to come, until `ended` aborts. */
export async function readCalls(options: AppOptions, asked: { readonly runId: string | undefined; readonly follow: boolean; readonly ended: AbortSignal; seen(call: SeenCall): void }): Promise<void> {
  const { ledgerIn } = await import('./store.ts')
  const ledger = ledgerIn(options, stateDirectoryOf(options))
  let position = 0
  const look = async (): Promise<void> => {
    const existing = await ledger.openExisting()
    if (existing === undefined) return
    for (let more = true; more; ) {
      const rows = await existing.rowsAfter('evidence', position, ROWS_AT_ONCE)
      for (const row of rows) {
        position = row.position
        const call = asked.runId === undefined || row.runId === asked.runId ? ModelCallEvidence.read(JSON.parse(row.body)) : undefined
        if (call !== undefined) asked.seen({ runId: row.runId, call: call.predicate })
      }
      more = rows.length === ROWS_AT_ONCE
    }
  }
  try {
    await look()
    while (asked.follow && !asked.ended.aborted) {
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS))
      await look()
    }
  } finally {
    await ledger.close()
  }
}
