import * as z from 'zod'
import { sha256 } from '../../contract/canonical.ts'
import type { ExactPermission } from '../../gates/catalog/index.ts'
import type { CardFacts } from '../../gates/readiness/index.ts'
import { type GuardedClient, judgeAddress, type Resolver } from '../outgoing/index.ts'
import { ask, jsonOf } from './ask.ts'

/** What A2A 1.0 requires of a card, and what of it is read here. Anything else in it is left alone. */
const AgentCard = z.looseObject({
  name: z.string().min(1).max(500),
  description: z.string(),
  version: z.string().min(1).max(500),
  supportedInterfaces: z.array(z.looseObject({ url: z.string().max(2_000), protocolBinding: z.string(), protocolVersion: z.string() })).min(1).max(20),
  capabilities: z.looseObject({}),
  defaultInputModes: z.array(z.string()),
  defaultOutputModes: z.array(z.string()),
  skills: z.array(z.looseObject({})),
})

/** Fetches a card and judges every address in it, whether it would ever be called or not (RDY-34). Nothing but the card is asked. */
export async function readCard(client: GuardedClient, url: string, permission: ExactPermission, resolver: Resolver, timeoutMs: number): Promise<CardFacts> {
  const asked = await ask(client, url, timeoutMs, { headers: { accept: 'application/json' } })
  if (asked.status !== 'answered') return asked
  const card = AgentCard.safeParse(jsonOf(asked.bytes))
  if (!card.success) return { status: 'malformed', found: `no agent card of A2A 1.0: ${card.error.issues.slice(0, 3).map((issue) => issue.path.join('.') || 'the whole').join(', ')}` }
  for (const each of addressesIn(card.data)) {
    const refused = await judgeAddress(each, permission, resolver)
    if (refused !== undefined) return { status: 'refused', found: `in the card, ${refused}` }
  }
  const endpoint = card.data.supportedInterfaces.find(({ protocolBinding, protocolVersion }) => protocolBinding === 'JSONRPC' && /^1\.\d+$/.test(protocolVersion))
  if (endpoint === undefined) return { status: 'malformed', found: 'a card without a JSONRPC interface of A2A 1' }
  return { status: 'read', url, sha256: sha256(asked.bytes), name: card.data.name, version: card.data.version, endpoint: endpoint.url }
}

/** Every text of a document that is an address, wherever it stands, also under names that nobody knows. */
function addressesIn(document: unknown): string[] {
  if (typeof document === 'string') return /^[a-z][a-z0-9+.-]*:\/\//i.test(document) ? [document] : []
  if (typeof document !== 'object' || document === null) return []
  return Object.entries(document).flatMap(([name, value]: [string, unknown]) => (/url$/i.test(name) && typeof value === 'string' ? [value] : addressesIn(value)))
}
