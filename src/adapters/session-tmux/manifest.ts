import type { RuntimeManifest } from '../../engine/sessions/runtime.ts'

/** Claude Code's own terminal inside tmux, followed by its hooks. Nothing is read from the screen. */
export const manifest: RuntimeManifest = {
  // It queues what is typed into it while it works: the session refuses before a key is pressed, and its hook a second time.
  busy_signal: 'derived',
  // The hook UserPromptSubmit, with the whole prompt.
  delivery_receipt: 'native',
  // `prompt_id`, the same in the hooks of one turn.
  turn_identity: 'native',
  // The hook Stop. A turn that is broken off fires none, so it is over when its process is.
  terminal_signal: 'native',
  // Escape fires no hook: nobody would know that the turn is over.
  interrupt: 'none',
  resume: 'none',
  // Who is attached answers; the session says that it waits.
  permission_callback: 'none',
  structured_result: 'none',
  wire_binding: 'native',
}
