import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentStage, NAME } from '../helpers/agent-stage.ts'
import { verifies } from '../verifies.ts'

verifies('RDY-40 RDY-43', 'a process with its seed proves itself; without it the same agent fails with everything that is missing', async (context) => {
  const seeded = await agentStage(context, 'process')
  assert.partialDeepStrictEqual(await seeded.host.start(NAME, 'create'), { ok: true, generation: 1, access: null })
  assert.equal((await seeded.until('online', 'failed')).state, 'online', JSON.stringify(await seeded.record()))
  assert.equal((await seeded.host.route(NAME)).ok, true)
  await seeded.host.stop(NAME)
  assert.equal(await seeded.standing(), 'offline agent_stopped')
  const bare = await agentStage(context, 'process', { seed: false })
  await bare.host.start(NAME, 'create')
  const failed = await bare.until('online', 'failed')
  assert.deepEqual([failed.state, failed.stage, failed.reason], ['failed', 'readiness', 'missing_identity'], JSON.stringify(failed))
})
