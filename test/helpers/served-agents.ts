import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import type { TestContext } from 'node:test'
import type { ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import { type ShownAgent, ShownAgent as Shown } from '../../src/app/fleet.ts'
import { AgentStarted } from '../../src/app/shapes.ts'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import { describeConcierge, NAME, PERSONA } from './agent-stage.ts'
import { type Assistant, type AssistantPlaces, assistantPlaces, freePort, startAssistant } from './assistant.ts'
import { type ApiAnswer, type Asking, type ServedApi, servedApi } from './served-api.ts'

/** Short enough to wait for, long enough for a busy machine. */
const TIMES = { startup: '3s', answer: '2s', recheck: '400ms', reprove: '2s', validFor: '60s' } as const

export interface ServedAgents {
  readonly made: Scenario
  readonly places: AssistantPlaces
  readonly wire: string
  /** The server as it runs now. */
  readonly server: ServedApi
  ask(path: string, asking?: Asking): Promise<ApiAnswer>
  /** POST /agents/concierge/<act>, as an admin unless another token is given. */
  act(act: string, body?: object, token?: string): Promise<ApiAnswer>
  shown(): Promise<ShownAgent>
  /** State and reason, as people read them. */
  standing(): Promise<string>
  /** Waits until the agent stands so; fails with how it stands. */
  until(...standings: readonly string[]): Promise<string>
  /** Waits until it is neither starting nor to be looked at again. */
  settled(): Promise<string>
  /** The process that the server started for the agent, as the ledger has it. */
  pid(): Promise<number>
  restartServer(signal: NodeJS.Signals): Promise<void>
  message(text: string, mode?: 'message/send' | 'message/stream'): Promise<ApiAnswer>
}

/** The command `serve` with the concierge in its configuration, on a wire for agents that stays where it is. */
export async function servedAgents(context: TestContext, kind: 'process' | 'pull' | 'push', options: { readonly faultDirectory?: string; readonly times?: Partial<Record<keyof typeof TIMES, string>>; readonly script?: ProviderScript; readonly arguments?: readonly string[]; readonly change?: (made: Scenario) => void } = {}): Promise<ServedAgents> {
  const made = await scenario(context, options.script === undefined ? {} : { script: options.script })
  const [places, wirePort] = [await assistantPlaces(), await freePort()]
  describeConcierge(made, places, kind, options)
  for (const [name, value] of Object.entries({ ...TIMES, ...options.times })) made.set(CONFIGURATION, ['agents', NAME, name], value)
  options.change?.(made)
  const start = (): Promise<ServedApi> => servedApi(context, made.directory, { arguments: ['--agent-wire-port', String(wirePort), ...(options.arguments ?? [])] })
  let server = await start()
  const ask = (path: string, asking: Asking = {}): Promise<ApiAnswer> => server.ask(path, { token: server.admin, ...asking })
  const shown = async (): Promise<ShownAgent> => Shown.parse((await ask(`/agents/${NAME}`)).json())
  const standing = async (): Promise<string> => {
    const { state, reason } = await shown()
    return `${state ?? 'not started'}${reason === null ? '' : ` ${reason}`}`
  }
  const until = async (holds: (standing: string) => boolean, what: string): Promise<string> => {
    for (const limit = performance.now() + 40_000; performance.now() < limit; ) {
      const now = await standing()
      if (holds(now)) return now
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`waited in vain for ${what}: ${JSON.stringify(await shown())}\n${server.log().slice(-2_000)}`)
  }
  return {
    made, places, ask, shown, standing,
    wire: `http://127.0.0.1:${wirePort}/v1`,
    get server() {
      return server
    },
    act: (act, body = {}, token = server.admin) => server.ask(`/agents/${NAME}/${act}`, { method: 'POST', token, body }),
    until: (...standings) => until((now) => standings.includes(now), standings.join(' or ')),
    settled: () => until((now) => /^(?:online|failed)/.test(now), 'online or failed'),
    pid: async () => {
      const { run_id: run } = await shown()
      const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'), { readOnly: true })
      const row = database.prepare(`SELECT body FROM entry WHERE run_id = ? AND body LIKE '%"type":"process_started"%'`).get(run)
      database.close()
      return z.object({ data: z.object({ pid: z.int() }) }).parse(JSON.parse(z.object({ body: z.string() }).parse(row).body)).data.pid
    },
    restartServer: async (signal) => {
      await server.end(signal)
      server = await start()
    },
    message: (text, mode = 'message/send') => server.ask(`/agents/${NAME}/messages`, { method: 'POST', token: server.admin, body: { jsonrpc: '2.0', id: 'q-1', method: mode, params: { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text }] } } } }),
  }
}

/** An assistant that somebody else starts, holding a persona. */
export function assistantOf(context: TestContext, stage: ServedAgents, persona: string = PERSONA): Promise<Assistant> {
  const file = join(stage.made.directory, 'loaded.md')
  writeFileSync(file, persona)
  return startAssistant(context, stage.places, ['--persona', file])
}

/** Reads how a generation began, and gives the assistant its token. */
export async function handOver(answer: ApiAnswer, assistant: Assistant): Promise<string> {
  assert.equal(answer.status, 202, answer.text)
  const { access } = AgentStarted.parse(answer.json())
  assert.ok(access !== null)
  await assistant.set({ token: access.token, wire: access.base_url })
  return access.token
}
