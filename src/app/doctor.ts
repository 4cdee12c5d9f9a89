import { tmpdir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path'
import { agentAdapters } from '../app.ts'
import { loadOverride, type LoadedConfiguration } from '../adapters/configuration/index.ts'
import { AREAS, type DoctorRow, isolationRows, programRows, providerRows, recordRows, stateRows } from '../adapters/doctor/index.ts'
import { createIsolation, type Isolation } from '../adapters/isolation/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Refusal } from '../contract/gate.ts'
import { createRunToken } from '../contract/ids.ts'
import { parseDuration } from '../contract/units.ts'
import { unenforceableLimits } from '../engine/limits.ts'
import { entryOf, type OverrideState, resolveProfile, type ResolvedProfile } from '../gates/catalog/index.ts'
import { composeLaunchFacts, launchGate, type PlanRequest } from '../gates/launch/index.ts'
import { checkAdmission, listAdmissionRecords } from './admissions.ts'
import { type AppOptions, configurationOf, configurationPathOf, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

export type { DoctorRow }

export interface DoctorAnswer {
  readonly rows: readonly DoctorRow[]
  readonly missing: number
  readonly warnings: number
  /** 0 only if nothing that a profile needs is missing. */
  readonly exit_code: 0 | 3
}

/**
 * Looks at everything a run would need: installed, configured, admitted, reachable, writable. It starts no agent (but a shell
 * under each seal, to see whether that holds), sends no byte to a provider, reads no credential and leaves nothing. Without `soon` no record is called near its end. Throws `usage` for a `soon` that is no duration, and
 * `file_missing` where there is no configuration at all; one that is not valid is a row.
 */
export async function examine(options: AppOptions, asked: { readonly soon: string | undefined }): Promise<DoctorAnswer> {
  const soonMs = asked.soon === undefined ? 0 : parseDuration(asked.soon)
  if (soonMs === undefined) throw usage('a duration', JSON.stringify(asked.soon), 'Give --soon one, as in 30d.')
  const searchPath = (options.environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter)
  const read = readConfiguration(options)
  const loaded = 'loaded' in read ? read.loaded : undefined
  const override = loadOverride(dirname(configurationPathOf(options)))
  const isolation = createIsolation({ searchPath, node: process.execPath, temporaryDirectory: tmpdir() })
  const looked = await Promise.all([
    programRows(loaded?.configuration, searchPath),
    isolationRows(loaded?.configuration, isolation),
    loaded === undefined ? Promise.resolve([]) : profileRows(options, loaded, override, isolation),
    loaded === undefined ? Promise.resolve([]) : providerRows(loaded.configuration, override, { environment: options.environment, homeDirectory: options.homeDirectory, searchPath }),
    listAdmissionRecords(options, soonMs).then((records) => recordRows(records, asked.soon)),
    examineState(options),
  ])
  const all = ['loaded' in read ? configured(options.cwd, read.loaded) : read.fault, ...overrideRows(override), ...looked.flat()].toSorted((a, b) => AREAS.indexOf(a.area) - AREAS.indexOf(b.area))
  const missing = all.filter(({ status }) => status === 'missing').length
  return { rows: all, missing, warnings: all.filter(({ status }) => status === 'warning').length, exit_code: missing === 0 ? 0 : 3 }
}

function readConfiguration(options: AppOptions): { readonly loaded: LoadedConfiguration } | { readonly fault: DoctorRow } {
  try {
    return { loaded: configurationOf(options) }
  } catch (error) {
    if (!(error instanceof PortcullisError) || error.code !== 'configuration_invalid') throw error
    return { fault: { area: 'configuration', name: relative(options.cwd, configurationPathOf(options)), status: 'missing', found: error.found, needed_for: 'every run', remedy: error.remedy } }
  }
}

const configured = (cwd: string, { path, configuration }: LoadedConfiguration): DoctorRow => ({
  area: 'configuration',
  name: relative(cwd, path),
  status: 'ok',
  found: `valid; profiles ${Object.keys(configuration.profiles).join(', ')}`,
  needed_for: 'every run',
  remedy: null,
})

function overrideRows(override: OverrideState): DoctorRow[] {
  if (override === null) return []
  const common = { area: 'configuration' as const, name: 'aliases.json', needed_for: 'every resolution' }
  if ('invalid' in override) return [{ ...common, status: 'missing', found: override.invalid, remedy: 'Correct aliases.json or remove it; an override that cannot be read is never ignored.' }]
  return [{ ...common, status: 'warning', found: `in force for ${Object.keys(override.value.aliases).join(', ')}: ${override.value.reason}`, remedy: 'Nothing has to be done; remove it when its reason is gone.' }]
}

async function examineState(options: AppOptions): Promise<DoctorRow[]> {
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
  try {
    return await stateRows(stateDirectory, ledger)
  } finally {
    // One that could not be opened has said so in its row, and has nothing to close.
    await ledger.close().catch(() => undefined)
  }
}

/** Two rows a profile: what the catalog and the admission gate say of it today, and what the launch gate says of its agent. */
async function profileRows(options: AppOptions, loaded: LoadedConfiguration, override: OverrideState, isolation: Isolation): Promise<DoctorRow[]> {
  const agents = await agentAdapters(loaded.directory)
  const rows = await Promise.all(Object.entries(loaded.configuration.profiles).map(async ([name, profile]) => {
    const purpose = profile.purposes.find((each) => entryOf(loaded.configuration.purposes, each)?.mayIgnorePurposeOfProfile !== true)
    if (purpose === undefined) return [rowOf(name, { found: 'no purpose of it may be used by a caller', remedy: 'List a purpose that is open to callers.' })]
    const outcome = resolveProfile({ catalog: loaded.configuration, override, profile: name, purpose, candidate: 0, capability: null })
    if ('refusal' in outcome) return [rowOf(name, outcome.refusal)]
    const { refusal, message } = await checkAdmission(options, { profile: name, purpose, file: undefined })
    return [rowOf(name, refusal, message), await agentRow(options, loaded.configuration, outcome.resolution, { agents, isolation })]
  }))
  return rows.flat()
}

const rowOf = (name: string, refusal: Pick<Refusal, 'found' | 'remedy'> | null, message = ''): DoctorRow => ({
  area: 'profiles',
  name,
  status: refusal === null ? 'ok' : 'missing',
  found: refusal === null ? message : refusal.found,
  needed_for: 'its admission',
  remedy: refusal === null ? null : refusal.remedy,
})

/** The verdict of the launch gate over what the adapter would start. Planning starts nothing and writes nothing: the directories are names. */
async function agentRow(options: AppOptions, configuration: LoadedConfiguration['configuration'], { profileName, profile, pair, provider }: ResolvedProfile, { agents, isolation }: { readonly agents: Awaited<ReturnType<typeof agentAdapters>>; readonly isolation: Isolation }): Promise<DoctorRow> {
  const common = { area: 'installed' as const, name: profile.agent, needed_for: `profile ${profileName}` }
  const [program = ''] = profile.command ?? []
  if (program.includes('/') && !isAbsolute(program)) return { ...common, status: 'warning', found: `${program} is looked for in the copy of the repository, which is made for a run`, remedy: 'Name the program by its absolute path, so that it is not the repository that decides what runs.' }
  const adapter = agents.get(profile.agent)
  if (adapter === undefined) return { ...common, status: 'missing', found: `adapters for ${[...agents.keys()].join(', ')}`, remedy: 'Name one of them in the profile; `command` drives any program that takes its base URL and token from the environment.' }
  const place = join(stateDirectoryOf(options), 'runs', 'doctor')
  const request: PlanRequest = {
    runId: 'doctor', profileName, profile, pair, dialect: provider.dialect, endpoint: provider.baseUrl, baseUrl: 'http://127.0.0.1', runToken: createRunToken(), inherited: options.environment,
    workspace: join(place, 'workspace'), home: join(place, 'home'), configuration: join(place, 'configuration'), temporary: join(place, 'temporary'),
  }
  const planned = await adapter.plan(request)
  const facts = composeLaunchFacts(planned, request, {
    observedAt: options.clock(), validForMs: 1, runDirectory: place, secrets: [],
    isolation: { required: profile.isolation, ...(await isolation.reach(profile.isolation)) },
    unenforceableLimits: unenforceableLimits(profile, configuration, provider, pair.model),
  })
  const finding = launchGate.decide(facts, ['0'.repeat(64)])
  if (finding.outcome === 'pass') return { ...common, status: 'ok', found: finding.message, remedy: null }
  return { ...common, status: 'missing', found: finding.outcome === 'block' ? finding.found : finding.message, remedy: finding.outcome === 'block' ? finding.remedy : null }
}
