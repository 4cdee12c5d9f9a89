import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { ERROR_TABLE, PortcullisError } from '../../src/contract/errors.ts'
import { type GateName, LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { exitCodeOf, REASONS } from '../../src/contract/reasons.ts'
import type { LedgerWrite, World } from '../../src/engine/index.ts'
import type { Grant } from '../../src/gates/wire/index.ts'
import { CONFIGURATION, stage, type Stage, type StageOptions } from './fake-world.ts'

/** The faults of REL-08. What a collaborator does in the place of its answer. */
export const FAULTS = {
  late: () => new Promise<never>(() => undefined),
  crash: () => {
    throw new TypeError('it broke')
  },
  'non-zero exit': () => {
    throw Object.assign(new Error('Command failed'), { code: 1, signal: null, stdout: '', stderr: '' })
  },
  'malformed JSON': () => '{"outcome":"pass","evidence":["',
  'empty output': () => '',
  '10 MB of output': () => 'x'.repeat(10 * 1_048_576),
  'wrong type': () => true,
} as const satisfies Record<string, () => unknown>
export type Fault = keyof typeof FAULTS

/** What the store does in the place of the write of a gate. */
export const STORE_FAULTS = ['partial write', 'store down'] as const
export type StoreFault = (typeof STORE_FAULTS)[number]

/** Stands in the place of one answer: gives what it was, or does what a fault does. */
type Instead = (answer: () => unknown) => never

/** The same object with some of its members replaced; its own methods keep their own `this`. */
const changed = <Target extends object>(target: Target, changes: Partial<Record<keyof Target, unknown>>): Target =>
  new Proxy(target, {
    get: (of, name) => {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name) as unknown
      const value: unknown = Reflect.get(of, name)
      return typeof value === 'function' ? (value.bind(of) as unknown) : value
    },
  })

/** Where each gate asks the world for what it judges. A gate that is missing here does not compile, and the test says which. */
export const SEAMS: Readonly<Record<GateName, (world: World, instead: Instead) => Partial<World>>> = {
  catalog: ({ loadOverride }, instead) => ({ loadOverride: async () => instead(loadOverride) }),
  admission: ({ readAdmissions }, instead) => ({ readAdmissions: async (file) => instead(() => readAdmissions(file)) }),
  health: ({ probeModel }, instead) => ({ probeModel: async (request) => instead(() => probeModel(request)) }),
  launch: ({ isolation }, instead) => ({ isolation: { reach: async (required) => instead(() => isolation.reach(required)) } }),
  readiness: ({ launcher }, instead) => ({ launcher: { ...launcher, observe: async (...asked) => instead(() => launcher.observe(...asked)) } }),
  dispatch: ({ agents }, instead) => ({
    agents: new Map([...agents].map(([name, adapter]) => [name, { ...adapter, open: async (...asked) => {
      const session = await adapter.open(...asked)
      return changed(session, { deliver: async (...given: Parameters<typeof session.deliver>) => instead(() => session.deliver(...given)) })
    } }])),
  }),
  wire: ({ openWire }, instead) => ({
    openWire: async (...asked) => {
      const wire = await openWire(...asked)
      return changed(wire, { grant: (request: Parameters<typeof wire.grant>[0]) => (request.purpose === 'agent' ? faultyGrant(wire.grant(request), instead) : wire.grant(request)) })
    },
  }),
  acceptance: ({ probeRunner }, instead) => ({ probeRunner: { run: async (request) => instead(() => probeRunner.run(request)) } }),
  report: ({ scanner }, instead) => ({ scanner: changed(scanner, { knownValues: () => instead(() => scanner.knownValues()) }) }),
}

/** The calls of the agent are asked for by the wire gate; what keeps it waiting there is the end of the licence. */
function faultyGrant(grant: Grant, instead: Instead): Grant {
  let asked = false
  return changed(grant, {
    calls: () => {
      const given: unknown = instead(() => grant.calls())
      return given instanceof Promise ? grant.calls() : given
    },
    revoke: async () => {
      await grant.revoke()
      if (asked) return
      asked = true
      let kept: readonly unknown[] | undefined
      // Only what is late can be met here: all else is met in the calls.
      try {
        kept = [instead(() => undefined)]
      } catch {
        return
      }
      if (kept[0] instanceof Promise) await kept[0]
    },
  })
}

