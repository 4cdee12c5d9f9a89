import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import type { GateName } from '../../contract/lifecycle.ts'
import { Verdict } from '../../contract/verdict.ts'
import { AGENT_STATES, AGENT_TRANSITIONS, type AgentChange, type AgentState } from '../../engine/index.ts'
import { agentSubject } from '../../gates/readiness/index.ts'
import { openLedger, type StoredLedger } from './index.ts'

const NAME = 'concierge'

interface Stored {
  readonly ledger: StoredLedger
  /** Another connection, as anybody who can reach the file has one. */
  readonly other: DatabaseSync
  /** Begins a generation and gives its run. */
  birth(): Promise<string>
  gates(runId: string, gates: readonly GateName[]): Promise<void>
  /** Appends a readiness verdict, and the change with it. */
  prove(runId: string, generation: number, change?: Partial<AgentChange>, verdict?: Record<string, unknown>): Promise<void>
  change(runId: string, generation: number, to: AgentState, more?: Partial<AgentChange>): Promise<void>
}

async function stored(context: TestContext): Promise<Stored> {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const ledger = await openLedger(path)
  const other = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  context.after(async () => {
    other.close()
    await ledger.close()
  })
  const sequences = new Map<string, number>()
  const verdict = (runId: string, gate: GateName, generation: number, change: Record<string, unknown> = {}): Verdict => {
    const sequence = sequences.get(runId) ?? 0
    sequences.set(runId, sequence + 1)
    return Verdict.parse({
      gate, runId, sequence, subject: [agentSubject(NAME, runId, generation)], policy: { name: 'p', digest: { sha256: 'b'.repeat(64) } }, decidedAt: new Date().toISOString(), evidence: ['c'.repeat(64)], previous: null,
      message: 'm', ...(change['outcome'] === 'block' ? {} : { outcome: 'pass', expiresAt: new Date(Date.now() + 60_000).toISOString() }), ...change,
    })
  }
  const changeOf = (generation: number, to: AgentState, more: Partial<AgentChange>): AgentChange => ({ name: NAME, generation, to, stage: 'readiness', reason: to === 'failed' || to === 'degraded' ? 'missing_model' : null, message: 'why', failures: 0, at: new Date(), proof: null, conditions: [], ...more })
  return {
    ledger,
    other,
    birth: async () => {
      const { runId } = await ledger.begin({ kind: 'agent', taskId: NAME, startedAt: new Date() })
      await ledger.append({ runId, birth: { name: NAME, deployment: 'desk', path: 'create', message: 'begun', at: new Date() } })
      return runId
    },
    gates: async (runId, gates) => {
      for (const gate of gates) await ledger.append({ runId, verdict: verdict(runId, gate, 1) })
    },
    prove: (runId, generation, change = {}, changed = {}) => ledger.append({ runId, verdict: verdict(runId, 'readiness', generation, changed), agent: changeOf(generation, 'online', { proof: 'verdict', ...change }) }),
    change: (runId, generation, to, more = {}) => ledger.append({ runId, agent: changeOf(generation, to, more) }),
  }
}

const BEFORE = ['catalog', 'admission', 'health'] as const
const needsProof = /online needs a proof in force of the same run and generation/

verifies('RDY-11 RDY-13', 'online is written with its passing verdict, and a raw write without one fails', async (context) => {
  const { ledger, other, birth, gates, prove } = await stored(context)
  const runId = await birth()
  for (const statement of [
    "UPDATE agent SET state = 'online'",
    "UPDATE agent SET state = 'online', proof = 1, proven_until = '2999-01-01T00:00:00.000Z'",
    `INSERT INTO agent VALUES ('raw', 'desk', 1, '${runId}', 'online', 'serving', NULL, '', NULL, NULL, 0, NULL, 'now')`,
  ]) assert.throws(() => other.exec(statement), /portcullis:|CHECK|FOREIGN KEY/, statement)
  await gates(runId, BEFORE)
  const position = Number(other.prepare('SELECT max(position) AS last FROM entry').get()?.['last'])
  assert.throws(() => other.exec(`UPDATE agent SET state = 'online', proof = ${position}, proven_until = (SELECT json_extract(body, '$.expiresAt') FROM entry WHERE position = ${position})`), needsProof, 'a pass of another gate')
  assert.equal((await ledger.agents.find(NAME))?.state, 'provisioning')
  await prove(runId, 1)
  const online = await ledger.agents.find(NAME)
  assert.deepEqual([online?.state, online?.generation, online?.runId, online?.provenUntil === null], ['online', 1, runId, false])
  assert.throws(() => other.exec("UPDATE agent SET proven_until = '2999-01-01T00:00:00.000Z'"), needsProof)
})

