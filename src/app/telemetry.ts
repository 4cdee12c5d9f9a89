import { guardedClient } from '../adapters/outgoing/index.ts'
import { TelemetryFollower } from '../adapters/telemetry/index.ts'
import type { Metrics } from '../adapters/metrics/index.ts'
import { milliseconds } from '../contract/units.ts'
import { type AgentStore, parseNote, type TelemetrySettings, type World } from '../engine/index.ts'
import { judgeProviderUrl } from '../gates/catalog/index.ts'
import { usage } from './places.ts'

/** How often what was added to the ledger is told. */
export const SWEEP_MS = 1_000

export interface Telemetry {
  sweep(): Promise<void>
  /** What was written last, as far as the limit allows; it never fails. */
  last(limit: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Tells a collector what is written from now on. Throws `usage` for an address that may not be called. */
export async function openTelemetry(settings: TelemetrySettings, world: World, store: AgentStore, metrics: Metrics): Promise<Telemetry> {
  const { endpoint, allow, timeout } = settings
  const permission = { addresses: allow?.addresses ?? [], networks: allow?.networks ?? [] }
  const judged = judgeProviderUrl(endpoint, permission)
  if (!judged.ok) throw usage('a collector of OpenTelemetry that may be called', judged.found, 'Name its address under server.telemetry.allow in portcullis.yaml, as in addresses: [127.0.0.1:4318], or leave telemetry out.')
  const timeoutMs = milliseconds(timeout)
  const client = guardedClient(permission, timeoutMs)
  const ending = new AbortController()
  const follower = new TelemetryFollower({
    endpoint, client, timeoutMs,
    version: world.versions.portcullis,
    scanner: world.scanner,
    after: parseNote((await world.archive.head()).note)?.checkpoint.size ?? 0,
    rowsAfter: (kind, position, most) => world.ledger.rowsAfter(kind, position, most),
    opening: (runId) => store.opening(runId),
    sent: metrics.traced,
    lost: metrics.untraced,
  })
  return {
    sweep: () => follower.sweep(ending.signal),
    last: async (limit) => {
      const over = new Promise<void>((resolve) => (limit.aborted ? resolve() : limit.addEventListener('abort', () => resolve(), { once: true })))
      await Promise.race([follower.sweep(limit).catch(() => undefined), over])
    },
    close: async () => {
      ending.abort()
      await client.close()
    },
  }
}