/** Limits so short that what is late is soon late, where the limit is a setting. */
const SHORT: StageOptions = {
  configuration: {
    profiles: { p: { ...CONFIGURATION.profiles.p, limits: { ...CONFIGURATION.profiles.p.limits, total: '20s', idle: '1s' } } },
    providers: { scripted: { ...CONFIGURATION.providers.scripted, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' } } },
    probes: { tests: { ...CONFIGURATION.probes.tests, timeout: '1s' } },
  },
}

/** A run in which one gate meets what `instead` gives it. */
export const runWith = (context: TestContext, gate: GateName, instead: Instead): Promise<Stage> => stage(context, { ...SHORT, world: (world) => SEAMS[gate](world, instead) })

/** What is wrong with how a run ended that met a fault; nothing if it was blocked with a reason and a code that is none of a pass. */
export async function problemsOf(made: Stage, gate: GateName): Promise<string[]> {
  const { report } = await made.run()
  const [stored] = (await made.ledger.list()).filter(({ runId }) => runId === report.run_id)
  const known = REASONS.find((reason) => reason === report.reason)
  const after: readonly string[] = LIFECYCLE.slice(LIFECYCLE.indexOf(gate) + 1).filter((name) => name !== 'report')
  const passed = report.gates.filter(({ gate: name, outcome }) => outcome === 'pass' && after.includes(name))
  const own = report.gates.findLast(({ gate: name }) => name === gate)
  return [
    ...(report.status === 'pass' ? ['it passed'] : []),
    ...(known === undefined ? [`no reason: ${report.reason}`] : [0, null].some((code) => code === exitCodeOf(known, report.process_started)) ? ['it exits 0'] : []),
    ...(stored?.state === 'blocked' || stored?.state === 'failed' ? [] : [`the store has it as ${stored?.state}`]),
    ...(passed.length === 0 ? [] : [`${passed.map(({ gate: name }) => name).join(', ')} passed after it`]),
    // A hand-over is permitted before it fails.
    ...(own?.outcome === 'pass' && gate !== 'dispatch' ? [`${gate} passed`] : []),
  ]
}

/** The same where the store fails in the very write that holds the verdict of a gate. */
export async function problemsOfStore(context: TestContext, gate: GateName, fault: StoreFault): Promise<string[]> {
  let met = 0
  let rowsBefore = -1
  let path = ''
  const made = await stage(context, { world: ({ ledger }) => ({ ledger: changed(ledger, { append: (write: LedgerWrite) => (write.verdict?.gate === gate && (met += 1) === 1 ? failing(write) : ledger.append(write)) }) }) })
  path = join(made.directory, 'ledger.db')
  const failing = async (write: LedgerWrite): Promise<void> => {
    const other = new DatabaseSync(path)
    rowsBefore = rowsIn(other)
    // The first rows of the write are in, and the verdict behind them is not.
    if (fault === 'partial write') other.exec(`CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.kind = 'verdict' BEGIN SELECT RAISE(FAIL, 'no space'); END`)
    else await made.ledger.close()
    other.close()
    return made.ledger.append(write)
  }
  const problems = await made.run().then(({ report }) => (report.status === 'pass' || report.reason === null ? [`it ended as ${report.status}, ${report.reason}`] : []), faultProblems)
  if (met !== 1 && fault === 'store down') problems.push(`the write was tried ${met} times`)
  if (met === 0) problems.push('the gate wrote nothing')
  const other = new DatabaseSync(path)
  if (fault === 'partial write') other.exec('DROP TRIGGER full')
  if (rowsIn(other) !== rowsBefore) problems.push(`${rowsIn(other) - rowsBefore} rows of a write that failed`)
  other.close()
  const again = await openLedger(path)
  const states = (await again.list()).map(({ state }) => state)
  await again.close()
  if (states.length !== 1 || states.some((state) => state === 'accepted')) problems.push(`the store has ${states.join(', ')}`)
  return problems
}

/** A fault of the store, under its own code, is how a run ends whose verdict cannot be stored; any other is none of these. */
function faultProblems(error: unknown): string[] {
  if (!(error instanceof PortcullisError)) return [`it threw ${String(error)}`]
  return error.code.startsWith('store_') && String(ERROR_TABLE[error.code].exit) !== '0' ? [] : [`it ended with ${error.code}`]
}

const rowsIn = (database: DatabaseSync): number => Number(database.prepare('SELECT count(*) AS count FROM entry').get()?.['count'])

/** The control: nothing is at fault, so the seam itself blocks nothing. */
export async function passes(context: TestContext, gate: GateName): Promise<void> {
  let asked = 0
  const made = await runWith(context, gate, ((answer: () => unknown) => ((asked += 1), answer())) as Instead)
  const { report } = await made.run()
  assert.equal(report.status, 'pass', `${gate}: ${JSON.stringify(report.refusal)}`)
  assert.ok(asked > 0, `${gate} asks nothing where the fault would be`)
}
