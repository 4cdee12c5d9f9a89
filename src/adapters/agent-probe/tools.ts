import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { digestOf } from '../../contract/canonical.ts'
import type { AgentQuestion, ChallengeFacts, ServerFacts } from '../../gates/readiness/index.ts'
import { AddressRefused, type GuardedClient, limitOf } from '../outgoing/index.ts'
import { failureOf } from './ask.ts'

const MOST_TOOLS = 5_000

/** Looks at one required tool server, at the very address that the agent says it uses. What is at another address does not count (RDY-09). */
export async function lookAtServer(client: GuardedClient, required: AgentQuestion['servers'][number], answer: ChallengeFacts, timeoutMs: number): Promise<ServerFacts> {
  const { name } = required
  const nothing = { name, url: null, tools: [], listSha256: null }
  if (answer.status !== 'answered') return { ...nothing, status: 'unasked', found: 'the agent names no tool server' }
  const used = answer.servers.filter((server) => server.name === name)
  const [only] = used
  if (only === undefined) return { ...nothing, status: 'unnamed', found: `the agent is connected to ${answer.servers.map((server) => server.name).join(', ') || 'no tool server'}` }
  if (used.length > 1 || (required.url !== null && only.url !== required.url)) return { ...nothing, status: 'elsewhere', found: `the agent is connected to ${used.map(({ url }) => url).join(', ')}` }
  try {
    const tools = await listTools(client, only.url, timeoutMs)
    return { name, url: only.url, status: 'listed', found: null, tools: tools.map((tool) => tool.slice(0, 200)), listSha256: digestOf(tools) }
  } catch (error) {
    if (error instanceof AddressRefused) return { ...nothing, url: only.url, status: 'refused', found: `nothing was sent to ${error.found}` }
    return { ...nothing, url: only.url, status: 'failed', found: `initialize or tools/list failed: ${failureOf(error, timeoutMs).found}` }
  }
}

/** `initialize`, then `tools/list` to its end. */
async function listTools(guarded: GuardedClient, url: string, timeoutMs: number): Promise<string[]> {
  const mcp = new Client({ name: 'portcullis', version: '1' })
  const { signal, clear } = limitOf(timeoutMs)
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: fetchOver(guarded, url, signal), reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1, maxReconnectionDelay: 1, reconnectionDelayGrowFactor: 1 } })
  try {
    await mcp.connect(transport, { timeout: timeoutMs, signal })
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await mcp.listTools(cursor === undefined ? {} : { cursor }, { timeout: timeoutMs, signal })
      names.push(...page.tools.map((tool) => tool.name))
      cursor = page.nextCursor
    } while (cursor !== undefined && names.length < MOST_TOOLS)
    return names.slice(0, MOST_TOOLS)
  } finally {
    clear()
    await mcp.close().catch(() => undefined)
  }
}

/** Every request of the MCP client goes through the guard, and to the one address that was judged. */
const fetchOver = (guarded: GuardedClient, url: string, ends: AbortSignal) =>
  async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    if (String(input) !== new URL(url).href) throw new AddressRefused('another address than that of the tool server')
    const signal = init.signal === undefined || init.signal === null ? ends : AbortSignal.any([init.signal, ends])
    const answer = await guarded.fetch(url, { method: init.method ?? 'GET', headers: [...new Headers(init.headers)], signal, ...(typeof init.body === 'string' ? { body: init.body } : {}) })
    return answer
  }
