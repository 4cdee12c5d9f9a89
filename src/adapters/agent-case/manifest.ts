import type { AgentManifest } from '../../engine/agent.ts'

/** Case 0.1.0 with Pi 0.63.2, one task a process. */
export const manifest: AgentManifest = {
  busy_signal: 'none',
  // The input is closed behind the prompt; nobody says that it was read.
  delivery_receipt: 'none',
  // One prompt a process: what it says belongs to that one.
  turn_identity: 'derived',
  // The end of the process. Its exit code is 0 whatever happened.
  terminal_signal: 'derived',
  served_model_visible: 'none',
  interrupt: 'none',
  // It would go on from .case; a run refuses to find one.
  resume: 'none',
  permission_callback: 'none',
  // The AGENT_RESULT block, read from the wire.
  structured_result: 'derived',
  // A configuration that it cannot read is replaced by its own fallback.
  strict_config: 'none',
  wire_binding: 'derived',
}
