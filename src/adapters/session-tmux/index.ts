import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { CLAUDE_CODE } from '../agent-claude-code/index.ts'
import { type LiveProgram, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { terminalLaunch } from './plan.ts'
import { openSession } from './session.ts'
import type { TerminalSize } from './terminal.ts'

/** Claude Code in a terminal that a person may attach to. `tmux` is an absolute path. */
export function tmuxSessions({ tmux, size, ...location }: LiveProgram & { readonly tmux: string; readonly size: TerminalSize }): SessionRuntime {
  const launch = terminalLaunch(tmux, size)
  return { name: 'claude-code', mode: 'INTERACTIVE', manifest, plan: (request) => planLive(request, location, CLAUDE_CODE, launch), open: (_launch, start, open) => openSession(tmux, start, open) }
}