verifies('RDY-21 RDY-47', 'neither an expired proof nor one of another generation makes an agent online', async (context) => {
  for (const wrong of [{ expiresAt: new Date(Date.now() - 1).toISOString() }, { subject: [agentSubject(NAME, 'another', 2)] }]) {
    const { ledger, birth, gates, prove } = await stored(context)
    const runId = await birth()
    await gates(runId, BEFORE)
    await assert.rejects(prove(runId, 1, {}, wrong), { code: 'store_failed' })
    assert.equal((await ledger.agents.find(NAME))?.state, 'provisioning')
  }
})

verifies('RDY-21 RDY-47', 'a proof that a later verdict overtook, or of the generation before, keeps nobody online', async (context) => {
  const { ledger, other, birth, gates, prove, change } = await stored(context)
  const runId = await birth()
  await gates(runId, BEFORE)
  await prove(runId, 1)
  const raw = ({ proof, until }: Record<string, unknown>) => `UPDATE agent SET state = 'online', reason = NULL, proof = ${String(proof)}, proven_until = '${String(until)}'`
  const earlier = other.prepare('SELECT proof, proven_until AS until FROM agent').get() ?? {}
  await prove(runId, 1, { to: 'degraded', proof: null, reason: 'missing_model' }, { outcome: 'block', reason: 'missing_model', asked: 'a', found: 'f', remedy: 'r' })
  assert.throws(() => other.exec(raw(earlier)), needsProof)
  await birth()
  assert.throws(() => other.exec(raw(earlier)), needsProof)
  assert.equal((await ledger.agents.find(NAME))?.generation, 2)
  await assert.rejects(change(runId, 1, 'offline'), { code: 'store_failed' }, 'what was found out about an earlier generation')
})

verifies('RDY-19', 'failed is left by a new generation, and by nothing else', async (context) => {
  const { ledger, other, birth, gates, prove, change } = await stored(context)
  const runId = await birth()
  await gates(runId, BEFORE)
  await change(runId, 1, 'failed')
  for (const to of ['provisioning', 'online', 'degraded', 'offline', 'draining'] as const) await assert.rejects(change(runId, 1, to), { code: 'store_failed' }, to)
  await assert.rejects(prove(runId, 1), { code: 'store_failed' })
  assert.throws(() => other.exec("UPDATE agent SET state = 'provisioning', reason = NULL"), /no such transition/)
  const next = await birth()
  assert.deepEqual([(await ledger.agents.find(NAME))?.state, (await ledger.agents.find(NAME))?.runId], ['provisioning', next])
})

test('within a generation the store lets an agent go only where the table of transitions says', async (context) => {
  for (const from of AGENT_STATES) {
    for (const to of AGENT_STATES) {
      if (to === from || to === 'online' || from === 'removed') continue
      const { birth, gates, prove, change } = await stored(context)
      const runId = await birth()
      await gates(runId, BEFORE)
      if (from === 'online' || from === 'degraded') await prove(runId, 1)
      if (from !== 'online' && from !== 'provisioning') await change(runId, 1, from)
      const allowed = (AGENT_TRANSITIONS[from] as readonly AgentState[]).includes(to)
      if (allowed) await change(runId, 1, to)
      else await assert.rejects(change(runId, 1, to), { code: 'store_failed' }, `${from} to ${to}`)
    }
  }
})

verifies('RDY-24 RDY-44 RDY-45', 'the store itself writes each step, in order and with run, stage, reason and time, also of a raw write; none can be changed or left out', async (context) => {
  const { ledger, other, birth, gates, prove, change } = await stored(context)
  const first = await birth()
  await gates(first, BEFORE)
  await prove(first, 1)
  await change(first, 1, 'degraded', { reason: 'agent_probe_timeout', message: 'no answer', failures: 1 })
  await change(first, 1, 'failed', { reason: 'agent_lost', message: 'three times' })
  other.exec("UPDATE agent SET message = 'by hand'")
  await birth()
  const steps = await ledger.agents.steps(NAME)
  assert.deepEqual(steps.map(({ from, to, generation, reason }) => [from, to, generation, reason]), [
    [null, 'provisioning', 1, null], ['provisioning', 'online', 1, null], ['online', 'degraded', 1, 'agent_probe_timeout'], ['degraded', 'failed', 1, 'agent_lost'], ['failed', 'failed', 1, 'agent_lost'], ['failed', 'provisioning', 2, null],
  ])
  assert.ok(steps.every(({ at, runId, stage }) => !Number.isNaN(Date.parse(at)) && runId.includes(NAME) && stage.length > 0))
  for (const statement of ["UPDATE agent_step SET message = 'x'", 'DELETE FROM agent_step', 'DELETE FROM agent', 'DELETE FROM agent_generation', 'UPDATE agent_generation SET generation = 7', "UPDATE agent SET name = 'other'", "INSERT INTO agent_step SELECT 99, name, generation, run_id, path, from_state, to_state, stage, reason, 'made up', '2020' FROM agent_step LIMIT 1"]) {
    assert.throws(() => other.exec(statement), /portcullis:/, statement)
  }
  assert.throws(() => other.exec("UPDATE agent SET state = 'failed', reason = NULL"), /CHECK/, 'a failure without a reason')
})

