import type { AgentManifest } from '../../engine/agent.ts'

/** opencode 1.18.33, as a server of the Agent Client Protocol. */
export const manifest: AgentManifest = {
  // The protocol leaves open what a second prompt does; the session refuses it.
  busy_signal: 'derived',
  // The message was written whole; the protocol has no receipt.
  delivery_receipt: 'derived',
  turn_identity: 'native',
  // The answer to `session/prompt`, with its `stopReason`.
  terminal_signal: 'native',
  // Only what it asked for.
  served_model_visible: 'none',
  interrupt: 'derived',
  resume: 'none',
  // It asks; everything that is asked for is refused, because the mode already allows what may be done.
  permission_callback: 'native',
  structured_result: 'none',
  strict_config: 'none',
  wire_binding: 'native',
}
