import { join } from 'node:path'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'
import { CONTEXT_FLAGS } from '../../gates/wire/index.ts'

/** What the first hook says on its error output, where the model does not read it: our settings were read. */
export const WITNESS = 'portcullis: settings read'

export const settingsPath = ({ configuration }: Pick<PlanRequest, 'configuration'>): string => join(configuration, 'portcullis-settings.json')

/**
 * The one settings file that is read; user, project and local settings are not. The hooks tell us, beside what the program says of
 * itself, that the settings hold and that the turn has ended.
 */
export function filesOf(request: PlanRequest): PlannedFile[] {
  const hook = (command: string): object[] => [{ hooks: [{ type: 'command', command, timeout: 10 }] }]
  const settings = {
    model: request.pair.model,
    skipWebFetchPreflight: true,
    includeCoAuthoredBy: false,
    disableAllHooks: false,
    hooks: { SessionStart: hook(`echo '${WITNESS}' >&2`), Stop: hook('exit 0') },
  }
  return [
    { path: settingsPath(request), content: `${JSON.stringify(settings, null, 2)}\n` },
    // A file where it would make a folder: it would open a socket there for other sessions, with a key that stays on disk when it is killed.
    { path: join(request.configuration, 'sessions'), content: 'no sessions\n' },
  ]
}

/** What it is told in its environment; none of it is a secret. */
export function settingsOf({ configuration, pair, profile }: PlanRequest): Record<string, string> {
  return {
    CLAUDE_CONFIG_DIR: configuration,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_BUG_COMMAND: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_DISABLE_CLAUDE_MDS: '1',
    // Flags of its makers can turn on what nobody reviewed here.
    CLAUDE_CODE_DISABLE_FEATURE_FLAGS: '1',
    // Other ways to another model, or to work that outlives the turn.
    CLAUDE_CODE_DISABLE_MODEL_ACCESS_FALLBACK: '1',
    CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK: '1',
    CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_DISABLE_CRON: '1',
    // One more try for a hiccup; what lasts longer is for the run to report, not for the agent to wait out.
    CLAUDE_CODE_MAX_RETRIES: '1',
    ...(profile.backgroundModels === 'map' ? mapped(pair.model) : {}),
    ...contextSetting(profile.context),
  }
}

/** Every other name under which it would ask for a model by itself. Where they are refused it keeps its own, and the wire says no. */
const mapped = (model: string): Record<string, string> => ({
  ANTHROPIC_SMALL_FAST_MODEL: model,
  ANTHROPIC_DEFAULT_OPUS_MODEL: model,
  ANTHROPIC_DEFAULT_SONNET_MODEL: model,
  ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
  CLAUDE_CODE_SUBAGENT_MODEL: model,
})

/** The context variants that it can be held to. Its own suffix of the model's name is not one: for some models it sends no flag with it. */
export const CONTEXTS: readonly string[] = Object.keys(CONTEXT_FLAGS)

/** The flag goes with every request beside the exact id, and the wire compares it with the profile (MC-082). */
export const contextSetting = (context: string | undefined): Record<string, string> => {
  const flag = context === undefined ? undefined : CONTEXT_FLAGS[context]
  return flag === undefined ? {} : { ANTHROPIC_BETAS: flag }
}
