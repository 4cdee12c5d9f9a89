import type { Kysely, Selectable } from 'kysely'
import { AgentCondition, AgentRecord, type AgentStore, AgentStep } from '../../engine/index.ts'
import type { Tables } from './schema.ts'

type Guard = <Result>(operation: string, action: () => Promise<Result>) => Promise<Result>

/** Agents as this store has them. `guarded` turns what SQLite throws into a fault of ours; `beat` writes the time of a heartbeat. */
export function agentStore(database: Kysely<Tables>, guarded: Guard, beat: AgentStore['heartbeat']): AgentStore {
  const records = () => database.selectFrom('agent').innerJoin('agent_generation', (join) => join.onRef('agent_generation.name', '=', 'agent.name').onRef('agent_generation.generation', '=', 'agent.generation')).selectAll('agent').select('agent_generation.path as path')
  return {
    all: () => guarded('read', async () => (await records().orderBy('agent.name').execute()).map(recordOf)),
    find: (name) =>
      guarded('read', async () => {
        const row = await records().where('agent.name', '=', name).executeTakeFirst()
        return row === undefined ? undefined : recordOf(row)
      }),
    conditions: (name) => guarded('read', async () => (await database.selectFrom('agent_condition').selectAll().where('name', '=', name).orderBy('type').execute()).map(conditionOf)),
    steps: (name) => guarded('read', async () => (await database.selectFrom('agent_step').selectAll().where('name', '=', name).orderBy('position').execute()).map(stepOf)),
    lastEvidence: (runId, predicateType) =>
      guarded('read', async () => {
        // Stored as canonical JSON, so that the member has one spelling; whoever reads the statement checks it whole.
        const row = await database.selectFrom('entry').select('body').where('run_id', '=', runId).where('kind', '=', 'evidence').where('body', 'like', `%"predicateType":${JSON.stringify(predicateType)}%`).orderBy('position', 'desc').limit(1).executeTakeFirst()
        const statement: unknown = row === undefined ? undefined : JSON.parse(row.body)
        return statement
      }),
    opening: (runId) =>
      guarded('read', async () => {
        const row = await database.selectFrom('entry').select('body').where('run_id', '=', runId).where('kind', '=', 'event').orderBy('position').limit(1).executeTakeFirst()
        const event: unknown = row === undefined ? undefined : JSON.parse(row.body)
        return event
      }),
    heartbeat: (name, at) => guarded('write', () => beat(name, at)),
  }
}

const recordOf = (row: Selectable<Tables['agent']> & { readonly path: string }): AgentRecord =>
  AgentRecord.parse({
    name: row.name, deployment: row.deployment, generation: row.generation, runId: row.run_id, path: row.path, state: row.state, stage: row.stage, reason: row.reason, message: row.message,
    provenUntil: row.proven_until, failures: row.failures, heartbeatAt: row.heartbeat_at, changedAt: row.changed_at,
  })

const conditionOf = (row: Selectable<Tables['agent_condition']>): AgentCondition =>
  AgentCondition.parse({ type: row.type, status: row.status, reason: row.reason, message: row.message, lastTransitionTime: row.last_transition_at, observedGeneration: row.observed_generation })

const stepOf = (row: Selectable<Tables['agent_step']>): AgentStep =>
  AgentStep.parse({ position: row.position, name: row.name, generation: row.generation, runId: row.run_id, path: row.path, from: row.from_state, to: row.to_state, stage: row.stage, reason: row.reason, message: row.message, at: row.at })
