import { join } from 'node:path'
import type { LiveLaunch } from '../session-common/index.ts'

/** Gemini CLI 0.61.0. Its names of models are not all sent as they are written, which the wire refuses. */
export const GEMINI: LiveLaunch = {
  title: 'Gemini CLI',
  dialects: ['gemini'],
  efforts: [],
  modes: {
    'read-only': undefined,
    ask: { argv: ['--approval-mode', 'default'], enforcedBy: 'what changes files or runs commands waits until the session is answered' },
    'accept-edits': { argv: ['--approval-mode', 'auto_edit'], enforcedBy: 'edits run; what runs commands waits until the session is answered' },
    bypass: { argv: ['--approval-mode', 'yolo'], enforcedBy: 'nothing is asked or refused: every tool runs' },
  },
  rewrites: (model) => ['auto', 'pro', 'flash', 'flash-lite', 'gemini-3-pro-preview'].includes(model),
  launch: ({ pair, baseUrl, runToken, configuration }, mode) => ({
    argv: ['--acp', '--model', pair.model, ...mode.argv],
    environment: { GEMINI_API_KEY: runToken, GOOGLE_GEMINI_BASE_URL: baseUrl },
    // Without the second its parent would pass over every signal.
    settings: { GEMINI_CLI_HOME: configuration, GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    files: [{ path: join(configuration, '.gemini/settings.json'), content: `${JSON.stringify(SETTINGS, null, 2)}\n` }],
  }),
}

const SETTINGS = {
  security: { auth: { selectedType: 'gemini-api-key' }, environmentVariableRedaction: { enabled: true } },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false, disableUpdateNag: true },
}
