import { join } from 'node:path'
import type { Profile } from '../../gates/catalog/index.ts'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'

const READING = ['read_file', 'read_many_files', 'list_directory', 'glob', 'grep_search']

/** The tools that exist for it in each mode; undefined for all of them. */
const TOOLS: Readonly<Record<Profile['permissions'], readonly string[] | undefined>> = {
  'read-only': READING,
  ask: [],
  'accept-edits': [...READING, 'replace', 'write_file'],
  bypass: undefined,
}

export const settingsPath = ({ configuration }: Pick<PlanRequest, 'configuration'>): string => join(configuration, 'portcullis-settings.json')

/**
 * Twice: as the settings of the system, which stand above those of the workspace but are passed over below a folder that everybody may
 * write to, and as those of the user, which are always read. A workspace with settings of its own is refused before that.
 */
export const filesOf = (request: PlanRequest): PlannedFile[] => configurationOf(request, { core: TOOLS[request.profile.permissions], servers: [] })

/** The same for a session: what is not allowed is asked for, so every tool exists; and of servers the one of ours. */
export const sessionFilesOf = (request: PlanRequest, servers: readonly string[]): PlannedFile[] => configurationOf(request, { core: undefined, servers })

function configurationOf(request: PlanRequest, { core, servers }: { readonly core: readonly string[] | undefined; readonly servers: readonly string[] }): PlannedFile[] {
  const { pair } = request
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key', enforcedType: 'gemini-api-key' }, folderTrust: { enabled: false }, environmentVariableRedaction: { enabled: true } },
    model: { name: pair.model },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    // One more try for a hiccup; what lasts longer is for the run to report, not for the agent to wait out.
    general: { maxAttempts: 2, enableAutoUpdate: false, enableAutoUpdateNotification: false, checkpointing: { enabled: false } },
    context: { fileName: [] },
    mcp: { allowed: servers },
    skills: { enabled: false },
    hooksConfig: { enabled: false },
    ...(core === undefined ? {} : { tools: { core } }),
  }
  const content = `${JSON.stringify(settings, null, 2)}\n`
  return [settingsPath(request), join(request.configuration, '.gemini/settings.json')].map((path) => ({ path, content }))
}

/** What it is told in its environment; none of it is a secret. */
export const settingsOf = (request: PlanRequest): Record<string, string> => ({
  GEMINI_CLI_HOME: request.configuration,
  GEMINI_CLI_SYSTEM_SETTINGS_PATH: settingsPath(request),
  GEMINI_CLI_TRUST_WORKSPACE: 'true',
  // Otherwise it starts itself a second time, and the first one passes no signal on.
  GEMINI_CLI_NO_RELAUNCH: 'true',
  NODE_DISABLE_COMPILE_CACHE: '1',
})
