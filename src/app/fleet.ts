import * as z from 'zod'
import { Name, RunId } from '../contract/ids.ts'
import { AGENT_STAGES, AGENT_STATES, AgentCondition, type AgentDefinition, type AgentRecord, AgentStep, type AgentStore, isRoutable } from '../engine/index.ts'
import { AgentPath, AgentReadinessEvidence, type AgentReadinessFacts, spelled } from '../gates/readiness/index.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

/** Who an agent must be beside who was seen: null where nothing was observed (RDY-26). */
const AgentSides = z.strictObject({ name: z.string(), version: z.string().nullable(), persona: z.string().nullable(), build: z.string().nullable(), model: z.string().nullable(), tools: z.array(z.string()) })
export type AgentSides = Readonly<z.infer<typeof AgentSides>>

/** An agent as every surface shows it. What is null of a state was never started. */
export const AgentView = z.strictObject({
  name: Name,
  deployment: z.string(),
  state: z.enum(AGENT_STATES).nullable(),
  reason: z.string().nullable().describe('As the documents spell it: MISSING_TOOL.'),
  stage: z.enum(AGENT_STAGES).nullable(),
  message: z.string().nullable(),
  generation: z.int().positive().nullable(),
  run_id: RunId.nullable(),
  path: AgentPath.nullable(),
  routable: z.boolean().describe('Whether it may be given something to do: computed as this is asked, never stored.'),
  proven_until: z.iso.datetime().nullable(),
  heartbeat_at: z.iso.datetime().nullable(),
  changed_at: z.iso.datetime().nullable(),
  head_commit: z.string().nullable().describe('The commit that the project was at when the generation began. It says when, and not why: what failed stands in stage, reason and message.'),
  expected: AgentSides.nullable(),
  observed: AgentSides.nullable(),
})
export type AgentView = Readonly<z.infer<typeof AgentView>>

export const Fleet = z.strictObject({
  agents: z.array(AgentView),
  deployments: z.array(z.strictObject({ deployment: z.string(), total: z.int(), healthy: z.int(), unready: z.int() })),
})
export type Fleet = Readonly<z.infer<typeof Fleet>>

export const FleetPage = Fleet.extend({ next: Name.nullable().describe('The `cursor` of the next page; null on the last.') })
export type FleetPage = Readonly<z.infer<typeof FleetPage>>

export const ShownAgent = AgentView.extend({
  conditions: z.array(AgentCondition),
  history: z.strictObject({ complete: z.literal(true), steps: z.array(AgentStep) }).describe('Every step of every generation, in order. None is left out: the store writes it with the change.'),
})
export type ShownAgent = Readonly<z.infer<typeof ShownAgent>>

const Opening = z.looseObject({ type: z.literal('run_opened'), data: z.looseObject({ head_commit: z.string().nullable().optional() }) })

async function withStore<Value>(options: AppOptions, use: (store: AgentStore | undefined) => Promise<Value>): Promise<Value> {
  const ledger = ledgerIn(options, stateDirectoryOf(options))
  try {
    return await use((await ledger.openExisting())?.agents)
  } finally {
    await ledger.close()
  }
}

/** Every agent of the configuration and of the store, expected beside observed, and the counts of each deployment. */
export const listAgents = (options: AppOptions): Promise<Fleet> => withStore(options, (store) => fleetOf(options, store))

/** The same from a store that is open. */
export async function fleetOf(options: AppOptions, store: AgentStore | undefined): Promise<Fleet> {
  const { agents, deployments } = await pageOfFleet(options, store, { cursor: undefined, limit: Number.POSITIVE_INFINITY })
  return { agents, deployments }
}

/** A page of it, by name: an agent that comes or goes in the meantime moves no other to another page. The counts are of all, whatever the page. */
export async function pageOfFleet(options: AppOptions, store: AgentStore | undefined, { cursor, limit }: { readonly cursor: string | undefined; readonly limit: number }): Promise<FleetPage> {
  const { configuration } = configurationOf(options)
  const records = new Map(((await store?.all()) ?? []).map((record) => [record.name, record]))
  const definitionOf = (name: string): AgentDefinition | undefined => (Object.hasOwn(configuration.agents ?? {}, name) ? configuration.agents?.[name] : undefined)
  const names = [...new Set([...Object.keys(configuration.agents ?? {}), ...records.keys()])].sort()
  const now = options.clock()
  const counted = names.map((name) => {
    const record = records.get(name)
    return { deployment: record?.deployment ?? definitionOf(name)?.deployment ?? '', routable: record !== undefined && isRoutable(record, now) }
  })
  const left = names.filter((name) => cursor === undefined || name > cursor)
  const shown = left.slice(0, limit)
  const agents = await Promise.all(shown.map((name) => viewOf(options, name, definitionOf(name), records.get(name), store)))
  return { agents, deployments: countsOf(counted), next: left.length === shown.length ? null : (shown.at(-1) ?? null) }
}

