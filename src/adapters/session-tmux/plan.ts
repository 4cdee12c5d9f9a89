import { join } from 'node:path'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import type { PlannedFile } from '../../gates/launch/index.ts'
import { CLAUDE } from '../session-claude-code/index.ts'
import type { HeldMode, LiveLaunch } from '../session-common/index.ts'
import { HOOK_EVENTS, HOOK_PROGRAM } from './hooks.ts'
import { placesOf, type TerminalSize, terminalAround } from './terminal.ts'

/** Claude Code with a person's terminal: the same tools and settings as without, and hooks that speak to us. */
export function terminalLaunch(tmux: string, size: TerminalSize): LiveLaunch {
  return {
    ...CLAUDE,
    title: 'Claude Code in tmux',
    // Who is attached answers what it asks.
    modes: { ...CLAUDE.modes },
    launch(request, mode) {
      const base = CLAUDE.launch(request, mode)
      return { ...base, argv: argumentsOf(request, mode), settings: base.settings, files: filesOf(request) }
    },
    around: (request, command) => Promise.resolve(terminalAround(tmux, size, request, command)),
  }
}

const settingsPath = ({ configuration }: SessionRequest): string => join(configuration, 'portcullis-settings.json')
const hookPath = ({ configuration }: SessionRequest): string => join(configuration, 'hook.mjs')

function argumentsOf(request: SessionRequest, mode: HeldMode): string[] {
  const { pair, profile } = request
  const effort = profile.effort === undefined ? [] : ['--effort', profile.effort]
  return ['--session-id', request.sessionId, '--model', pair.model, ...effort, ...mode.argv, '--disable-slash-commands', '--setting-sources', '', '--strict-mcp-config', '--settings', settingsPath(request)]
}

function filesOf(request: SessionRequest): PlannedFile[] {
  const command = [process.execPath, hookPath(request), placesOf(request).hooks].map((part) => `'${part}'`).join(' ')
  const hooks = Object.fromEntries(HOOK_EVENTS.map((name) => [name, [{ hooks: [{ type: 'command', command, timeout: 30 }] }]]))
  const settings = { model: request.pair.model, skipWebFetchPreflight: true, disableAllHooks: false, hooks }
  // Without these it asks first, and its questions would eat the message.
  const state = { hasCompletedOnboarding: true, projects: { [request.workspace]: { hasTrustDialogAccepted: true } } }
  return [
    { path: settingsPath(request), content: print(settings) },
    { path: hookPath(request), content: HOOK_PROGRAM },
    { path: join(request.configuration, '.claude.json'), content: print(state) },
  ]
}

const print = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
