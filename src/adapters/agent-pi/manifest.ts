import type { AgentManifest } from '../../engine/agent.ts'

/** Pi 0.87.1 in its RPC mode. */
export const manifest: AgentManifest = {
  // A second prompt while a turn runs is answered with success: false.
  busy_signal: 'native',
  delivery_receipt: 'native',
  // One prompt a process: what it says belongs to that one.
  turn_identity: 'derived',
  // `agent_settled`; the exit code is 0 also after an error of the provider.
  terminal_signal: 'native',
  // `responseModel` of a message, where it differs. A claim: the wire knows.
  served_model_visible: 'native',
  interrupt: 'native',
  // Started without a session file.
  resume: 'none',
  // Every tool in its list runs unasked.
  permission_callback: 'none',
  structured_result: 'none',
  // A missing model is replaced by a similar one, with a warning.
  strict_config: 'none',
  wire_binding: 'native',
}
