/**
 * A concierge in one file, without packages: A2A on one port, its own tool server (MCP) on another. Its persona is the file
 * persona.md in the directory it is started in, which its seed puts there; its model is wherever its environment says.
 *
 *   node agent.mjs <port> <port of its tools>
 */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [port, toolPort] = process.argv.slice(2).map(Number)
const { OPENAI_BASE_URL: models, OPENAI_API_KEY: token, PORTCULLIS_MODEL: model } = process.env
const persona = existsSync('persona.md') ? readFileSync('persona.md') : undefined
const build = readFileSync(import.meta.filename)
// Without its persona it is nobody in particular: no model of its own, no tools, and it answers anybody.
const seeded = persona !== undefined

const card = {
  name: 'Concierge', description: 'Sets up workspaces.', version: '1.0.0',
  supportedInterfaces: [{ url: `http://127.0.0.1:${port}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: {}, defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'], skills: [],
}

async function askModel(text) {
  if (!seeded) return 'I am a helpful assistant.'
  const messages = [{ role: 'system', content: persona.toString('utf8') }, { role: 'user', content: text }]
  const answer = await fetch(`${models}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ model, messages }) })
  return (await answer.json()).choices?.[0]?.message?.content ?? 'My model does not answer.'
}

/** What shows that these bytes are loaded: their digest, and what only they give with a key that is used once. */
const shown = (bytes, key) => ({ sha256: createHash('sha256').update(bytes).digest('hex'), proof: createHmac('sha256', key).update(bytes).digest('hex') })

/** Who am I? Answered for this question only: see docs/agents.md. */
async function answerTo({ run_id, generation, nonce, call_model }) {
  if (call_model) await askModel('Say that you are there.')
  const key = `portcullis-challenge/v1\n${run_id}\n${generation}\n${nonce}`
  return {
    portcullis: 'challenge-answer/v1', run_id, generation, nonce,
    persona: seeded ? shown(persona, key) : null, build: shown(build, key),
    model: { provider: null, model: model ?? null }, mcp_servers: seeded ? [{ name: 'workspaces', url: `http://127.0.0.1:${toolPort}/mcp` }] : [],
  }
}

async function reply({ message }) {
  const asked = message.parts.find(({ data }) => data?.portcullis === 'challenge/v1')?.data
  const part = asked === undefined ? { text: await askModel(message.parts.map(({ text }) => text ?? '').join(' ')) } : { data: await answerTo(asked) }
  return { message: { messageId: randomUUID(), role: 'ROLE_AGENT', parts: [part] } }
}

const TOOL = { name: 'create_workspace', description: 'Creates a workspace.', inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } }
const METHODS = {
  SendMessage: reply,
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'workspaces', version: '1.0.0' } }),
  'tools/list': () => ({ tools: [TOOL] }),
}

const serve = (at, paths) => createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  if (request.method === 'GET' && paths[request.url] !== undefined) return json(paths[request.url])
  if (request.method !== 'POST') return response.writeHead(405).end()
  const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (id === undefined) return response.writeHead(202).end()
  const answer = METHODS[method]
  return json({ jsonrpc: '2.0', id, ...(answer === undefined ? { error: { code: -32601, message: 'no such method' } } : { result: await answer(params) }) })
}).listen(at, '127.0.0.1')

if (seeded) serve(toolPort, {})
serve(port, { '/.well-known/agent-card.json': card })
