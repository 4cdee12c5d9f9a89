import { join } from 'node:path'
import type { Profile } from '../../gates/catalog/index.ts'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'

/** The variable that holds the run token. The configuration names it and does not hold the token. */
export const TOKEN_VARIABLE = 'PORTCULLIS_RUN_TOKEN'

/** The provider's name inside: the wire is all it knows, whoever stands behind it. */
export const PROVIDER = 'wire'

const READING = { '*': 'deny', read: 'allow', glob: 'allow', grep: 'allow', list: 'allow', lsp: 'allow' }

/** What its tools may do. A question would be answered by nobody, so nothing is on "ask". */
export const PERMISSIONS: Readonly<Record<Profile['permissions'], Readonly<Record<string, string>> | undefined>> = {
  'read-only': READING,
  ask: undefined,
  // Other folders than the workspace have a rule of their own.
  'accept-edits': { ...READING, edit: 'allow', todowrite: 'allow', external_directory: 'deny' },
  bypass: { '*': 'allow' },
}

/**
 * The one configuration that is read. Without `enabled_providers` it would ask a hosted model when it finds no other; without
 * `small_model` it would choose another model for titles; without `model` it takes the last one that is declared.
 * `more` is what a session has beside that, or in place of it.
 */
export function filesOf({ configuration, pair, profile, baseUrl }: PlanRequest, more: object = {}): PlannedFile[] {
  const model = `${PROVIDER}/${pair.model}`
  const content = {
    // Left out, it writes it in.
    $schema: 'https://opencode.ai/config.json',
    autoupdate: false,
    share: 'disabled',
    snapshot: false,
    model,
    small_model: model,
    enabled_providers: [PROVIDER],
    provider: {
      [PROVIDER]: {
        npm: '@ai-sdk/openai-compatible',
        name: PROVIDER,
        options: { baseURL: baseUrl, apiKey: `{env:${TOKEN_VARIABLE}}` },
        models: { [pair.model]: { name: pair.model, tool_call: true } },
      },
    },
    permission: PERMISSIONS[profile.permissions] ?? { '*': 'deny' },
    ...more,
  }
  return [{ path: join(configuration, 'opencode/opencode.json'), content: `${JSON.stringify(content, null, 2)}\n` }]
}

/** What it is told in its environment; none of it is a secret. */
export const settingsOf = ({ configuration, home }: PlanRequest): Record<string, string> => ({
  XDG_CONFIG_HOME: configuration,
  XDG_DATA_HOME: join(home, '.local/share'),
  XDG_STATE_HOME: join(home, '.local/state'),
  XDG_CACHE_HOME: join(home, '.cache'),
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  // A configuration in the workspace would stand above ours.
  OPENCODE_DISABLE_PROJECT_CONFIG: '1',
  OPENCODE_DISABLE_CLAUDE_CODE: '1',
})
