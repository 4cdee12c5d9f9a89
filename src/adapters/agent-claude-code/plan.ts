import type { PlanRequest } from '../../gates/launch/index.ts'
import { type CliDescription, type CliLaunch, findBeside, type HeldMode, WORKS } from '../agent-cli/index.ts'
import { CONTEXTS, filesOf, settingsOf, settingsPath } from './configuration.ts'

const PACKAGE = '@anthropic-ai/claude-code'

const READING = ['Read', 'Glob', 'Grep']
const EDITING = [...READING, 'Edit', 'Write']
const EVERYTHING = [...EDITING, 'Bash', 'Agent', 'TodoWrite']

/**
 * The list of tools holds it, not a promise: a tool that is not named does not exist for it. Its own switch for skipping permissions
 * is not used, because it refuses that to root and takes it as a sign of a sandbox.
 */
const MODES: CliDescription['modes'] = {
  'read-only': { argv: held(READING, 'dontAsk', []), enforcedBy: 'tools Read, Glob and Grep only; none of them writes or runs a command' },
  // Asked by nobody it would be answered by nobody: a tool that has to ask is refused.
  ask: undefined,
  'accept-edits': { argv: held(EDITING, 'acceptEdits', []), enforcedBy: 'tools Read, Glob, Grep, Edit and Write only; no shell. Edits in the workspace are not asked for, others are refused' },
  bypass: { argv: held(EVERYTHING, 'acceptEdits', EVERYTHING), enforcedBy: 'nothing is asked or refused: every tool of its list runs, the shell included' },
}

function held(tools: readonly string[], mode: string, allowed: readonly string[]): string[] {
  return ['--tools', tools.join(','), '--permission-mode', mode, ...(allowed.length === 0 ? [] : ['--allowedTools', allowed.join(',')])]
}

/** Names that it replaces by a model of its own choice, and the suffix that it cuts off. */
const ALIASES = ['default', 'sonnet', 'opus', 'haiku', 'best', 'opusplan', 'fable', 'inherit']

/** Claude Code, one process for one prompt, with its prompt and its events as lines of JSON. */
export const CLAUDE_CODE: CliDescription = {
  agent: 'claude-code',
  title: 'Claude Code',
  packageName: PACKAGE,
  command: 'claude',
  version: '2.1.329',
  dialects: ['anthropic-messages'],
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  contexts: CONTEXTS,
  modes: MODES,
  unworkable: WORKS,
  overriding: [],
  rewrites: (model) => ALIASES.includes(model.toLowerCase()) || /\[[^\]]*\]$/.test(model),
  async locate(folder) {
    // The command of the package only starts this one.
    const path = await findBeside(folder, `${PACKAGE}-${process.platform}-${process.arch}`, 'claude')
    return path === undefined ? undefined : { path, folder: null }
  },
  launch(request, mode): CliLaunch {
    return {
      argv: argumentsOf(request, mode),
      environment: { ANTHROPIC_BASE_URL: request.baseUrl, ANTHROPIC_AUTH_TOKEN: request.runToken },
      settings: settingsOf(request),
      files: filesOf(request),
    }
  },
}

function argumentsOf(request: PlanRequest, mode: HeldMode | undefined): string[] {
  const { pair, profile } = request
  const model = ['--model', pair.model, ...(profile.effort === undefined ? [] : ['--effort', profile.effort])]
  const events = ['--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose', '--include-hook-events', '--replay-user-messages']
  return ['-p', ...events, ...model, ...(mode?.argv ?? ['--tools', '']), ...NOTHING_FOUND_ON_DISK, '--settings', settingsPath(request)]
}

/** What it would pick up by itself from the workspace or the HOME: settings, servers of tools, commands. */
const NOTHING_FOUND_ON_DISK = ['--setting-sources', '', '--strict-mcp-config', '--disable-slash-commands', '--no-session-persistence']
