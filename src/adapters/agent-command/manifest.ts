import type { AgentManifest } from '../../engine/agent.ts'

/** A program we know nothing of: only what its process does can be observed. */
export const manifest: AgentManifest = {
  busy_signal: 'derived',
  delivery_receipt: 'derived',
  turn_identity: 'derived',
  terminal_signal: 'derived',
  served_model_visible: 'none',
  interrupt: 'derived',
  resume: 'none',
  permission_callback: 'none',
  structured_result: 'none',
  strict_config: 'none',
  wire_binding: 'native',
}
