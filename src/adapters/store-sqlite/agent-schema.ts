import type { Generated } from 'kysely'
import { REASONS } from '../../contract/reasons.ts'
import { AGENT_STAGES, AGENT_STATES, AGENT_TRANSITIONS, CONDITION_TYPES } from '../../engine/index.ts'
import { AGENT_PATHS } from '../../gates/readiness/index.ts'

export interface AgentTables {
  agent_generation: { name: string; generation: number; run_id: string; path: string; began_at: string }
  agent: {
    name: string
    deployment: string
    generation: number
    run_id: string
    state: string
    stage: string
    reason: string | null
    message: string
    proof: number | null
    proven_until: string | null
    failures: number
    heartbeat_at: string | null
    changed_at: string
  }
  agent_step: {
    position: Generated<number>
    name: string
    generation: number
    run_id: string
    path: string
    from_state: string | null
    to_state: string
    stage: string
    reason: string | null
    message: string
    at: string
  }
  agent_condition: { name: string; type: string; status: string; reason: string; message: string; last_transition_at: string; observed_generation: number }
}

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ')

export const AGENT_TABLES = [
  `CREATE TABLE agent_generation (
    name TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    run_id TEXT NOT NULL UNIQUE REFERENCES run (run_id),
    path TEXT NOT NULL CHECK (path IN (${list(AGENT_PATHS)})),
    began_at TEXT NOT NULL,
    PRIMARY KEY (name, generation),
    UNIQUE (name, generation, run_id)
  ) STRICT`,
  // Online and its proof are one thing: neither is there without the other (RDY-13).
  `CREATE TABLE agent (
    name TEXT PRIMARY KEY,
    deployment TEXT NOT NULL,
    generation INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (${list(AGENT_STATES)})),
    stage TEXT NOT NULL CHECK (stage IN (${list(AGENT_STAGES)})),
    reason TEXT CHECK (reason IN (${list(REASONS)})),
    message TEXT NOT NULL,
    proof INTEGER REFERENCES entry (position),
    proven_until TEXT,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    heartbeat_at TEXT,
    changed_at TEXT NOT NULL,
    FOREIGN KEY (name, generation, run_id) REFERENCES agent_generation (name, generation, run_id),
    CHECK ((state = 'online') = (proof IS NOT NULL)),
    CHECK ((proof IS NULL) = (proven_until IS NULL)),
    CHECK (state NOT IN ('failed', 'degraded') OR (reason IS NOT NULL AND length(message) > 0)),
    CHECK (state <> 'online' OR reason IS NULL)
  ) STRICT`,
  `CREATE TABLE agent_step (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    path TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    stage TEXT NOT NULL,
    reason TEXT,
    message TEXT NOT NULL,
    at TEXT NOT NULL
  ) STRICT`,
  'CREATE INDEX step_of_agent ON agent_step (name, position)',
  `CREATE TABLE agent_condition (
    name TEXT NOT NULL REFERENCES agent (name),
    type TEXT NOT NULL CHECK (type IN (${list(CONDITION_TYPES)})),
    status TEXT NOT NULL CHECK (status IN ('True', 'False', 'Unknown')),
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    last_transition_at TEXT NOT NULL,
    observed_generation INTEGER NOT NULL,
    PRIMARY KEY (name, type)
  ) STRICT, WITHOUT ROWID`,
]

/** The proof that a row names: the last readiness verdict of its own run, a pass about this very generation, and in force by the clock of the store. */
const PROVEN = `EXISTS (SELECT 1 FROM entry AS e WHERE e.position = NEW.proof AND e.run_id = NEW.run_id AND e.kind = 'verdict' AND e.gate = 'readiness' AND e.outcome = 'pass'
  AND e.sequence = (SELECT max(sequence) FROM entry WHERE run_id = NEW.run_id AND gate = 'readiness')
  AND json_extract(e.body, '$.subject[0].name') = 'agent ' || NEW.name || ' generation ' || NEW.generation
  AND json_extract(e.body, '$.expiresAt') = NEW.proven_until AND NEW.proven_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`

const ALLOWED = Object.entries(AGENT_TRANSITIONS)
  .flatMap(([from, targets]) => targets.map((to) => `(OLD.state = '${from}' AND NEW.state = '${to}')`))
  .join(' OR ')

