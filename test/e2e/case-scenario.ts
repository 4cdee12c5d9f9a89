import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ProviderScript, ScriptedAnswer } from '../../src/adapters/scripted-provider/index.ts'
import { DECISION_EFFECT } from '../../src/gates/admission/index.ts'
import { type CaseFault, type CaseProgram, layOutCase } from '../helpers/case-program.ts'
import { CONFIGURATION, type Scenario, scenario } from './scenario.ts'

export const LOCAL = { provider: 'qwen-local', model: 'qwen3.6-35b-a3b', dialect: 'openai-chat' } as const
export const CODEX = { provider: 'openai-codex', model: 'gpt-5.4', dialect: 'openai-responses' } as const
export type CasePair = { readonly provider: string; readonly model: string; readonly dialect: 'openai-chat' | 'openai-responses' | 'anthropic-messages' }

const VARIABLE = { provider: 'CTO_HARNESS_CASE_MODEL_PROVIDER', model: 'CTO_HARNESS_CASE_MODEL', file: 'CTO_HARNESS_CASE_MODEL_ADMISSION_FILE', bridge: 'CTO_HARNESS_CASE_OPENAI_CODEX_AUTH_BRIDGE', local: 'CTO_HARNESS_CASE_LOCAL_BASE_URL' } as const
export { VARIABLE }

export const RESULT = (fields: object = {}): string => `<<<AGENT_RESULT\n${JSON.stringify({ status: 'completed', summary: 'slugify', artifacts: { commit: 'abc', filesChanged: ['src/slugify.js'], testsPassed: true }, error: null, ...fields })}\nAGENT_RESULT>>>`

const SLUGIFY = String.raw`export function slugify(title) {
  return title.normalize('NFD').replace(/\p{Mark}/gu, '').replace(/['’]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')
}
`
/** What the model has the shell do: the work, and its commit. */
const WORK = `cat > src/slugify.js <<'END'\n${SLUGIFY}END\ngit add -A src && git commit -q -m 'feat: slugify' && echo committed`

const ANSWERS_PROBE: ProviderScript['turns'][number] = { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } }

/** A model that commits slugify when it is told to, and then ends with `last`. */
export const working = (model: string, last: ScriptedAnswer = { text: `Done.\n\n${RESULT()}` }): ProviderScript => ({
  version: 1,
  models: [model],
  turns: [
    ANSWERS_PROBE,
    { when: { turn: 1, lastUser: 'implementer|Implementer' }, answer: { text: 'I will do it.', toolCalls: [{ name: 'bash', arguments: { command: WORK } }] } },
    { when: { always: true }, answer: last },
  ],
})

/** A model that only talks. */
export const talking = (model: string, text: string): ProviderScript => ({ version: 1, models: [model], turns: [ANSWERS_PROBE, { when: { always: true }, answer: { text } }] })

/** A model that is well when it is probed, and whose provider then refuses the key of the work. */
export const refusing = (model: string): ProviderScript => ({ ...talking(model, RESULT()), faults: [{ on: { lastUser: 'Implementer' }, fault: { status: 401 } }] })

export interface CaseScenario extends Scenario {
  readonly program: CaseProgram
  readonly recordFile: string
  /** Writes the one record that the environment names, with some fields changed. */
  admit(change?: object): void
}

const FILE = (pair: CasePair): string => `records/CTO-CASE-MODEL-PROVIDER-ADMISSION.${pair.provider}-${pair.model}.json`
export const PROFILE_OF_CASE = ['profiles', 'case_stage_2']

/** People decided that calls of this pair may reach somebody else. */
const decideOn = (made: Scenario, pair: CasePair, [credential, network]: readonly [string, string]): void =>
  made.write(`decisions/${pair.provider}--${pair.model}.json`, JSON.stringify({
    decision_status: 'external_provider_approved', provider_class: 'external_openai_codex', provider: pair.provider, model: pair.model, approval_source: 'JP chat approval on 2026-05-31',
    credential_source_class: credential, allowed_network_class: network, review_trigger: 'the next release of the model', evidence_sources: [], effect: DECISION_EFFECT,
  }))

/** The example with a Case of its own, admitted by a record as the documents have it, and asked for by their variables. */
export async function caseScenario(test: TestContext, pair: CasePair, options: { readonly script?: ProviderScript; readonly fault?: CaseFault; readonly program?: (directory: string) => CaseProgram } = {}): Promise<CaseScenario> {
  const made = await scenario(test, { script: options.script ?? working(pair.model) })
  const program = options.program?.(made.directory) ?? layOutCase(made.directory, options.fault)
  // One look at a copy less in each run; that a reference must pass is proven elsewhere.
  made.remove('task.yaml', ['baseline', 'reference'])
  const classes = pair.provider === LOCAL.provider ? (['pi-models-json-local-provider-no-secret', 'local-tailscale-vllm-spark1'] as const) : (['hermes-openai-codex-oauth-and-local-vllm-config', 'codex-oauth-hosted-model-plus-local-vllm-fallback'] as const)
  made.set(CONFIGURATION, ['providers', pair.provider], {
    dialect: pair.dialect, baseUrl: pair.dialect === 'anthropic-messages' ? made.provider.url : `${made.provider.url}/v1`, networkClass: classes[1], credential: { source: 'none', class: classes[0] },
    timeouts: { connect: '1s', firstByte: '10s', idle: '10s', total: '1m' },
  })
  const external = pair.provider !== LOCAL.provider
  made.set(CONFIGURATION, ['networkClasses', classes[1]], { external })
  if (external) decideOn(made, pair, classes)
  made.set(CONFIGURATION, PROFILE_OF_CASE, {
    agent: 'case', agentVersion: program.version, command: [...program.command], model: `${pair.provider}/${pair.model}`, permissions: 'bypass', purposes: ['ticket'],
    isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 50, tokens: 2_000_000 },
  })
  const admit = (change: object = {}): void =>
    made.write(FILE(pair), JSON.stringify({
      status: 'admitted', provider: pair.provider, model: pair.model, credential_source_class: classes[0], allowed_network_class: classes[1],
      approval_source: 'JP chat approval on 2026-05-31', admission_timestamp: '2026-05-31T23:00:00Z', review_trigger: 'the next release of the model', ...change,
    }))
  admit()
  Object.assign(made.env, {
    [VARIABLE.provider]: pair.provider, [VARIABLE.model]: pair.model, [VARIABLE.file]: FILE(pair), [VARIABLE.bridge]: '1',
    ...(pair.provider === LOCAL.provider ? { [VARIABLE.local]: `${made.provider.url}/v1/` } : {}),
  })
  return { ...made, program, recordFile: join(made.directory, FILE(pair)), admit }
}
