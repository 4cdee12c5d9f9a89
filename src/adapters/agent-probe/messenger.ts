import { lookup } from 'node:dns'
import type { AgentMessenger } from '../../engine/index.ts'
import { AddressRefused, guardedClient, type Resolver } from '../outgoing/index.ts'
import { failureOf } from './ask.ts'

const METHODS = { send: 'SendMessage', stream: 'SendStreamingMessage' } as const

/** Speaks A2A 1.0 with agents, over the same guard as every other request to them. */
export function createMessenger(resolver: Resolver = lookup): AgentMessenger {
  return {
    async ask({ endpoint, permission, mode, id, params, silenceMs, signal }) {
      const client = guardedClient(permission, silenceMs, resolver)
      try {
        const body = JSON.stringify({ jsonrpc: '2.0', id, method: METHODS[mode], params })
        const answer = await client.fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/json', accept: mode === 'stream' ? 'text/event-stream' : 'application/json', 'a2a-version': '1.0' }, body, signal })
        return { ok: true, status: answer.status, contentType: answer.headers.get('content-type') ?? 'application/json', body: bodyOf(answer.body, () => client.close()) }
      } catch (error) {
        await client.close()
        const found = error instanceof AddressRefused ? `nothing was sent to ${error.found}` : failureOf(error, silenceMs).found
        return { ok: false, found }
      }
    },
  }
}

/** The bytes as they come. The connection is closed with the last of them, or when nobody reads on. */
async function* bodyOf(body: AsyncIterable<unknown> | null, close: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body ?? []) if (chunk instanceof Uint8Array) yield chunk
  } finally {
    await close()
  }
}
