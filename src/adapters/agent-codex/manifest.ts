import type { AgentManifest } from '../../engine/agent.ts'

/** Codex 0.169.0, `exec --json`. */
export const manifest: AgentManifest = {
  busy_signal: 'derived',
  // `turn.started`, which comes after its input was read to the end.
  delivery_receipt: 'derived',
  turn_identity: 'derived',
  terminal_signal: 'native',
  // It never says which model answered, nor which it asked.
  served_model_visible: 'none',
  interrupt: 'derived',
  // Started without session files.
  resume: 'none',
  permission_callback: 'none',
  structured_result: 'none',
  strict_config: 'native',
  wire_binding: 'native',
}
