import type { AgentManifest } from '../../engine/agent.ts'

/** Any program that speaks the Agent Client Protocol, version 1. What the protocol leaves open counts as missing. */
export const manifest: AgentManifest = {
  // What a second prompt does is left open; the session refuses it.
  busy_signal: 'derived',
  // The message was written whole; the protocol has no receipt.
  delivery_receipt: 'derived',
  turn_identity: 'native',
  // The answer to `session/prompt`, with its `stopReason`.
  terminal_signal: 'native',
  served_model_visible: 'none',
  interrupt: 'derived',
  resume: 'none',
  permission_callback: 'native',
  structured_result: 'none',
  strict_config: 'none',
  wire_binding: 'native',
}
