import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { machineClock } from '../../src/adapters/process/index.ts'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { TicketBook } from '../../src/engine/index.ts'
import { NO_SECRETS, type Samples, sampleTickets } from '../../scripts/sample-tickets.ts'
import { CONFIGURATION, RECORD, type Scenario, scenario } from '../e2e/scenario.ts'
import { describeConcierge } from './agent-stage.ts'
import { ASSISTANT, assistantPlaces, freePort } from './assistant.ts'
import { type ServedApi, servedApi } from './served-api.ts'

export interface ConsoleStage {
  readonly made: Scenario
  readonly api: ServedApi
  /** Of a task that was accepted, and of one that was blocked at admission. */
  readonly accepted: string
  readonly blocked: string
  readonly tickets: Samples
  /** An agent that is who it should be, and one that is not. */
  readonly good: string
  readonly odd: string
  get(path: string): Promise<unknown>
}

const Runs = z.object({ runs: z.array(z.object({ runId: z.string(), state: z.string(), kind: z.string() })) })
const Agents = z.object({ agents: z.array(z.object({ name: z.string(), state: z.string().nullable() })) })
const SOON_MS = 3 * 86_400_000

/** A server over a store as work leaves it: runs that pass and are blocked, tickets in every state, an agent that is who it should be and one that is not, a record that ends this week. */
export async function consoleStage(holder: Pick<TestContext, 'after'>): Promise<ConsoleStage> {
  const made = await scenario(holder as TestContext)
  made.set(CONFIGURATION, ['profiles', 'unapproved'], { agent: 'command', command: ['node', '-e', '0'], model: 'scripted/coder-9', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 1000, cost: 'USD 0' } })
  made.set(CONFIGURATION, ['providers', 'scripted', 'prices', 'coder-9'], { input: 'USD 0', output: 'USD 0' })
  await describeAgents(made)
  assert.equal((await made.portcullis(['run', 'task.yaml', '--json'])).code, 0)
  assert.equal((await made.portcullis(['run', 'task.yaml', '--profile', 'unapproved'])).code, 3)
  const record = z.looseObject({}).parse(JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8')))
  made.write('admissions/scripted--coder-2.json', JSON.stringify({ ...record, model: 'coder-2', review_trigger: { expires_at: new Date(Date.now() + SOON_MS).toISOString() } }))
  const api = await servedApi(holder, made.directory, { arguments: ['--agent-wire-port', String(await freePort())] })
  // Written while the server runs: at its start it ends every session that nobody holds any more.
  const tickets = await addTickets(made)
  const get = async (path: string): Promise<unknown> => (await api.ask(path, { token: api.admin })).json()
  for (const name of ['concierge', 'porter']) assert.equal((await api.ask(`/agents/${name}/start`, { method: 'POST', token: api.admin, body: {} })).status, 202)
  await settled(get)
  const { runs } = Runs.parse(await get('/runs'))
  const of = (state: string): string => runs.find((run) => run.kind === 'task' && run.state === state)?.runId ?? assert.fail(`no run that is ${state}`)
  return { made, api, accepted: of('accepted'), blocked: of('blocked'), tickets, good: 'concierge', odd: 'porter', get }
}

async function describeAgents(made: Scenario): Promise<void> {
  const [good, odd] = [await assistantPlaces(), await assistantPlaces()]
  describeConcierge(made, good, 'process')
  made.set(CONFIGURATION, ['profiles', 'porter'], { agent: 'command', command: ['node', ASSISTANT, '--port', String(odd.port), '--mcp-port', String(odd.mcpPort), '--persona', 'persona.md', '--fault', 'other-card'], model: 'scripted/coder-1', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', permissions: 'bypass', limits: { total: '8h', idle: '30s', calls: 5_000, tokens: 20_000_000 } })
  made.set(CONFIGURATION, ['agents', 'porter'], {
    deployment: 'desk', profile: 'porter', purpose: 'ticket',
    expects: { name: 'Concierge', version: '1.4.0', persona: { file: 'seed/persona.md' }, build: { file: ASSISTANT }, mcpServers: { workspaces: { url: odd.mcpUrl, tools: ['create_workspace'] } } },
    provisioner: { kind: 'process', autoRestarts: 0, seed: 'seed' }, cardUrl: odd.cardUrl, allow: odd.allow, startup: '60s', answer: '10s', recheck: '30s', reprove: '300s', validFor: '400s',
  })
}

/** Written by another process than the server, as a command of this machine would. */
async function addTickets(made: Scenario): Promise<Samples> {
  const ledger = await openLedger(join(made.directory, '.portcullis/ledger.db'))
  try {
    return await sampleTickets(new TicketBook({ ledger, store: ledger.tickets, clock: () => new Date(), machineClock: machineClock(), scanner: NO_SECRETS }))
  } finally {
    await ledger.close()
  }
}

async function settled(get: (path: string) => Promise<unknown>): Promise<void> {
  for (const limit = performance.now() + 40_000; performance.now() < limit;) {
    const { agents } = Agents.parse(await get('/agents'))
    if (agents.every(({ state }) => state === 'online' || state === 'failed')) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the agents did not settle')
}
