import { lookup } from 'node:dns'
import type { AgentProber, ChallengeFacts } from '../../gates/readiness/index.ts'
import { guardedClient, judgeAddress, type Resolver } from '../outgoing/index.ts'
import { readCard } from './card.ts'
import { challenge } from './challenge.ts'
import { lookAtServer } from './tools.ts'

export { readMaterial } from './material.ts'
export { createMessenger } from './messenger.ts'

/** Looks at agents over HTTP. Every address that anybody names on the way passes the one guard. */
export function createAgentProber(resolver: Resolver = lookup): AgentProber {
  return {
    judge: (url, permission) => judgeAddress(url, permission, resolver),
    async observe(question) {
      const { cardUrl, permission, servers, timeoutMs, signal } = question
      const client = guardedClient(permission, timeoutMs, resolver)
      // Without its connections every question that is open fails, and none can follow.
      const end = (): void => void client.close()
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      try {
        const card = await readCard(client, cardUrl, permission, resolver, timeoutMs)
        const answer: ChallengeFacts = card.status === 'read' ? await challenge(client, card.endpoint, question) : { status: 'unasked' }
        return { card, challenge: answer, servers: await Promise.all(servers.map((server) => lookAtServer(client, server, answer, timeoutMs))) }
      } finally {
        signal.removeEventListener('abort', end)
        await client.close()
      }
    },
  }
}