const STEP = (from: string): string => `INSERT INTO agent_step (name, generation, run_id, path, from_state, to_state, stage, reason, message, at)
  VALUES (NEW.name, NEW.generation, NEW.run_id, (SELECT path FROM agent_generation WHERE name = NEW.name AND generation = NEW.generation), ${from}, NEW.state, NEW.stage, NEW.reason, NEW.message, NEW.changed_at)`

/** `refuse` writes a trigger that refuses; `gatesPassed` is SQL over `NEW.run_id`. */
export function agentConstraints(refuse: (name: string, when: string, message: string) => string, gatesPassed: string): readonly string[] {
  const needsProof = `NEW.state = 'online' AND NOT (${PROVEN} AND ${gatesPassed} AND (SELECT state FROM run WHERE run_id = NEW.run_id) IN ('open', 'started'))`
  return [
    refuse('generation_in_order', 'INSERT ON agent_generation WHEN NEW.generation <> coalesce((SELECT max(generation) FROM agent_generation WHERE name = NEW.name), 0) + 1', 'generations are numbered without gaps'),
    refuse('generation_has_its_run', `INSERT ON agent_generation WHEN (SELECT kind || ' ' || state || ' ' || task_id FROM run WHERE run_id = NEW.run_id) IS NOT 'agent open ' || NEW.name`, 'a generation begins with a run of its own'),
    refuse('generation_is_final', 'UPDATE ON agent_generation', 'the ledger is append-only'),
    refuse('generation_stays', 'DELETE ON agent_generation', 'the ledger is append-only'),
    refuse('step_is_final', 'UPDATE ON agent_step', 'the ledger is append-only'),
    refuse('step_stays', 'DELETE ON agent_step', 'the ledger is append-only'),
    refuse('step_is_of_a_change', `INSERT ON agent_step WHEN NOT EXISTS (SELECT 1 FROM agent WHERE name = NEW.name AND generation = NEW.generation AND state = NEW.to_state AND changed_at = NEW.at)`, 'the store itself writes the history'),
    refuse('agent_stays', 'DELETE ON agent', 'the ledger is append-only'),
    refuse('agent_begins_provisioning', `INSERT ON agent WHEN NEW.state <> 'provisioning'`, 'an agent begins with nothing proven'),
    refuse('agent_keeps_its_name', 'UPDATE OF name ON agent', 'an agent keeps its name'),
    refuse('agent_is_of_its_last_generation', 'UPDATE OF generation, run_id ON agent WHEN NEW.generation <> (SELECT max(generation) FROM agent_generation WHERE name = NEW.name)', 'only the last generation of an agent lives'),
    refuse('agent_generation_begins_provisioning', `UPDATE ON agent WHEN NEW.generation <> OLD.generation AND NEW.state <> 'provisioning'`, 'a generation begins with nothing proven'),
    refuse('agent_transition', `UPDATE OF state ON agent WHEN NEW.generation = OLD.generation AND NEW.state <> OLD.state AND NOT (${ALLOWED})`, 'no such transition within a generation'),
    refuse('agent_online_needs_proof_at_first', `INSERT ON agent WHEN ${needsProof}`, 'online needs a proof in force of the same run and generation'),
    refuse('agent_online_needs_proof', `UPDATE OF state, proof, proven_until, generation, run_id ON agent WHEN ${needsProof}`, 'online needs a proof in force of the same run and generation'),
    `CREATE TRIGGER agent_is_born AFTER INSERT ON agent BEGIN ${STEP('NULL')}; END`,
    `CREATE TRIGGER agent_moves AFTER UPDATE ON agent WHEN NEW.state <> OLD.state OR NEW.stage <> OLD.stage OR NEW.generation <> OLD.generation OR NEW.reason IS NOT OLD.reason OR NEW.message <> OLD.message OR NEW.proof IS NOT OLD.proof
      BEGIN ${STEP('OLD.state')}; END`,
    refuse('agent_licence_needs_gates', `INSERT ON entry WHEN NEW.kind = 'event' AND NEW.body LIKE '%"type":"agent_licensed"%' AND NOT ((SELECT kind FROM run WHERE run_id = NEW.run_id) = 'agent' AND ${gatesPassed})`, 'a licence is granted only after its gates passed'),
  ]
}
