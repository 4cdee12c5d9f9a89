import { GEMINI_CLI, geminiSessionFiles, geminiSettings } from '../agent-gemini-cli/index.ts'
import type { LiveLaunch } from '../session-common/index.ts'
import { SERVER } from './session.ts'

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
  rewrites: GEMINI_CLI.rewrites,
  launch: (request, mode) => ({
    argv: ['--acp', '--model', request.pair.model, ...mode.argv, '--extensions', 'none'],
    environment: { GEMINI_API_KEY: request.runToken, GOOGLE_GEMINI_BASE_URL: request.baseUrl },
    settings: geminiSettings(request),
    files: geminiSessionFiles(request, request.completion === undefined ? [] : [SERVER]),
  }),
}
