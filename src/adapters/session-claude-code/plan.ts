import { join } from 'node:path'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import type { PlannedFile } from '../../gates/launch/index.ts'
import { CONTEXTS, contextSetting } from '../agent-claude-code/index.ts'
import type { HeldMode, LiveLaunch } from '../session-common/index.ts'

const READING = ['Read', 'Glob', 'Grep']
const EDITING = [...READING, 'Edit', 'Write']
const EVERYTHING = [...EDITING, 'Bash']
/** The tools of our own, by which a turn is completed. */
const COMPLETION = ['mcp__portcullis__ticket_turn', 'mcp__portcullis__complete_ticket']
const COMPLETION_TOKEN = 'PORTCULLIS_COMPLETION_TOKEN'

/** A tool that is not named does not exist for it: the list holds the mode, not a promise. */
const held = (tools: readonly string[], mode: string, allowed: readonly string[]): readonly string[] => ['--tools', tools.join(','), '--permission-mode', mode, '--allowedTools', [...allowed, ...COMPLETION].join(',')]

const MODES: LiveLaunch['modes'] = {
  'read-only': { argv: held(READING, 'dontAsk', []), enforcedBy: 'tools Read, Glob and Grep only; none of them writes or runs a command' },
  ask: { argv: held(EVERYTHING, 'default', []), enforcedBy: 'what changes files or runs commands waits until the session is answered' },
  'accept-edits': { argv: held(EDITING, 'acceptEdits', []), enforcedBy: 'tools Read, Glob, Grep, Edit and Write only; no shell' },
  bypass: { argv: held(EVERYTHING, 'acceptEdits', EVERYTHING), enforcedBy: 'nothing is asked or refused: every tool of its list runs, the shell included' },
}

/** Names that it replaces by a model of its own choice, and the suffix that it cuts off. */
const ALIASES = ['default', 'sonnet', 'opus', 'haiku', 'best', 'opusplan', 'fable', 'inherit']

export const CLAUDE: LiveLaunch = {
  title: 'Claude Code',
  dialects: ['anthropic-messages'],
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  contexts: CONTEXTS,
  modes: MODES,
  rewrites: (model) => ALIASES.includes(model.toLowerCase()) || /\[[^\]]*\]$/.test(model),
  launch: (request, mode) => ({ argv: argumentsOf(request, mode), environment: environmentOf(request), settings: settingsOf(request), files: filesOf(request) }),
}

const settingsPath = ({ configuration }: SessionRequest): string => join(configuration, 'portcullis-settings.json')
const serversPath = ({ configuration }: SessionRequest): string => join(configuration, 'portcullis-servers.json')

function argumentsOf(request: SessionRequest, mode: HeldMode): string[] {
  const { pair, profile, sessionId } = request
  const records = ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose', '--replay-user-messages', '--permission-prompt-tool', 'stdio']
  const model = ['--session-id', sessionId, '--model', pair.model, ...(profile.effort === undefined ? [] : ['--effort', profile.effort])]
  const files = ['--setting-sources', '', '--settings', settingsPath(request), '--strict-mcp-config', '--mcp-config', serversPath(request)]
  return [...records, ...model, ...mode.argv, '--disable-slash-commands', '--no-session-persistence', ...files]
}

const environmentOf = ({ baseUrl, runToken, completion }: SessionRequest): Record<string, string> => ({
  ANTHROPIC_BASE_URL: baseUrl,
  ANTHROPIC_AUTH_TOKEN: runToken,
  ...(completion === undefined ? {} : { [COMPLETION_TOKEN]: completion.token }),
})

function settingsOf({ configuration, pair, profile }: SessionRequest): Record<string, string> {
  const { model } = pair
  const background = { ANTHROPIC_SMALL_FAST_MODEL: model, ANTHROPIC_DEFAULT_OPUS_MODEL: model, ANTHROPIC_DEFAULT_SONNET_MODEL: model, ANTHROPIC_DEFAULT_HAIKU_MODEL: model, CLAUDE_CODE_SUBAGENT_MODEL: model }
  return {
    CLAUDE_CONFIG_DIR: configuration,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_BUG_COMMAND: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    ...(profile.backgroundModels === 'map' ? background : {}),
    ...contextSetting(profile.context),
  }
}

/** The token itself stands in the environment only; the file names its variable. */
function filesOf(request: SessionRequest): PlannedFile[] {
  const { completion, pair } = request
  const servers = completion === undefined ? {} : { portcullis: { type: 'http', url: completion.url, headers: { Authorization: `Bearer \${${COMPLETION_TOKEN}}` } } }
  return [
    { path: settingsPath(request), content: print({ model: pair.model, skipWebFetchPreflight: true }) },
    { path: serversPath(request), content: print({ mcpServers: servers }) },
  ]
}

const print = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
