import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** Any agent that speaks the Agent Client Protocol, version 1. What it leaves open counts as missing. */
export const manifest: RuntimeManifest = {
  // A second prompt is queued, merged or ends the first, as the agent likes: the session refuses it before a byte is written.
  busy_signal: 'derived',
  // The protocol has none: the first news of the turn shows that it runs.
  delivery_receipt: 'derived',
  // The answer to the request is the end of that turn.
  turn_identity: 'native',
  terminal_signal: 'native',
  interrupt: 'native',
  resume: 'none',
  permission_callback: 'native',
  structured_result: 'none',
  wire_binding: 'native',
}
