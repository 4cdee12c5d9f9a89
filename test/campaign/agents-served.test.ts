import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CONFIGURATION } from '../e2e/scenario.ts'
import { NAME } from '../helpers/agent-stage.ts'
import type { Assistant } from '../helpers/assistant.ts'
import { assistantOf, handOver, type ServedAgents, servedAgents } from '../helpers/served-agents.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

/** How each fixture agent ends, whatever the path. */
const ENDS = {
  'no-model': 'failed MISSING_MODEL',
  'other-model': 'failed MODEL_MISMATCH',
  'no-mcp': 'failed MISSING_MCP_SERVER',
  'dead-mcp': 'failed MISSING_MCP_SERVER',
  'missing-tool': 'failed MISSING_TOOL',
  generic: 'failed MISSING_IDENTITY',
  'other-card': 'failed IDENTITY_MISMATCH',
  'older-generation': 'failed IDENTITY_MISMATCH',
  'digest-only': 'failed IDENTITY_MISMATCH',
  'wrong-build': 'failed STALE_DEPLOYMENT',
  'card-to-metadata': 'failed agent_card_url_rejected',
  gone: 'failed PROVISION_TIMEOUT',
  silent: 'failed PROVISION_TIMEOUT',
  none: 'online',
} as const

/** What an agent that was online before it changed ends as, where that is another. */
const LOST: Readonly<Record<string, string>> = { gone: 'failed PROBE_ERROR', silent: 'failed PROBE_TIMEOUT' }

const faults = Object.entries(ENDS)

async function bench(context: TestContext, kind: 'pull' | 'push'): Promise<{ stage: ServedAgents; assistant: Assistant }> {
  const stage = await servedAgents(context, kind)
  return { stage, assistant: await assistantOf(context, stage) }
}

/** Nobody but a proven agent answers, and nobody else is even asked. */
async function answersOnly(stage: ServedAgents, assistant: Assistant, standing: string, what: string): Promise<void> {
  const heard = await assistant.heard().catch(() => undefined)
  const answer = await stage.message('Good day')
  if (standing === 'online') return assert.equal(answer.status, 200, `${what}: ${answer.text}`)
  assert.equal(answer.status, 503, `${what}: ${answer.text}`)
  const [, reason = ''] = standing.split(' ')
  assert.ok(answer.text.includes('"code": "no_ready_agent"') && answer.text.includes(reason), `${what}: ${answer.text}`)
  assert.equal(await assistant.heard().catch(() => undefined), heard, what)
}

for (const path of ['create', 'external_create', 'import', 'resume', 'configuration_refresh', 'restart', 'wake', 're_register'] as const) {
  verifies('RDY-12 RDY-19 RDY-23', `each fixture agent that begins by ${path} over HTTP ends as it must, and only the good one answers`, async (context) => {
    const { stage, assistant } = await bench(context, path === 're_register' ? 'push' : 'pull')
    const worker = path === 're_register' ? (await stage.ask('/tokens', { method: 'POST', body: { kind: 'worker', name: NAME, expires: '1h' } })).json() as { token: string } : undefined
    const begin = () => {
      if (path === 're_register') return stage.act('register', { card_url: stage.places.cardUrl }, worker?.token)
      return path === 'restart' || path === 'wake' ? stage.act(path) : stage.act('start', { path })
    }
    for (const [fault, end] of faults) {
      await assistant.set({ fault })
      await handOver(await begin(), assistant)
      const what = `${fault} by ${path}`
      assert.equal(await stage.settled(), end, `${what}: ${JSON.stringify(await stage.shown())}`)
      await answersOnly(stage, assistant, end, what)
      await assistant.set({ fault: 'none' })
    }
  })
}

for (const path of ['heartbeat_recovery', 'adoption', 'configuration_refresh'] as const) {
  verifies('RDY-12 RDY-14 RDY-20 RDY-21', `each fixture agent that was online and comes back by ${path} over HTTP ends as it must`, async (context) => {
    const { stage, assistant } = await bench(context, 'pull')
    for (const [index, [fault, end]] of faults.entries()) {
      await assistant.set({ fault: 'none' })
      const token = await handOver(await stage.act('start'), assistant)
      assert.equal(await stage.settled(), 'online', JSON.stringify(await stage.shown()))
      if (path === 'heartbeat_recovery') {
        assert.equal((await stage.act('heartbeat', { healthy: false }, token)).status, 202)
        await assistant.set({ fault })
        assert.equal((await stage.act('heartbeat', { healthy: true }, token)).status, 202)
      } else if (path === 'configuration_refresh') {
        await assistant.set({ fault })
        stage.made.set(CONFIGURATION, ['networkClasses', `far-${index}`], { external: true })
      } else {
        await assistant.set({ fault })
        // As it is told to end, and as it dies.
        await stage.restartServer(index % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
      }
      const expected = LOST[fault] ?? end
      const what = `${fault} by ${path}`
      assert.equal(await stage.until(expected, ...(expected === 'online' ? ['failed'] : [])), expected, what)
      await answersOnly(stage, assistant, expected, what)
    }
  })
}

verifies('RDY-12 RDY-41', 'each fixture agent that the server started and starts again by itself ends as it must', async (context) => {
  const faultDirectory = temporaryDirectory(context)
  const faultFile = join(faultDirectory, 'fault')
  writeFileSync(faultFile, 'none')
  // A process has to start first, on a machine that may be busy.
  const stage = await servedAgents(context, 'process', { faultDirectory, times: { startup: '15s', answer: '8s' } })
  // Of a process of ours the build is what the kernel runs, whatever it says of itself.
  for (const [fault, end] of faults.filter(([name]) => name !== 'wrong-build')) {
    writeFileSync(faultFile, 'none')
    assert.equal((await stage.act('start')).status, 202)
    assert.equal(await stage.settled(), 'online', JSON.stringify(await stage.shown()))
    const { generation } = await stage.shown()
    writeFileSync(faultFile, fault)
    process.kill(await stage.pid(), 'SIGKILL')
    for (const limit = performance.now() + 20_000; (await stage.shown()).generation === generation && performance.now() < limit; ) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.partialDeepStrictEqual(await stage.shown(), { generation: (generation ?? 0) + 1, path: 'auto_restart' })
    assert.equal(await stage.settled(), end, `${fault}: ${JSON.stringify(await stage.shown())}`)
  }
  assert.equal(await stage.server.end(), 0)
})
