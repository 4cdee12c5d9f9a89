import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GateName, LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { type Fault, FAULTS, passes, problemsOf, problemsOfStore, runWith, SEAMS, STORE_FAULTS } from '../helpers/every-fault.ts'
import { verifies } from '../verifies.ts'

const faults = Object.keys(FAULTS) as Fault[]

test('every gate of the lifecycle is in the matrix, and every gate passes where nothing is at fault', async (context) => {
  assert.deepEqual(Object.keys(SEAMS), [...LIFECYCLE])
  for (const gate of LIFECYCLE) await passes(context, gate)
})

for (const gate of LIFECYCLE) {
  verifies('REL-08', `${gate}: whatever becomes of what it asks for, the run is blocked with a reason and an exit code of its own`, async (context) => {
    const found: string[] = []
    await Promise.all(faults.map(async (fault) => {
      const made = await runWith(context, gate, FAULTS[fault] as () => never)
      for (const problem of await problemsOf(made, gate)) found.push(`${gate}, ${fault}: ${problem}`)
    }))
    for (const fault of STORE_FAULTS) for (const problem of await problemsOfStore(context, gate as GateName, fault)) found.push(`${gate}, ${fault}: ${problem}`)
    assert.deepEqual(found, [])
  })
}
