import type { Refusal } from '../../contract/gate.ts'
import { spelled } from '../../gates/readiness/index.ts'
import type { AgentRecord } from './states.ts'

/** Why an agent may not be asked, as it stands. */
export function notReady(name: string, record: AgentRecord | undefined): Refusal {
  return {
    // Somebody ended it on purpose: that is no state of its own that may pass.
    reason: record?.state === 'offline' || record?.state === 'draining' || record?.state === 'removed' ? 'agent_stopped' : 'no_ready_agent',
    message: `${name} is not ready.`,
    asked: `agent ${name}, proven and in reach`,
    found: record === undefined ? 'it was never started' : record.state === 'online' ? 'its proof is not in force, or belongs to another server' : `it is ${record.state}${record.reason === null ? '' : ` (${spelled(record.reason)})`}: ${record.message}`,
    remedy: `See npx portcullis agents show ${name}.`,
  }
}
