import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ASSISTANT, type Assistant, type AssistantPlaces, assistantPlaces, startAssistant } from '../../../test/helpers/assistant.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import { type AgentQuestion, challengeKey } from '../../gates/readiness/index.ts'
import { createAgentProber, readMaterial } from './index.ts'

const RUN = '20261121T090000Z-concierge-1'
const NONCE = 'a-nonce-that-nobody-can-guess-1'
const PERSONA = 'You are the concierge of the house.\n'

const questionFor = (places: AssistantPlaces, change: Partial<AgentQuestion> = {}): AgentQuestion => ({
  cardUrl: places.cardUrl, permission: { addresses: places.allow.addresses, networks: [] }, runId: RUN, generation: 3, nonce: NONCE, servers: [{ name: 'workspaces', url: places.mcpUrl }], callModel: true, timeoutMs: 20_000, signal: new AbortController().signal, ...change,
})

let running: Promise<{ places: AssistantPlaces; assistant: Assistant; persona: string }> | undefined
/** One assistant for all tests of this file: its fault is set by each. */
const assistant = (context: TestContext, fault: string) => {
  running ??= (async () => {
    const never = { after: (end: () => unknown) => void process.once('exit', () => void end()) }
    const places = await assistantPlaces()
    const persona = join(temporaryDirectory(never), 'persona.md')
    writeFileSync(persona, PERSONA)
    const started = await startAssistant(never, places, ['--persona', persona])
    started.child.unref()
    started.child.channel?.unref()
    return { places, assistant: started, persona }
  })()
  return running.then(async (made) => {
    await made.assistant.set({ fault })
    context.after(() => made.assistant.set({ fault: 'none' }))
    return made
  })
}

verifies('RDY-46', 'a good agent: its card, an answer for this question, its tools; each with digests of what was said', async (context) => {
  const { places } = await assistant(context, 'none')
  const { card, challenge, servers } = await createAgentProber().observe(questionFor(places))
  assert.partialDeepStrictEqual(card, { status: 'read', name: 'Concierge', version: '1.4.0', endpoint: `http://127.0.0.1:${places.port}/a2a` })
  const key = challengeKey({ runId: RUN, generation: 3, nonce: NONCE })
  const proof = (bytes: string | Buffer): string => createHmac('sha256', key).update(bytes).digest('hex')
  const build = readFileSync(ASSISTANT)
  assert.partialDeepStrictEqual(challenge, { status: 'answered', bound: { runId: RUN, generation: 3, nonce: NONCE }, persona: { sha256: sha256(PERSONA), proof: proof(PERSONA) }, build: { sha256: sha256(build), proof: proof(build) }, claims: { model: 'coder-1' } })
  assert.deepEqual(servers.map(({ name, status, url, tools }) => ({ name, status, url, tools })), [{ name: 'workspaces', status: 'listed', url: places.mcpUrl, tools: ['create_workspace', 'list_workspaces'] }])
  for (const digest of [card.status === 'read' ? card.sha256 : '', challenge.status === 'answered' ? challenge.requestSha256 + challenge.responseSha256 : '', servers[0]?.listSha256 ?? '']) assert.match(digest, /^(?:[0-9a-f]{64})+$/)
})

verifies('RDY-07', 'an agent that chats and does not understand the question is unanswered, and its tool servers are not known', async (context) => {
  const { places } = await assistant(context, 'generic')
  const { card, challenge, servers } = await createAgentProber().observe(questionFor(places))
  assert.deepEqual([card.status, challenge.status, servers[0]?.status], ['read', 'unanswered', 'unasked'])
})

verifies('RDY-05 RDY-09', 'a tool server counts only where the agent itself is connected to it, and only if it answers', async (context) => {
  const statusOf = async (fault: string, change: (places: AssistantPlaces) => Partial<AgentQuestion> = () => ({})): Promise<string | undefined> => {
    const { places } = await assistant(context, fault)
    return (await createAgentProber().observe(questionFor(places, change(places)))).servers[0]?.status
  }
  // It runs and answers at the expected address, but the agent does not use it.
  assert.equal(await statusOf('no-mcp'), 'unnamed')
  assert.equal(await statusOf('none', () => ({ servers: [{ name: 'workspaces', url: 'http://127.0.0.1:9/mcp' }] })), 'elsewhere')
  assert.equal(await statusOf('none', () => ({ servers: [{ name: 'workspaces', url: null }] })), 'listed')
  assert.equal(await statusOf('dead-mcp'), 'failed')
  assert.equal(await statusOf('none', (places) => ({ permission: { addresses: [`127.0.0.1:${places.port}`], networks: [] } })), 'refused')
})

