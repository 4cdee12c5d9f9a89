import { join } from 'node:path'
import type { Profile } from '../../gates/catalog/index.ts'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'

const READING = ['read_file', 'list_directory', 'glob', 'grep_search']

/** The tools that exist for it in each mode; undefined for all of them. */
const TOOLS: Readonly<Record<Profile['permissions'], readonly string[] | undefined>> = {
  'read-only': READING,
  ask: [],
  'accept-edits': [...READING, 'edit', 'write_file'],
  bypass: undefined,
}

export const settingsPath = ({ configuration }: Pick<PlanRequest, 'configuration'>): string => join(configuration, 'portcullis-settings.json')

/** The settings of the system: they stand above those of the user and of the workspace. */
export function filesOf(request: PlanRequest): PlannedFile[] {
  const { pair, profile } = request
  const core = TOOLS[profile.permissions]
  const settings = {
    security: { auth: { selectedType: 'openai' }, folderTrust: { enabled: false } },
    model: { name: pair.model, enableOpenAILogging: false, generationConfig: { maxRetries: 1 } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    general: { enableAutoUpdate: false, disableAutoUpdate: true, disableUpdateNag: true, checkpointing: { enabled: false } },
    // After each turn it would ask the model once or twice more, when the turn is over.
    memory: { enableManagedAutoMemory: false },
    ui: { enableFollowupSuggestions: false },
    context: { fileName: [] },
    // Both: the second is what some of its ways to a hook ask.
    disableAllHooks: true,
    hooksConfig: { enabled: false },
    ...(core === undefined ? {} : { tools: { core } }),
    // Left out, it writes it in.
    $version: 4,
  }
  return [
    { path: settingsPath(request), content: `${JSON.stringify(settings, null, 2)}\n` },
    // A file where it would make a folder: it would note there how other sessions reach it, with a key that stays on disk when it is killed.
    { path: join(request.configuration, 'sessions'), content: 'no sessions\n' },
  ]
}

/** What it is told in its environment; none of it is a secret. */
export const settingsOf = (request: PlanRequest): Record<string, string> => ({
  QWEN_HOME: request.configuration,
  QWEN_CODE_SYSTEM_SETTINGS_PATH: settingsPath(request),
  OPENAI_MODEL: request.pair.model,
  // Otherwise it starts itself a second time, and the first one dies without the other.
  QWEN_CODE_NO_RELAUNCH: 'true',
  NODE_DISABLE_COMPILE_CACHE: '1',
})
