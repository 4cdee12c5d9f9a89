import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** opencode 1.18.33, its server over HTTP and its stream of events. */
export const manifest: RuntimeManifest = {
  // It says `busy`, and merges a second message into the running turn all the same: the session refuses it before a byte is written.
  busy_signal: 'derived',
  // The message of the user, under the id that we gave it, in the stream of events.
  delivery_receipt: 'native',
  turn_identity: 'native',
  // Its status is idle again, after the last answer to that message was complete.
  terminal_signal: 'native',
  interrupt: 'native',
  resume: 'none',
  permission_callback: 'native',
  // A tool of its own that takes the answer and checks it against the schema.
  structured_result: 'native',
  wire_binding: 'native',
}
