import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** Codex 0.169.0, its app-server over standard input and output. */
export const manifest: RuntimeManifest = {
  // A second message would break off the running call and take its place: the session refuses it before a byte is written.
  busy_signal: 'derived',
  // The item `userMessage` of the turn.
  delivery_receipt: 'native',
  turn_identity: 'native',
  terminal_signal: 'native',
  interrupt: 'native',
  resume: 'none',
  permission_callback: 'native',
  // The schema goes to the model with the turn; that the answer is of it is for the reader to check.
  structured_result: 'derived',
  wire_binding: 'native',
}
