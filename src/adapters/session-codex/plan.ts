import type { Profile } from '../../gates/catalog/index.ts'
import { codexFiles, COMPLETION_VARIABLE, TOKEN_VARIABLE } from '../agent-codex/index.ts'
import type { LiveLaunch } from '../session-common/index.ts'

/** What it is told with its thread, for each mode; the sandbox is its own. */
export const POLICIES: Readonly<Partial<Record<Profile['permissions'], { readonly sandbox: string; readonly approvalPolicy: string }>>> = {
  'read-only': { sandbox: 'read-only', approvalPolicy: 'never' },
  ask: { sandbox: 'workspace-write', approvalPolicy: 'untrusted' },
  bypass: { sandbox: 'danger-full-access', approvalPolicy: 'never' },
}

export const CODEX: LiveLaunch = {
  title: 'Codex',
  dialects: ['openai-responses'],
  efforts: ['minimal', 'low', 'medium', 'high', 'xhigh'],
  modes: {
    'read-only': { argv: [], enforcedBy: 'its own sandbox read-only, and nothing is asked' },
    ask: { argv: [], enforcedBy: 'its own sandbox for the workspace; what is not known to be harmless waits until the session is answered' },
    // Its sandbox for edits lets the shell run as well.
    'accept-edits': undefined,
    bypass: { argv: [], enforcedBy: 'nothing is asked or refused: every command runs' },
  },
  rewrites: () => false,
  launch: (request) => ({
    // It ends at a setting that it does not know; the snapshot of the shell would hold the whole environment.
    argv: ['app-server', '--strict-config', '--disable', 'shell_snapshot'],
    environment: { [TOKEN_VARIABLE]: request.runToken, ...(request.completion === undefined ? {} : { [COMPLETION_VARIABLE]: request.completion.token }) },
    settings: { CODEX_HOME: request.configuration },
    files: codexFiles(request, request.completion?.url),
  }),
}
