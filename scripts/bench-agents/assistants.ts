import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod'
import { startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'

// Thousands of assistants and their model in one process, so that what the server uses is the server's alone. Each is an address of its own.

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const [PERSONA, BUILD] = [sha256('persona'), sha256('build')]
const Told = z.union([z.strictObject({ token: z.string(), agent: z.string(), wire: z.string() }), z.strictObject({ loses: z.string() })])
const Rpc = z.looseObject({ id: z.union([z.string(), z.number()]).optional(), method: z.string(), params: z.looseObject({}).optional() })
const Challenge = z.looseObject({ run_id: z.string(), generation: z.number(), nonce: z.string(), call_model: z.boolean() })
const Asked = z.looseObject({ message: z.looseObject({ parts: z.array(z.looseObject({ data: z.unknown() })) }) })

const held = new Map<string, { readonly token: string; readonly wire: string }>()
const without = new Set<string>()
const provider = await startScriptedProvider({
  port: 0,
  script: { version: 1, models: ['coder-1'], turns: [{ when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } }, { when: { always: true }, answer: { text: 'Here I am.' } }] },
})

async function answerTo(agent: string, asked: unknown): Promise<unknown> {
  const { run_id, generation, nonce, call_model: callModel } = Challenge.parse(Asked.parse(asked).message.parts[0]?.data)
  const own = held.get(agent)
  if (callModel && own !== undefined) {
    const answer = await fetch(`${own.wire}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${own.token}` }, body: JSON.stringify({ model: 'coder-1', messages: [{ role: 'user', content: 'Are you there?' }] }) })
    await answer.text()
  }
  const data = { portcullis: 'challenge-answer/v1', run_id, generation, nonce, persona: { sha256: PERSONA, proof: null }, build: { sha256: BUILD, proof: null }, model: { provider: null, model: 'coder-1' }, mcp_servers: [{ name: 'desk', url: `${base}/${agent}/mcp` }] }
  return { message: { messageId: nonce, role: 'ROLE_AGENT', parts: [{ data }] } }
}

async function resultOf(agent: string, method: string, params: unknown): Promise<unknown> {
  switch (method) {
    case 'SendMessage':
      return answerTo(agent, params)
    case 'initialize':
      return { protocolVersion: z.looseObject({ protocolVersion: z.string() }).parse(params).protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'desk', version: '1' } }
    case 'tools/list':
      return { tools: without.has(agent) ? [] : [{ name: 'create_workspace', inputSchema: { type: 'object' } }] }
    default:
      return undefined
  }
}

const cardOf = (agent: string): unknown => ({
  name: 'Concierge', description: 'One of many.', version: '1', supportedInterfaces: [{ url: `${base}/${agent}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: {}, defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'], skills: [],
})

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const [, agent = '', what = ''] = (request.url ?? '').split('/')
    const json = (value: unknown): unknown => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.method === 'GET') return what === 'card' ? json(cardOf(agent)) : response.writeHead(405).end()
    const { id, method, params } = Rpc.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    if (id === undefined) return response.writeHead(202).end()
    return void resultOf(agent, method, params).then(
      (result) => json({ jsonrpc: '2.0', id, ...(result === undefined ? { error: { code: -32_601, message: 'no such method' } } : { result }) }),
      () => response.destroy(),
    )
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const base = `http://127.0.0.1:${port}`

process.on('message', (message) => {
  const told = Told.parse(message)
  if ('loses' in told) without.add(told.loses)
  else held.set(told.agent, { token: told.token, wire: told.wire })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ base, provider: provider.url, persona: PERSONA, build: BUILD })
