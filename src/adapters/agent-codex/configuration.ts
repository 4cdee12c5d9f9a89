import { join } from 'node:path'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'

/** The variable that holds the run token. The configuration names it and does not hold the token. */
export const TOKEN_VARIABLE = 'PORTCULLIS_RUN_TOKEN'

/** The variable that holds what completes a turn of a session; the configuration names it as well. */
export const COMPLETION_VARIABLE = 'PORTCULLIS_COMPLETION_TOKEN'

/**
 * Its whole configuration, for a run as for a session, which may have a server of ours besides. The address of a provider is read from here only: a variable for it is ignored, and the built-in
 * provider would be dialled in its place.
 */
export function filesOf(request: PlanRequest, completionUrl?: string): PlannedFile[] {
  const { pair, profile, workspace, baseUrl } = request
  const lines = [
    assignment('model', pair.model),
    ...(profile.effort === undefined ? [] : [assignment('model_reasoning_effort', profile.effort)]),
    assignment('model_provider', 'wire'),
    assignment('review_model', pair.model),
    'check_for_update_on_startup = false',
    assignment('web_search', 'disabled'),
    'project_doc_max_bytes = 0',
    '',
    '[analytics]',
    'enabled = false',
    '',
    '[history]',
    assignment('persistence', 'none'),
    '',
    // Without this the shell of the agent would have the run token, and its snapshot would be left on disk.
    '[shell_environment_policy]',
    assignment('inherit', 'core'),
    '',
    '[model_providers.wire]',
    assignment('name', 'wire'),
    assignment('base_url', baseUrl),
    assignment('env_key', TOKEN_VARIABLE),
    assignment('wire_api', 'responses'),
    // One more try for a hiccup; what lasts longer is for the run to report, not for the agent to wait out.
    'request_max_retries = 1',
    'stream_max_retries = 1',
    '',
    // A trusted project could bring a configuration of its own.
    `[projects.${text(workspace)}]`,
    assignment('trust_level', 'untrusted'),
    ...(completionUrl === undefined ? [] : ['', '[mcp_servers.portcullis]', assignment('url', completionUrl), assignment('bearer_token_env_var', COMPLETION_VARIABLE), 'required = true']),
  ]
  return [{ path: join(request.configuration, 'config.toml'), content: `${lines.join('\n')}\n` }]
}

/** A string of TOML: the escapes of JSON are among its own. DEL is the one character that JSON lets stand and TOML does not. */
const text = (value: string): string => JSON.stringify(value).replaceAll('\u007F', '\\u007F')

const assignment = (name: string, value: string): string => `${name} = ${text(value)}`