async function viewOf(options: AppOptions, name: string, definition: AgentDefinition | undefined, record: AgentRecord | undefined, store: AgentStore | undefined): Promise<AgentView> {
  const seen = record === undefined ? undefined : await store?.lastEvidence(record.runId, AgentReadinessEvidence.type)
  const facts = seen === undefined ? undefined : AgentReadinessEvidence.read(seen)?.predicate
  return {
    name,
    deployment: record?.deployment ?? definition?.deployment ?? '',
    state: record?.state ?? null,
    reason: record?.reason == null ? null : spelled(record.reason),
    stage: record?.stage ?? null,
    message: record?.message ?? null,
    generation: record?.generation ?? null,
    run_id: record?.runId ?? null,
    path: record?.path ?? null,
    routable: record !== undefined && isRoutable(record, options.clock()),
    proven_until: record?.provenUntil ?? null,
    heartbeat_at: record?.heartbeatAt ?? null,
    changed_at: record?.changedAt ?? null,
    head_commit: record === undefined ? null : (Opening.safeParse(await store?.opening(record.runId)).data?.data.head_commit ?? null),
    expected: facts === undefined ? (definition === undefined ? null : expectedBy(definition)) : expectedIn(facts),
    observed: facts === undefined ? null : observedIn(facts),
  }
}

function countsOf(agents: readonly Pick<AgentView, 'deployment' | 'routable'>[]): Fleet['deployments'] {
  const deployments = [...new Set(agents.map(({ deployment }) => deployment))].sort()
  return deployments.map((deployment) => {
    const own = agents.filter((agent) => agent.deployment === deployment)
    const healthy = own.filter(({ routable }) => routable).length
    return { deployment, total: own.length, healthy, unready: own.length - healthy }
  })
}

const digest = (sha256: string | null | undefined): string | null => (sha256 == null ? null : `sha256:${sha256}`)

const expectedBy = ({ expects, profile }: AgentDefinition): AgentSides => ({
  name: expects.name,
  version: expects.version,
  persona: 'file' in expects.persona ? expects.persona.file : digest(expects.persona.sha256),
  build: 'file' in expects.build ? expects.build.file : digest(expects.build.sha256),
  model: `by profile ${profile}`,
  tools: Object.values(expects.mcpServers).flatMap(({ tools }) => tools),
})

const expectedIn = ({ expected }: AgentReadinessFacts): AgentSides => ({
  name: expected.name,
  version: expected.version,
  persona: digest(expected.persona.sha256),
  build: digest(expected.build.sha256),
  model: `${expected.pair.provider}/${expected.pair.model}`,
  tools: expected.servers.flatMap(({ tools }) => tools),
})

function observedIn({ card, challenge, servers, calls, process }: AgentReadinessFacts): AgentSides {
  const answer = challenge.status === 'answered' ? challenge : undefined
  const served = calls.filter(({ outcome, inference }) => inference && outcome === 'answered').at(-1)
  return {
    name: card.status === 'read' ? card.name : `no card: ${card.found}`,
    version: card.status === 'read' ? card.version : null,
    persona: digest(answer?.persona?.sha256),
    build: digest(process === null ? answer?.build?.sha256 : process.observed.program.sha256),
    model: served === undefined ? null : `${served.admitted.provider}/${served.servedModel ?? '?'}`,
    tools: servers.flatMap(({ tools }) => tools),
  }
}

/** One agent with its conditions and its whole history. Throws `usage` for one that nobody knows. */
export const showAgent = (options: AppOptions, name: string): Promise<ShownAgent> => withStore(options, (store) => shownAgent(options, store, name))

/** The same from a store that is open. */
export async function shownAgent(options: AppOptions, store: AgentStore | undefined, name: string): Promise<ShownAgent> {
  const { configuration } = configurationOf(options)
  const record = await store?.find(name)
  const definition = configuration.agents?.[name]
  if (record === undefined && definition === undefined) throw usage('an agent of portcullis.yaml or of the ledger', `no agent ${name}`, 'See npx portcullis agents list.')
  const view = await viewOf(options, name, definition, record, store)
  return { ...view, conditions: [...((await store?.conditions(name)) ?? [])], history: { complete: true, steps: [...((await store?.steps(name)) ?? [])] } }
}
