import type { Refusal } from '../../contract/gate.ts'
import type { ExactPermission } from '../../gates/catalog/index.ts'
import type { AgentHost, Route } from './host.ts'

/** Speaks with an agent whose address was proven. Never throws for what it does not reach. */
export interface AgentMessenger {
  ask(question: {
    readonly endpoint: string
    readonly permission: ExactPermission
    readonly mode: 'send' | 'stream'
    /** Of the JSON-RPC request; its answer carries it. */
    readonly id: string | number
    /** The parameters of an A2A `SendMessage`, as the caller gave them. */
    readonly params: unknown
    /** How long it may be silent. */
    readonly silenceMs: number
    readonly signal: AbortSignal
  }): Promise<{ readonly ok: true; readonly status: number; readonly contentType: string; readonly body: AsyncIterable<Uint8Array> } | { readonly ok: false; readonly found: string }>
}

export type Conversed =
  | { readonly ok: true; readonly agent: string; readonly generation: number; readonly status: number; readonly contentType: string; readonly body: AsyncIterable<Uint8Array> }
  | { readonly ok: false; readonly refusal: Refusal }

/** An answer that is not streamed is held whole, so that none of it is given by an agent that failed meanwhile. */
const MAX_ANSWER_BYTES = 16 * 1_048_576

/** Why a stream was cut: what was read until then stands, and its end shows that there was to be more. */
export class AgentWithdrawn extends Error {
  override readonly name = 'AgentWithdrawn'
}

/**
 * Gives a message to an agent that may be asked now, and its answer back only while that still holds (RDY-22, RDY-23): an
 * answer whole, a stream piece by piece. Everybody else's question is refused with the reason.
 */
export async function converse(host: Pick<AgentHost, 'route'>, messenger: AgentMessenger, asked: { readonly name: string; readonly mode: 'send' | 'stream'; readonly id: string | number; readonly params: unknown; readonly silenceMs: number; readonly signal: AbortSignal }): Promise<Conversed> {
  const route = await host.route(asked.name)
  if (!route.ok) return { ok: false, refusal: route.refusal }
  const { endpoint, permission, agent, generation } = route
  const answer = await messenger.ask({ endpoint, permission, mode: asked.mode, id: asked.id, params: asked.params, silenceMs: asked.silenceMs, signal: asked.signal })
  if (!answer.ok) return { ok: false, refusal: unanswered(agent, answer.found) }
  const { status, contentType } = answer
  if (status < 200 || status > 299) {
    await discard(answer.body)
    return { ok: false, refusal: unanswered(agent, `an answer with status ${status}`) }
  }
  if (asked.mode === 'stream') return { ok: true, agent, generation, status, contentType, body: whileProven(answer.body, route) }
  const whole = await readWhole(answer.body)
  if (whole === undefined) return { ok: false, refusal: unanswered(agent, `no complete answer, or one of more than ${MAX_ANSWER_BYTES} bytes`) }
  if (await route.still()) return { ok: true, agent, generation, status, contentType, body: one(whole) }
  return { ok: false, refusal: unanswered(agent, 'it is not the one that was meant any more; its answer was withheld') }
}

async function* whileProven(body: AsyncIterable<Uint8Array>, route: Extract<Route, { ok: true }>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (!(await route.still())) throw new AgentWithdrawn(`${route.agent} is not the one that was meant any more`)
    yield chunk
  }
}

/** Ends an answer of which nothing is wanted, so that its connection does not stay open. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  // Only one that was begun closes what it reads from.
  for await (const _ of body) break
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      length += chunk.length
      if (length > MAX_ANSWER_BYTES) return undefined
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch {
    return undefined
  }
}

const unanswered = (agent: string, found: string): Refusal => ({ reason: 'no_ready_agent', message: `${agent} gave no answer that counts.`, asked: `an answer of ${agent}, proven and in reach`, found, remedy: `Ask again later. See npx portcullis agents show ${agent}.` })
