import type { SessionRuntime } from '../engine/index.ts'

/** Wide enough that little is wrapped for whoever looks; nothing is ever read from it. */
const TERMINAL = { columns: 200, rows: 50 } as const

/** Every way to hold a live session, by the agent of the profile and the mode. A program of the project at `directory` comes first. Without tmux there is no session that a person can attach to. */
export async function sessionRuntimes(directory: string, searchPath: string): Promise<readonly SessionRuntime[]> {
  const [{ piSessions }, { claudeCodeSessions }, { codexSessions }, { acpSessions, GEMINI }, { GEMINI_CLI }, { opencodeSessions }, { tmuxSessions }, { findProgram }] = await Promise.all([
    import('../adapters/session-pi/index.ts'),
    import('../adapters/session-claude-code/index.ts'),
    import('../adapters/session-codex/index.ts'),
    import('../adapters/session-acp/index.ts'),
    import('../adapters/agent-gemini-cli/index.ts'),
    import('../adapters/session-opencode/index.ts'),
    import('../adapters/session-tmux/index.ts'),
    import('../adapters/runtime-process/index.ts'),
  ])
  const location = { program: undefined, directory }
  const tmux = await findProgram('tmux', searchPath, directory)
  return [
    piSessions(location),
    claudeCodeSessions(location),
    codexSessions(location),
    opencodeSessions(location),
    acpSessions({ ...location, name: GEMINI_CLI.agent, cli: GEMINI_CLI, launch: GEMINI }),
    ...(tmux === undefined ? [] : [tmuxSessions({ ...location, tmux, size: TERMINAL })]),
  ]
}
