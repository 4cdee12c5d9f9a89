import * as z from 'zod'
import type { AgentProcess } from '../../engine/agent.ts'
import { lineReader, parseRecord } from './lines.ts'

const Id = z.union([z.int(), z.string()])
const Message = z.looseObject({
  id: Id.optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
})

export type RpcAnswer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly found: string }

export interface RpcPeer {
  notified(method: string, params: unknown): void
  /** The other side asks, and waits until `reply` is called with this id. */
  requested(id: number | string, method: string, params: unknown): void
}

/** JSON-RPC, one message a line, over the input and output of a process. What is no message is passed over. */
export class JsonRpc {
  readonly #peer: RpcPeer
  readonly #waiting = new Map<number | string, (answer: RpcAnswer) => void>()
  #process: AgentProcess | undefined
  #requests = 0

  constructor(peer: RpcPeer) {
    this.#peer = peer
  }

  readonly read = lineReader((line) => this.#take(line))

  attach(process: AgentProcess): void {
    this.#process = process
  }

  async request(method: string, params: object): Promise<RpcAnswer> {
    this.#requests += 1
    const id = this.#requests
    const answer = new Promise<RpcAnswer>((resolve) => this.#waiting.set(id, resolve))
    await this.#write({ id, method, params })
    return await answer
  }

  notify(method: string, params: object): Promise<void> {
    return this.#write({ method, params })
  }

  reply(id: number | string, result: object): Promise<void> {
    return this.#write({ id, result })
  }

  /** Says that we do not do what was asked: a request without an answer would keep the other side waiting. */
  decline(id: number | string): Promise<void> {
    return this.#write({ id, error: { code: -32_601, message: 'Not supported.' } })
  }

  #take(line: string): void {
    const message = parseRecord(Message, line)
    if (message === undefined) return
    const { id, method, params, result, error } = message
    if (method !== undefined) return id === undefined ? this.#peer.notified(method, params) : this.#peer.requested(id, method, params)
    if (id === undefined) return
    this.#waiting.get(id)?.(error === undefined ? { ok: true, result } : { ok: false, found: `${error.code}: ${error.message.slice(0, 300)}` })
    this.#waiting.delete(id)
  }

  async #write(message: object): Promise<void> {
    if (this.#process === undefined) throw new Error('A session that was not started')
    await this.#process.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}
