import { join } from 'node:path'
import { type CliDescription, type CliLaunch, WORKS } from '../agent-cli/index.ts'
import { resolvedPath } from '../runtime-process/index.ts'
import { filesOf, settingsOf } from './configuration.ts'

const MODES: CliDescription['modes'] = {
  'read-only': { argv: ['--approval-mode', 'default'], enforcedBy: 'its list of tools: none of them writes or runs a command, and what asks for leave is refused' },
  ask: undefined,
  'accept-edits': { argv: ['--approval-mode', 'auto-edit'], enforcedBy: 'its list of tools: reading, edit and write_file; no shell. What asks for leave is refused' },
  bypass: { argv: ['--approval-mode', 'yolo'], enforcedBy: 'nothing is asked or refused: every tool runs, the shell included' },
}

/** Qwen Code, one process for one prompt, by the Agent Client Protocol. */
export const QWEN_CODE: CliDescription = {
  agent: 'qwen-code',
  title: 'Qwen Code',
  packageName: '@qwen-code/qwen-code',
  command: 'qwen',
  version: '0.24.4',
  dialects: ['openai-chat'],
  efforts: [],
  modes: MODES,
  unworkable: WORKS,
  // Its hooks run as soon as a session begins, whatever the mode; extensions and agents lie there as well. A .env becomes part of its environment.
  overriding: ['.qwen', '.env'],
  rewrites: () => false,
  async locate(folder) {
    // The command of the package starts this one as a child, which outlives it.
    const path = await resolvedPath(join(folder, 'cli.js'))
    return path === undefined ? undefined : { path, folder }
  },
  launch(request, mode): CliLaunch {
    return {
      argv: ['--acp', '--auth-type', 'openai', '--model', request.pair.model, ...(mode?.argv ?? ['--approval-mode', 'plan'])],
      environment: { OPENAI_API_KEY: request.runToken, OPENAI_BASE_URL: request.baseUrl },
      settings: settingsOf(request),
      files: filesOf(request),
    }
  },
}

/** It calls a model `$runtime|openai|<model>(openai)`. */
export const modelOf = (id: string): string => /^(?:\$runtime\|[a-z-]+\|)?(.*?)(?:\([a-z-]+\))?$/.exec(id)?.[1] ?? id
