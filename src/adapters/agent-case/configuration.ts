import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import type { PlannedFile, PlanRequest } from '../../gates/launch/index.ts'
import { BRIDGE, HAND_OVER } from './preloads.ts'
import { APIS, type AuthRoute, authRouteOf } from './routes.ts'

/** The variable that holds the run token where the bridge or models.json names it. */
export const TOKEN_VARIABLE = 'PORTCULLIS_RUN_TOKEN'

/** How Case calls the workspace: the only project that it knows. */
const PROJECT = 'workspace'

/** Where Case finds what is written for it. All of it lies in directories of the run. */
export interface CasePlaces {
  readonly home: string
  readonly configuration: string
  readonly temporary: string
}

export const placesBelow = ({ configuration }: Pick<CasePlaces, 'configuration'>) => ({
  caseData: join(configuration, 'case'),
  pi: join(configuration, 'pi'),
  bunfig: join(configuration, 'bunfig.toml'),
  handOver: join(configuration, 'hand-over.mjs'),
  bridge: join(configuration, 'bridge.mjs'),
  task: (runId: string) => join(configuration, 'task', `${runId}.task.json`),
  taskText: (runId: string) => join(configuration, 'task', `${runId}.md`),
})

/** What the child is told beside the run token; none of it is a secret. */
export function settingsOf(request: PlanRequest, places: CasePlaces, packageRoot: string, bridged: boolean): Record<string, string> {
  const { caseData, pi, taskText } = placesBelow(places)
  return {
    CASE_DATA_DIR: caseData,
    CASE_PACKAGE_ROOT: packageRoot,
    PI_CODING_AGENT_DIR: pi,
    PI_OFFLINE: '1',
    PI_TELEMETRY: '0',
    DO_NOT_TRACK: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    // Bun would keep compiled code of Case below HOME, where it would only have to be scanned.
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
    PORTCULLIS_CASE_TASK: taskText(request.runId),
    PORTCULLIS_CASE_PROVIDER: request.pair.provider,
    ...(bridged ? { PORTCULLIS_BRIDGE_SHA256: sha256(BRIDGE) } : {}),
  }
}

/** Every file that Case, Pi and Bun read their configuration from, so that none is taken from elsewhere or made up (ADM-C1, C4, C5, C7). */
export function filesOf(request: PlanRequest, places: CasePlaces, bridged: boolean): PlannedFile[] {
  const { caseData, pi, bunfig, handOver, bridge, task } = placesBelow(places)
  const { pair } = request
  return [
    // `default` alone: a key of a role would be another model for that role (ADM-C2).
    { path: join(caseData, 'config.json'), content: print({ version: 1, projects: './projects.json', defaultModel: pair.model, models: { default: { provider: pair.provider, model: pair.model } } }) },
    { path: join(caseData, 'projects.json'), content: print({ repos: [{ name: PROJECT, type: 'library', path: request.workspace, remote: '', language: '', packageManager: '', commands: {} }] }) },
    { path: join(pi, 'models.json'), content: print({ providers: { [pair.provider]: providerOf(request) } }) },
    { path: join(pi, 'auth.json'), content: '{}' },
    // Bun otherwise reads bunfig.toml and .env of the directory it starts in, which is the workspace: a preload or CASE_MODEL_OVERRIDE could stand there.
    { path: bunfig, content: 'env = false\n' },
    { path: handOver, content: HAND_OVER },
    ...(bridged ? [{ path: bridge, content: BRIDGE }] : []),
    { path: task(request.runId), content: print(taskOf(request.runId)) },
  ]
}

/** Which of these files Case has no business to change. Its task it writes itself. */
export const settledFiles = (files: readonly PlannedFile[]): readonly PlannedFile[] => files.filter(({ path }) => !path.endsWith('.task.json'))

/** A provider that Pi knows keeps its own models and only gets our address; any other has the admitted model and nothing else. */
function providerOf({ pair, dialect, baseUrl, profile }: PlanRequest): object {
  if (authRouteOf(pair.provider).kind !== 'models-json') return { baseUrl }
  const model = {
    id: pair.model,
    name: pair.model,
    reasoning: profile.effort !== undefined,
    input: ['text'],
    // Every server of this dialect knows the role "system"; not every one knows "developer", or storage.
    ...(dialect === 'openai-chat' ? { compat: { supportsDeveloperRole: false, supportsStore: false } } : {}),
  }
  return { baseUrl, api: APIS[dialect] ?? '', apiKey: TOKEN_VARIABLE, models: [model] }
}

/** What Pi must call the model by, for the catalogue to be the one that was meant. */
export const expectedApi = (route: AuthRoute, request: PlanRequest): string | undefined => (route.kind === 'models-json' ? APIS[request.dialect] : route.kind === 'none' ? undefined : route.api)

/**
 * The task as Case's own schema wants it; its text is the prompt and comes last. `tiny` is Case's shortest course: what a run
 * proves is proven by our probes, and every phase more is paid for in tokens.
 */
function taskOf(runId: string): object {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z-/.exec(runId) ?? []
  const created = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`
  return { id: runId, status: 'active', created, repo: PROJECT, issueType: 'freeform', mode: 'unattended', profile: 'tiny', agents: {}, tested: false, manualTested: false, prUrl: null, prNumber: null }
}

const print = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
