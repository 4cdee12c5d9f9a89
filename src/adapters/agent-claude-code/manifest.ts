import type { AgentManifest } from '../../engine/agent.ts'

/** Claude Code 2.1.329, `-p` with stream-json both ways. */
export const manifest: AgentManifest = {
  // A second message would be folded into the turn; the session refuses it.
  busy_signal: 'derived',
  // The prompt comes back with the id it was sent with.
  delivery_receipt: 'native',
  turn_identity: 'derived',
  // A `result`, and the hook `Stop` beside it.
  terminal_signal: 'native',
  // `message.model` of each answer. A claim: the wire knows.
  served_model_visible: 'native',
  interrupt: 'derived',
  // Started without a session file.
  resume: 'none',
  // Tools that are not allowed are refused unasked.
  permission_callback: 'none',
  structured_result: 'none',
  // A settings file that cannot be read is passed over in silence: the hook in it shows that it was read.
  strict_config: 'derived',
  wire_binding: 'native',
}
