import * as z from 'zod'
import type { KeepRequest, Kept, ToldAgent } from '../../app/agents.ts'
import { AgentStarted, type AgentView, type Fleet, FleetPage, ShownAgent } from '../../app/shapes.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import type { Refusal } from '../../contract/gate.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { ServerClient } from './client.ts'

const LOOK_MS = 200
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const placeOf = (name: string): string => `/agents/${encodeURIComponent(name)}`

export type Acted = { readonly ok: true; readonly access: z.infer<typeof AgentStarted>['access'] } | { readonly ok: false; readonly refusal: Refusal; readonly exitCode: number }

export type AgentAct = 'start' | 'restart' | 'wake' | 'stop' | 'drain'

const Answered = z.looseObject({ result: z.unknown().optional(), error: z.looseObject({ message: z.string() }).optional() })

/** The long-lived agents of a server. */
export class RemoteAgents {
  readonly #client: ServerClient

  constructor(client: ServerClient) {
    this.#client = client
  }

  async list(): Promise<Fleet> {
    const agents: AgentView[] = []
    for (let query = ''; ; ) {
      const page = await this.#client.must(FleetPage, `/agents?limit=500${query}`)
      agents.push(...page.agents)
      if (page.next === null) return { agents, deployments: page.deployments }
      query = `&cursor=${encodeURIComponent(page.next)}`
    }
  }

  show(name: string): Promise<ShownAgent> {
    return this.#client.must(ShownAgent, placeOf(name))
  }

  act(name: string, act: AgentAct, reason: string | undefined): Promise<Acted> {
    return this.#do(`${placeOf(name)}/${act}`, reason === undefined ? {} : { reason })
  }

  register(name: string, cardUrl: string): Promise<Acted> {
    return this.#do(`${placeOf(name)}/register`, { card_url: cardUrl })
  }

  heartbeat(name: string, healthy: boolean): Promise<Acted> {
    return this.#do(`${placeOf(name)}/heartbeat`, { healthy })
  }

  /** Asks an agent in words: its whole JSON-RPC answer. */
  async message(name: string, text: string, ended: AbortSignal): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly refusal: Refusal; readonly exitCode: number }> {
    const body = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] } } }
    const asked = await this.#client.ask(Answered, `${placeOf(name)}/messages`, body, ended)
    return asked.ok ? asked : refused(asked.refusal)
  }

  /** Starts agents one after the other. The server keeps them; with `wait` this ends at the first that failed, or when all are ready. */
  async keep(asked: KeepRequest): Promise<Kept> {
    const names = asked.names.length > 0 ? asked.names : (await this.list()).agents.map(({ name }) => name)
    if (names.length === 0) throw new PortcullisError('usage', { asked: 'agents to start', found: 'none in the portcullis.yaml of the server', remedy: 'Describe one under agents.' })
    const ready: string[] = []
    const told = new Map<string, string>()
    for (const name of names) {
      const begun = await this.act(name, asked.path === 'restart' ? 'restart' : 'start', undefined)
      if (begun.ok && begun.access !== null) asked.licensed(name, { token: begun.access.token, baseUrl: begun.access.base_url, expiresAt: begun.access.expires_at }, begun.access.base_url)
      for (;;) {
        const { generation, state, reason, message } = await this.show(name)
        const standing = `${generation} ${state} ${reason}`
        if (told.get(name) !== standing && generation !== null && state !== null && message !== null) asked.changed({ name, generation, state, reason, message } satisfies ToldAgent)
        told.set(name, standing)
        if (!begun.ok || state === 'failed') return { ready, failed: name }
        if (state === 'online') ready.push(name)
        if (state === 'online' || !asked.wait || asked.ended.aborted) break
        await pause(LOOK_MS)
      }
    }
    return { ready, failed: null }
  }

  async #do(path: string, body: object): Promise<Acted> {
    const asked = await this.#client.ask(AgentStarted.partial().loose(), path, body)
    return asked.ok ? { ok: true, access: asked.value.access ?? null } : refused(asked.refusal)
  }
}

const refused = (refusal: Refusal) => ({ ok: false, refusal, exitCode: exitCodeOf(refusal.reason, false) }) as const
