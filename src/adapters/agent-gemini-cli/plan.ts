import { join } from 'node:path'
import { type CliDescription, type CliLaunch, WORKS } from '../agent-cli/index.ts'
import { resolvedPath } from '../runtime-process/index.ts'
import { filesOf, settingsOf } from './configuration.ts'

const MODES: CliDescription['modes'] = {
  'read-only': { argv: ['--approval-mode', 'default'], enforcedBy: 'its list of tools: none of them writes or runs a command, and what asks for leave is refused' },
  ask: undefined,
  'accept-edits': { argv: ['--approval-mode', 'auto_edit'], enforcedBy: 'its list of tools: reading, replace and write_file in the workspace; no shell' },
  bypass: { argv: ['--approval-mode', 'yolo'], enforcedBy: 'nothing is asked or refused: every tool runs, the shell included' },
}

/** Names for which it asks for another model, and the one of a preview that was renamed. */
const ALIASES = ['auto', 'pro', 'flash', 'flash-lite', 'gemini-3-pro-preview', 'gemini-3-flash-preview']

/** Gemini CLI, one process for one prompt, by the Agent Client Protocol. */
export const GEMINI_CLI: CliDescription = {
  agent: 'gemini-cli',
  title: 'Gemini CLI',
  packageName: '@google/gemini-cli',
  command: 'gemini',
  version: '0.61.0',
  dialects: ['gemini'],
  efforts: [],
  modes: MODES,
  unworkable: WORKS,
  overriding: ['.gemini/settings.json', '.gemini/.env', '.gemini/extensions', '.env'],
  rewrites: (model) => ALIASES.includes(model) || model.startsWith('auto-'),
  async locate(folder) {
    const path = await resolvedPath(join(folder, 'bundle/gemini.js'))
    return path === undefined ? undefined : { path, folder: join(folder, 'bundle') }
  },
  launch(request, mode): CliLaunch {
    return {
      argv: ['--acp', '--model', request.pair.model, ...(mode?.argv ?? ['--approval-mode', 'plan']), '--extensions', 'none'],
      environment: { GEMINI_API_KEY: request.runToken, GOOGLE_GEMINI_BASE_URL: request.baseUrl },
      settings: settingsOf(request),
      files: filesOf(request),
    }
  },
}
