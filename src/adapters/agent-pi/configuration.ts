import { join } from 'node:path'
import type { Dialect } from '../../contract/model.ts'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'

/** The variable that holds the run token. models.json names it and does not hold the token. */
export const TOKEN_VARIABLE = 'PORTCULLIS_RUN_TOKEN'

/** Pi's name of each dialect that the wire speaks. */
export const APIS: Readonly<Partial<Record<Dialect, string>>> = {
  'openai-chat': 'openai-completions',
  'openai-responses': 'openai-responses',
  'anthropic-messages': 'anthropic-messages',
}

export const THINKING_LEVELS: readonly string[] = ['off', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** What pi is told in its environment; none of it is a secret. */
export const settingsOf = (request: PlanRequest): Record<string, string> => ({
  PI_CODING_AGENT_DIR: request.configuration,
  PI_OFFLINE: '1',
  PI_SKIP_VERSION_CHECK: '1',
  PI_TELEMETRY: '0',
  // Node would keep compiled code of pi in the run's temporary directory, where it would only have to be scanned.
  NODE_DISABLE_COMPILE_CACHE: '1',
})

/** Every file pi reads its configuration from, so that none is taken from elsewhere or made up (ADM-C4, ADM-C5). */
export function filesOf(request: PlanRequest, api: string): PlannedFile[] {
  return [
    { path: join(request.configuration, 'models.json'), content: print(models(request, api)) },
    { path: join(request.configuration, 'settings.json'), content: print(settings(request)) },
    { path: join(request.configuration, 'auth.json'), content: '{}' },
  ]
}

/** One provider with one model, reached through the wire. Pi completes a model it does not find by a similar one: there is none. */
function models({ pair, profile, baseUrl, dialect }: PlanRequest, api: string): object {
  const contextWindow = contextTokens(profile.context)
  const model = {
    id: pair.model,
    name: pair.model,
    // Without it pi would quietly drop the effort.
    reasoning: thinkingOf(profile.effort) !== 'off',
    input: ['text'],
    ...(contextWindow === undefined ? {} : { contextWindow }),
    // Every server of this dialect knows the role "system"; not every one knows "developer", or storage.
    ...(dialect === 'openai-chat' ? { compat: { supportsDeveloperRole: false, supportsStore: false } } : {}),
  }
  return { providers: { [pair.provider]: { baseUrl, api, apiKey: `$${TOKEN_VARIABLE}`, models: [model] } } }
}

/** Pinned, because each of these has a default that would ask another model, call home or ask a question nobody answers. */
function settings({ pair, profile }: PlanRequest): object {
  return {
    defaultProvider: pair.provider,
    defaultModel: pair.model,
    defaultThinkingLevel: thinkingOf(profile.effort),
    enabledModels: [`${pair.provider}/${pair.model}`],
    cacheWarming: 'off',
    defaultProjectTrust: 'never',
    enableAnalytics: false,
    enableInstallTelemetry: false,
    quietStartup: true,
    transport: 'sse',
    // One more try for a hiccup; what lasts longer is for the run to report, not for the agent to wait out.
    retry: { enabled: true, maxRetries: 1, baseDelayMs: 1_000, provider: { maxRetries: 0 } },
    packages: [],
    extensions: [],
    skills: [],
    prompts: [],
  }
}

/** An effort that a profile does not name is none: pi's own default would be "medium". */
export const thinkingOf = (effort: string | undefined): string => effort ?? 'off'

/** `200k` or `1m` as tokens; undefined for no context and for anything else. */
export function contextTokens(context: string | undefined): number | undefined {
  const match = /^(\d{1,6})([km])$/i.exec(context ?? '')
  if (match === null) return undefined
  const tokens = Number(match[1]) * (match[2]?.toLowerCase() === 'm' ? 1_000_000 : 1_000)
  return tokens > 0 ? tokens : undefined
}

const print = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
