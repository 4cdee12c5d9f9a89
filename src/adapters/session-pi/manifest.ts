import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** Pi 0.87.1 in its RPC mode, one process for many turns. */
export const manifest: RuntimeManifest = {
  // A second prompt while a turn runs is answered with success: false, and `get_state` says that one runs.
  busy_signal: 'native',
  delivery_receipt: 'native',
  // One turn at a time: what it says belongs to that one.
  turn_identity: 'derived',
  terminal_signal: 'native',
  interrupt: 'native',
  // Started without a session file.
  resume: 'none',
  // Every tool in its list runs unasked.
  permission_callback: 'none',
  structured_result: 'none',
  wire_binding: 'native',
}
