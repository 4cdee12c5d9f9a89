import type { AgentManifest } from '../../engine/agent.ts'

/**
 * What the Agent Client Protocol gives by itself, in its first version, to whoever speaks it as `AcpProtocol` does. What it leaves open
 * counts as missing. An adapter whose program gives less, or more, names that beside it.
 */
export const ACP_MANIFEST: AgentManifest = {
  // It leaves open what a second prompt does; the session refuses it.
  busy_signal: 'derived',
  // The message was written whole; the protocol has no receipt.
  delivery_receipt: 'derived',
  turn_identity: 'native',
  // The answer to `session/prompt`, with its `stopReason`.
  terminal_signal: 'native',
  // Only what was asked for.
  served_model_visible: 'none',
  interrupt: 'derived',
  resume: 'none',
  // It asks; what is answered is the adapter's to say.
  permission_callback: 'native',
  structured_result: 'none',
  strict_config: 'none',
  wire_binding: 'native',
}
