import { type CliDescription, type CliLaunch, findBeside, WORKS } from '../agent-cli/index.ts'
import { filesOf, settingsOf, TOKEN_VARIABLE } from './configuration.ts'

const MODES: CliDescription['modes'] = {
  'read-only': { argv: [], enforcedBy: 'permissions of opencode: read, glob, grep and list only, everything else is denied' },
  ask: undefined,
  'accept-edits': { argv: [], enforcedBy: 'permissions of opencode: reading and editing in the workspace, everything else is denied, the shell included' },
  bypass: { argv: [], enforcedBy: 'nothing is asked or refused: every tool runs, the shell included' },
}

/** opencode, one process for one prompt, by the Agent Client Protocol. */
export const OPENCODE: CliDescription = {
  agent: 'opencode',
  title: 'opencode',
  packageName: 'opencode-ai',
  command: 'opencode',
  version: '1.18.33',
  dialects: ['openai-chat'],
  efforts: [],
  modes: MODES,
  unworkable: WORKS,
  // Its configuration is left aside; that plugins and tools of this folder are as well is not shown.
  overriding: ['.opencode'],
  rewrites: () => false,
  async locate(folder) {
    // The command of the package only starts this one. The baseline build is for processors without AVX2.
    for (const build of ['', '-baseline']) {
      const path = await findBeside(folder, `opencode-${process.platform}-${process.arch}${build}`, 'bin/opencode')
      if (path !== undefined) return { path, folder: null }
    }
    return undefined
  },
  launch(request): CliLaunch {
    return { argv: ['acp'], environment: { [TOKEN_VARIABLE]: request.runToken }, settings: settingsOf(request), files: filesOf(request) }
  },
}
