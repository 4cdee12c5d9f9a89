import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { terminalLaunch } from './plan.ts'
import { openSession } from './session.ts'
import type { TerminalSize } from './terminal.ts'

/** Claude Code in a terminal that a person may attach to. `program` and `tmux` are absolute paths. */
export function tmuxSessions({ program, tmux, size }: { readonly program: string; readonly tmux: string; readonly size: TerminalSize }): SessionRuntime {
  const launch = terminalLaunch(tmux, size)
  return { name: 'claude-code', mode: 'INTERACTIVE', manifest, plan: (request) => planLive(request, program, launch), open: (_launch, start, open) => openSession(tmux, start, open) }
}
