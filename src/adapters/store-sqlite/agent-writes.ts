import type { DatabaseSync } from 'node:sqlite'
import type { AgentBirth, AgentChange } from '../../engine/index.ts'

/** The writes of agents, for use inside the transaction of the rows that they follow from. */
export class AgentWrites {
  readonly #statements

  constructor(database: DatabaseSync) {
    this.#statements = {
      generation: database.prepare('INSERT INTO agent_generation (name, generation, run_id, path, began_at) SELECT ?1, coalesce(max(generation), 0) + 1, ?2, ?3, ?4 FROM agent_generation WHERE name = ?1 RETURNING generation'),
      born: database.prepare(`INSERT INTO agent (name, deployment, generation, run_id, state, stage, reason, message, proof, proven_until, failures, heartbeat_at, changed_at)
        VALUES (?1, ?2, ?3, ?4, 'provisioning', 'provisioning', NULL, ?5, NULL, NULL, 0, NULL, ?6)
        ON CONFLICT (name) DO UPDATE SET deployment = ?2, generation = ?3, run_id = ?4, state = 'provisioning', stage = 'provisioning', reason = NULL, message = ?5, proof = NULL, proven_until = NULL, failures = 0, heartbeat_at = NULL, changed_at = ?6`),
      forget: database.prepare('DELETE FROM agent_condition WHERE name = ?'),
      proof: database.prepare(`SELECT position, json_extract(body, '$.expiresAt') AS expires FROM entry WHERE run_id = ? AND kind = 'verdict' ORDER BY sequence DESC LIMIT 1`),
      change: database.prepare('UPDATE agent SET state = ?, stage = ?, reason = ?, message = ?, proof = ?, proven_until = ?, failures = ?, changed_at = ? WHERE name = ? AND generation = ? AND run_id = ?'),
      condition: database.prepare(`INSERT INTO agent_condition (name, type, status, reason, message, last_transition_at, observed_generation) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (name, type) DO UPDATE SET last_transition_at = CASE WHEN status = excluded.status THEN last_transition_at ELSE excluded.last_transition_at END,
        status = excluded.status, reason = excluded.reason, message = excluded.message, observed_generation = excluded.observed_generation`),
    }
  }

  birth(runId: string, { name, deployment, path, message, at }: AgentBirth): void {
    const row = this.#statements.generation.get(name, runId, path, at.toISOString())
    if (typeof row?.['generation'] !== 'number') throw new Error(`no generation of ${name}`)
    this.#statements.born.run(name, deployment, row['generation'], runId, message, at.toISOString())
    this.#statements.forget.run(name)
  }

  change(runId: string, change: AgentChange): void {
    const { name, generation, to, stage, reason, message, failures, at } = change
    const proof = change.proof === null ? undefined : this.#statements.proof.get(runId)
    const position = typeof proof?.['position'] === 'number' ? proof['position'] : null
    const expires = typeof proof?.['expires'] === 'string' ? proof['expires'] : null
    const { changes } = this.#statements.change.run(to, stage, reason, message, position, expires, failures, at.toISOString(), name, generation, runId)
    // Another generation has begun since: what was found out about the one before must not touch it.
    if (Number(changes) !== 1) throw new Error(`no generation ${generation} of agent ${name} any more`)
    for (const condition of change.conditions) this.#statements.condition.run(name, condition.type, condition.status, condition.reason, condition.message, at.toISOString(), generation)
  }
}
