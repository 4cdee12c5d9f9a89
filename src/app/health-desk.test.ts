import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openAccessStore, openLedger } from '../adapters/store-sqlite/index.ts'
import type { App } from '../app.ts'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { verifies } from '../../test/verifies.ts'
import { HealthDesk } from './health-desk.ts'

const HOUR_MS = 3_600_000
const PROFILE = 'pi_scripted'

interface Watched {
  readonly probes: readonly Date[]
  wall: number
  steady: number
  /** A server that looks at the same store, with its own memory. */
  server(): HealthDesk
  pass(milliseconds: number): void
}

/** Servers over a real store, with the example's one profile that is probed every day, and a clock and a time of the test. */
async function watched(context: TestContext): Promise<Watched> {
  const directory = temporaryDirectory(context)
  cpSync(join(import.meta.dirname, '../../examples/slugify'), directory, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  const path = join(directory, '.portcullis/ledger.db')
  const [ledger, store] = [await openLedger(path), await openAccessStore(path)]
  context.after(async () => {
    await ledger.close()
    await store.close()
  })
  const probes: Date[] = []
  const clock = (): Date => new Date(made.wall)
  const probe: App['probe'] = async ({ profiles }) => {
    const startedAt = clock()
    probes.push(startedAt)
    const { runId } = await ledger.begin({ kind: 'probe', taskId: PROFILE, startedAt })
    await ledger.append({ runId, events: [{ type: 'run_opened', at: startedAt.toISOString(), data: { profile: PROFILE } }], state: { to: 'blocked', reason: 'provider_unreachable', at: startedAt } })
    const record = { profile: profiles[0] ?? '', run_id: runId, static_ok: true, healthy: false, stage: 'health' as const, reason: 'provider_unreachable' as const, message: '', pair: null, served_model: null, latency_ms: null, tools: null, refusal: null }
    return { records: [record], exitCode: 3 }
  }
  const options = { cwd: directory, configurationPath: undefined, stateDirectory: undefined, environment: {}, homeDirectory: directory, clock }
  const made: Watched = {
    probes, wall: Date.parse('2026-11-21T12:00:00.000Z'), steady: 1_000,
    server: () => new HealthDesk({ options, app: { probe }, ledger, store, log: { info: () => undefined, error: () => undefined }, steadyMs: () => made.steady }),
    pass: (milliseconds) => {
      made.wall += milliseconds
      made.steady += milliseconds
    },
  }
  return made
}

for (const jumpMs of [-HOUR_MS, 2 * HOUR_MS, -30 * HOUR_MS, 30 * HOUR_MS]) {
  verifies('REL-07', `the wall clock jumps by ${jumpMs / HOUR_MS} h: no probe is skipped and none doubled, by two servers on one store`, async (context) => {
    const made = await watched(context)
    const servers = [made.server(), made.server()]
    const look = async (): Promise<number> => {
      await Promise.all(servers.map((server) => server.sweep()))
      return made.probes.length
    }
    assert.equal(await look(), 1, 'one probe at the start')
    made.pass(60_000)
    assert.equal(await look(), 1)
    made.wall += jumpMs
    for (let minute = 0; minute < 90; minute += 30) {
      made.pass(30 * 60_000)
      assert.equal(await look(), 1, `${minute} minutes after the jump`)
    }
    made.pass(21 * HOUR_MS)
    assert.equal(await look(), 1, 'before the interval')
    made.pass(2 * HOUR_MS)
    assert.equal(await look(), 2, 'once the interval is over')
    // A minute later each has seen it.
    made.pass(61_000)
    assert.equal(await look(), 2)
    made.wall -= jumpMs
    made.pass(HOUR_MS)
    assert.equal(await look(), 2)
    made.pass(24 * HOUR_MS)
    assert.equal(await look(), 3, 'and after another')
  })
}

verifies('MC-103', 'a server that starts again probes once at its start, and a probe that nobody finished to claim is tried again an interval later', async (context) => {
  const made = await watched(context)
  await made.server().sweep()
  made.pass(HOUR_MS)
  const again = made.server()
  await again.sweep()
  made.pass(HOUR_MS)
  await again.sweep()
  assert.equal(made.probes.length, 2)
})