verifies('RDY-34 RDY-36', 'a card that names an address that may not be called is refused, and nothing more is asked', async (context) => {
  const { places } = await assistant(context, 'card-to-metadata')
  const { card, challenge } = await createAgentProber().observe(questionFor(places))
  assert.deepEqual([card, challenge], [{ status: 'refused', found: 'in the card, 169.254.169.254, an address at which a cloud hands out the credentials of the machine' }, { status: 'unasked' }])
})

async function cardServer(context: TestContext, answer: RequestListener): Promise<AgentQuestion> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const places = { port, mcpPort: 1, cardUrl: `http://127.0.0.1:${port}/.well-known/agent-card.json`, mcpUrl: 'http://127.0.0.1:9/mcp', allow: { addresses: [`127.0.0.1:${port}`] } }
  return questionFor(places, { timeoutMs: 300 })
}

const CARD = {
  name: 'A', description: 'B', version: '1', capabilities: {}, defaultInputModes: [], defaultOutputModes: [], skills: [],
  supportedInterfaces: [{ url: 'http://93.184.216.34/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
}

verifies('RDY-34', 'every address of a card is judged, at any depth and by any name, also those that nobody calls', async (context) => {
  for (const extra of [{ iconUrl: 'http://127.0.0.1/icon' }, { documentationUrl: 'file:///etc/passwd' }, { provider: { organization: 'X', url: 'http://10.0.0.1/' } }, { skills: [{ deep: ['http://localhost/'] }] }, { supportedInterfaces: [...CARD.supportedInterfaces, { url: 'http://[::1]/', protocolBinding: 'GRPC', protocolVersion: '1.0' }] }]) {
    const question = await cardServer(context, (_request, response) => response.end(JSON.stringify({ ...CARD, ...extra })))
    assert.equal((await createAgentProber().observe(question)).card.status, 'refused', JSON.stringify(extra))
  }
})

verifies('RDY-17', 'no card, no valid card, or one that is late or endless is an observation, never an exception', async (context) => {
  const seen = async (answer: RequestListener): Promise<unknown> => {
    const { card } = await createAgentProber().observe(await cardServer(context, answer))
    return card.status === 'failed' ? card.failure : card.status
  }
  assert.equal(await seen((_request, response) => response.writeHead(404).end()), 'error')
  assert.equal(await seen((_request, response) => response.end('{')), 'malformed')
  assert.equal(await seen((_request, response) => response.end(JSON.stringify({ ...CARD, name: undefined }))), 'malformed')
  assert.equal(await seen((_request, response) => response.end(JSON.stringify({ ...CARD, supportedInterfaces: [{ ...CARD.supportedInterfaces[0], protocolVersion: '0.3.0' }] }))), 'malformed')
  assert.equal(await seen(() => undefined), 'timeout')
  assert.equal(await seen((_request, response) => response.end('x'.repeat(300_000))), 'error')
  assert.equal(await seen((request) => request.socket.destroy()), 'error')
})

test('what must be loaded is read anew, and a file that is not there is a fault and no empty persona', async (context) => {
  const directory = temporaryDirectory(context)
  writeFileSync(join(directory, 'persona.md'), PERSONA)
  assert.deepEqual(await readMaterial(directory, { file: 'persona.md' }, 'key'), { sha256: sha256(PERSONA), proof: createHmac('sha256', 'key').update(PERSONA).digest('hex') })
  assert.deepEqual(await readMaterial(directory, { sha256: 'a'.repeat(64) }, 'key'), { sha256: 'a'.repeat(64), proof: null })
  await assert.rejects(readMaterial(directory, { file: 'none.md' }, 'key'), { code: 'file_missing' })
})

verifies('ISO-05', 'a look that is broken off ends at once, whatever it waits for, and has found nothing', async (context) => {
  const ending = new AbortController()
  const question = await cardServer(context, () => ending.abort())
  const began = performance.now()
  assert.partialDeepStrictEqual(await createAgentProber().observe({ ...question, timeoutMs: 60_000, signal: ending.signal }), { card: { status: 'failed' }, challenge: { status: 'unasked' } })
  assert.ok(performance.now() - began < 2_000)
  assert.partialDeepStrictEqual(await createAgentProber().observe({ ...question, timeoutMs: 60_000, signal: ending.signal }), { card: { status: 'failed' }, challenge: { status: 'unasked' } })
})
