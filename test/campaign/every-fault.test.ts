/** The faults of REL-08 at every gate, through a whole run over a real store. What somebody can bring about from outside is in every-fault-outside.test.ts. */
import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import { type GateDefinition, gateOf, runGate } from '../../src/contract/gate.ts'
import { type GateName, LIFECYCLE } from '../../src/contract/lifecycle.ts'
import type { Verdict } from '../../src/contract/verdict.ts'
import { acceptanceGate } from '../../src/gates/acceptance/index.ts'
import { admissionGate } from '../../src/gates/admission/index.ts'
import { catalogGate } from '../../src/gates/catalog/index.ts'
import { dispatchGate } from '../../src/gates/dispatch/index.ts'
import { healthGate } from '../../src/gates/health/index.ts'
import { launchGate } from '../../src/gates/launch/index.ts'
import { readinessGate } from '../../src/gates/readiness/index.ts'
import { reportGate } from '../../src/gates/report/index.ts'
import { wireGate } from '../../src/gates/wire/index.ts'
import { type Fault, FAULTS, passes, problemsOf, problemsOfStore, runWith, SEAMS, STORE_FAULTS } from '../helpers/every-fault.ts'
import { verifies } from '../verifies.ts'

/** What ends with the file, and not with the test that began it. */
const endings: (() => unknown)[] = []
after(async () => {
  for (const end of endings.toReversed()) await end()
})
const ending = { after: (end: () => unknown): void => void endings.push(end) } as Pick<TestContext, 'after'> as TestContext

const atOnce = (Object.keys(FAULTS) as Fault[]).filter((fault) => fault !== 'late')

let lateRuns: ReadonlyMap<GateName, Promise<string[]>> | undefined
/** All that is late is waited for at the same time: each waits for the limit of its gate, and uses nothing of the machine meanwhile. */
const late = async (gate: GateName): Promise<readonly string[]> => {
  lateRuns ??= new Map(LIFECYCLE.map((each) => [each, runWith(ending, each, FAULTS.late as () => never).then((made) => problemsOf(made, each)).catch((error: unknown) => [String(error)])]))
  return (await lateRuns.get(gate)) ?? ['it was not tried']
}

test('every gate of the lifecycle is in the matrix, and every gate passes where nothing is at fault', async (context) => {
  assert.deepEqual([Object.keys(SEAMS), Object.keys(NEVER)], [[...LIFECYCLE], [...LIFECYCLE]])
  for (const gate of LIFECYCLE) await passes(context, gate)
})

for (const gate of LIFECYCLE) {
  verifies('REL-08', `${gate}: whatever becomes of what it asks for, the run is blocked with a reason and an exit code of its own`, async (context) => {
    const found = new Map<string, readonly string[]>()
    const slow = late(gate)
    for (const fault of atOnce) found.set(fault, await problemsOf(await runWith(context, gate, FAULTS[fault] as () => never), gate))
    for (const fault of STORE_FAULTS) found.set(fault, await problemsOfStore(context, gate, fault))
    found.set('late', await slow)
    assert.equal(found.size, Object.keys(FAULTS).length + STORE_FAULTS.length)
    assert.deepEqual([...found].filter(([, problems]) => problems.length > 0), [])
  })
}

const never = <Facts>(definition: GateDefinition<Facts>): Promise<Verdict> => {
  const subject = { name: 'a thing', digest: { sha256: 'a'.repeat(64) } }
  const gate = gateOf<null, Facts>(definition, { policy: subject, timeoutMs: 20, subject: [subject], observe: () => new Promise(() => undefined), keep: () => assert.fail('it saw nothing') })
  return runGate(gate, null, { runId: '20261120T213918Z-t-1', sequence: 0, previous: null, subject: [subject] }, () => new Date())
}

/** The report gate asks nobody who could be late in a run, so each gate is tried by itself as well. */
const NEVER: Readonly<Record<GateName, () => Promise<Verdict>>> = {
  catalog: () => never(catalogGate),
  admission: () => never(admissionGate),
  health: () => never(healthGate),
  launch: () => never(launchGate),
  readiness: () => never(readinessGate),
  dispatch: () => never(dispatchGate),
  wire: () => never(wireGate),
  acceptance: () => never(acceptanceGate),
  report: () => never(reportGate),
}

for (const gate of LIFECYCLE) {
  verifies('REL-08', `${gate}: what it asks for never comes, and it is closed when its time is over`, async () => {
    const verdict = await NEVER[gate]()
    assert.deepEqual([verdict.gate, verdict.outcome, verdict.outcome === 'block' && verdict.reason], [gate, 'block', 'gate_timed_out'])
  })
}
