import { join } from 'node:path'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import type { Profile } from '../../gates/catalog/index.ts'
import type { LiveLaunch } from '../session-common/index.ts'

const TOKEN = 'PORTCULLIS_RUN_TOKEN'
const COMPLETION_TOKEN = 'PORTCULLIS_COMPLETION_TOKEN'

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
    argv: ['app-server'],
    environment: { [TOKEN]: request.runToken, ...(request.completion === undefined ? {} : { [COMPLETION_TOKEN]: request.completion.token }) },
    settings: { CODEX_HOME: request.configuration },
    files: [{ path: join(request.configuration, 'config.toml'), content: configurationOf(request) }],
  }),
}

/** The one configuration there is. Values are written as JSON strings, which TOML reads alike. */
function configurationOf({ pair, baseUrl, workspace, completion }: SessionRequest): string {
  const text = (value: string): string => JSON.stringify(value)
  const servers = completion === undefined ? [] : ['[mcp_servers.portcullis]', `url = ${text(completion.url)}`, `bearer_token_env_var = ${text(COMPLETION_TOKEN)}`, 'required = true', '']
  return [
    `model = ${text(pair.model)}`,
    'model_provider = "wire"',
    'check_for_update_on_startup = false',
    '',
    '[analytics]',
    'enabled = false',
    '',
    // Its commands would inherit the run token, and its snapshots of the shell write it down.
    '[shell_environment_policy]',
    'inherit = "core"',
    '',
    '[features]',
    'shell_snapshot = false',
    '',
    '[model_providers.wire]',
    'name = "wire"',
    `base_url = ${text(baseUrl)}`,
    `env_key = ${text(TOKEN)}`,
    'wire_api = "responses"',
    'request_max_retries = 1',
    'stream_max_retries = 0',
    '',
    `[projects.${text(workspace)}]`,
    'trust_level = "trusted"',
    '',
    ...servers,
  ].join('\n')
}
