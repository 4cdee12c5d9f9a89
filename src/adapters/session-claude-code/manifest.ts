import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** Claude Code 2.1.329, one process with stream-json both ways. */
export const manifest: RuntimeManifest = {
  // A second message would be folded into the turn, or joined with a third: the session refuses it before a byte is written.
  busy_signal: 'derived',
  // The message comes back with the id it was sent with.
  delivery_receipt: 'native',
  // One turn at a time: a result belongs to that one.
  turn_identity: 'derived',
  terminal_signal: 'native',
  interrupt: 'native',
  resume: 'none',
  // `can_use_tool`, which waits for our answer.
  permission_callback: 'native',
  // Its schema is an argument of the process, not of a turn.
  structured_result: 'none',
  wire_binding: 'native',
}