verifies('RDY-14', 'a heartbeat changes the time of the last one, and nothing else', async (context) => {
  const { ledger, birth, gates, change } = await stored(context)
  const runId = await birth()
  await gates(runId, BEFORE)
  for (const state of ['provisioning', 'failed'] as const) {
    if (state === 'failed') await change(runId, 1, 'failed')
    const before = await ledger.agents.find(NAME)
    await ledger.agents.heartbeat(NAME, new Date('2026-11-21T09:00:00Z'))
    assert.deepEqual(await ledger.agents.find(NAME), { ...before, heartbeatAt: '2026-11-21T09:00:00.000Z' })
  }
})

test('heartbeats of many agents become durable together, the last of each; one that waits is written before the store closes', async (context) => {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const ledger = await openLedger(path)
  const names = Array.from({ length: 20 }, (_each, index) => `agent-${index}`)
  for (const name of names) {
    const { runId } = await ledger.begin({ kind: 'agent', taskId: name, startedAt: new Date() })
    await ledger.append({ runId, birth: { name, deployment: 'desk', path: 'create', message: 'begun', at: new Date() } })
  }
  const other = new DatabaseSync(path)
  context.after(() => other.close())
  const logged = (): number => statSync(`${path}-wal`).size / 4_120
  const before = logged()
  await Promise.all([1_000, 2_000].flatMap((at) => names.map((name) => ledger.agents.heartbeat(name, new Date(at)))))
  const heard = (): unknown[] => other.prepare('SELECT DISTINCT heartbeat_at FROM agent').all().map((row) => row['heartbeat_at'])
  assert.deepEqual(heard(), [new Date(2_000).toISOString()])
  assert.ok(logged() - before < names.length, `${logged() - before} pages: one commit for all of them`)
  const last = ledger.agents.heartbeat('agent-3', new Date(3_000))
  await ledger.close()
  await last
  assert.equal(heard().length, 2)
})

test('a condition keeps the time of its last transition until its status changes', async (context) => {
  const { ledger, birth, change } = await stored(context)
  const runId = await birth()
  const condition = (status: 'True' | 'False', message: string) => ({ conditions: [{ type: 'Ready' as const, status, reason: 'X', message }] })
  await change(runId, 1, 'provisioning', { at: new Date(1_000), ...condition('False', 'one') })
  await change(runId, 1, 'provisioning', { at: new Date(2_000), ...condition('False', 'two') })
  assert.deepEqual(await ledger.agents.conditions(NAME), [{ type: 'Ready', status: 'False', reason: 'X', message: 'two', lastTransitionTime: new Date(1_000).toISOString(), observedGeneration: 1 }])
  await change(runId, 1, 'provisioning', { at: new Date(3_000), ...condition('True', 'three') })
  assert.equal((await ledger.agents.conditions(NAME))[0]?.lastTransitionTime, new Date(3_000).toISOString())
})

test('a generation has a run of its own, of its own agent, and no licence before its gates passed', async (context) => {
  const { ledger, birth, gates } = await stored(context)
  const first = await birth()
  const again = { name: NAME, deployment: 'desk', path: 'create' as const, message: 'm', at: new Date() }
  await assert.rejects(ledger.append({ runId: first, birth: again }), { code: 'store_failed' })
  const task = await ledger.begin({ kind: 'task', taskId: NAME, startedAt: new Date() })
  await assert.rejects(ledger.append({ runId: task.runId, birth: again }), { code: 'store_failed' })
  const others = await ledger.begin({ kind: 'agent', taskId: 'another', startedAt: new Date() })
  await assert.rejects(ledger.append({ runId: others.runId, birth: again }), { code: 'store_failed' })
  const licence = { runId: first, events: [{ type: 'agent_licensed' as const, at: new Date().toISOString(), data: {} }] }
  await assert.rejects(ledger.append(licence), { code: 'store_failed' })
  await gates(first, BEFORE)
  await ledger.append(licence)
})
