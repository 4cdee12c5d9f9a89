import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { parse } from 'yaml'
import * as z from 'zod'
import { CONFIGURATION, RECORD } from '../e2e/scenario.ts'
import { NAME } from '../helpers/agent-stage.ts'
import { assistantOf, handOver, servedAgents } from '../helpers/served-agents.ts'
import { verifies } from '../verifies.ts'

const Result = z.object({ isError: z.boolean().optional(), content: z.array(z.object({ type: z.literal('text'), text: z.string() })), structuredContent: z.record(z.string(), z.unknown()) })

verifies('RDY-22 RDY-23', 'asked over MCP, an agent that is proven answers; one that is not is refused with the reason as the verdict, and asked nothing', async (context) => {
  const stage = await servedAgents(context, 'pull', { times: { startup: '30s', answer: '15s' } })
  const assistant = await assistantOf(context, stage)
  const connect = async (token: string): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', stage.server.address), { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
    context.after(() => client.close())
    return client
  }
  const client = await connect(stage.server.admin)
  const ask = async (agent: string = NAME) => Result.parse(await client.callTool({ name: 'portcullis_ask_agent', arguments: { agent, text: 'Good day' } }, { timeout: 60_000 }))
  const refused = async (reason: string, found: RegExp): Promise<void> => {
    const before = await assistant.heard()
    const { isError, content, structuredContent } = await ask()
    const verdict = z.object({ outcome: z.literal('block'), reason: z.string(), found: z.string() }).parse(structuredContent['verdict'])
    assert.deepEqual([isError, verdict.reason], [true, reason])
    assert.match(verdict.found, found)
    assert.ok(content[0]?.text.startsWith(`${reason}: `))
    assert.equal(await assistant.heard(), before, 'it was asked nothing')
  }
  await refused('no_ready_agent', /^it was never started/)
  const started = await stage.act('start')
  await refused('no_ready_agent', /^it is provisioning/)
  await handOver(started, assistant)
  assert.equal(await stage.settled(), 'online')
  const { generation } = await stage.shown()
  const before = await assistant.heard()
  const answer = await ask()
  assert.deepEqual([answer.isError ?? false, answer.structuredContent], [false, { agent: NAME, generation }])
  assert.match(answer.content[0]?.text ?? '', /It is done\./)
  assert.equal(await assistant.heard(), before + 1)
  assert.deepEqual([(await ask('nobody')).isError, (await ask('nobody')).structuredContent['verdict']], [true, undefined])

  await assistant.set({ fault: 'missing-tool' })
  await stage.until('failed MISSING_TOOL')
  await refused('no_ready_agent', /^it is failed \(MISSING_TOOL\)/)
  assert.equal((await stage.act('stop')).status, 404)

  const reader = await connect((await stage.server.token('reader')).token)
  assert.ok(!(await reader.listTools()).tools.some(({ name }) => name === 'portcullis_ask_agent'), 'whoever only looks asks nobody')
})

verifies('RDY-20', 'an agent proves everything again as soon as the credential of its provider is another one, and is out of reach if it cannot', async (context) => {
  const stage = await servedAgents(context, 'pull', { times: { startup: '30s', answer: '15s', recheck: '10m', reprove: '20m', validFor: '30m' }, change: (made) => {
    writeFileSync(join(made.directory, 'key'), 'first-key-of-the-provider')
    made.set(CONFIGURATION, ['providers', 'scripted', 'credential'], { source: 'file', path: join(made.directory, 'key'), class: 'provider-api-key' })
    made.set(RECORD, ['credential_source_class'], 'provider-api-key')
  } })
  const assistant = await assistantOf(context, stage)
  await handOver(await stage.act('start'), assistant)
  assert.equal(await stage.settled(), 'online')
  const proofs = async (): Promise<number> => (await stage.shown()).history.steps.filter(({ to }) => to === 'online').length
  const first = await proofs()
  writeFileSync(join(stage.made.directory, 'key'), 'second-key-of-the-provider')
  for (const limit = performance.now() + 30_000; (await proofs()) === first; await new Promise((resolve) => setTimeout(resolve, 50))) assert.ok(performance.now() < limit, 'a proof with the second key')
  assert.equal(await stage.standing(), 'online')
  await assistant.set({ fault: 'no-model' })
  writeFileSync(join(stage.made.directory, 'key'), 'third-key-of-the-provider')
  await stage.until('failed MISSING_MODEL')
})

test('agents come in pages by name, with the counts of all of them on each, and the command reads them all', async (context) => {
  const stage = await servedAgents(context, 'pull', { change: (made) => {
    const { agents } = z.object({ agents: z.record(z.string(), z.object({}).loose()) }).parse(parse(readFileSync(join(made.directory, CONFIGURATION), 'utf8')))
    for (const [index, name] of ['zoe', 'adam', 'mary'].entries()) made.set(CONFIGURATION, ['agents', name], { ...agents[NAME], deployment: `other-${index % 2}` })
  } })
  const Page = z.object({ agents: z.array(z.object({ name: z.string() })), deployments: z.array(z.object({ deployment: z.string(), total: z.number() })), next: z.string().nullable() })
  const names: string[] = []
  let query = '?limit=3'
  for (let pages = 1; ; pages += 1) {
    const page = Page.parse((await stage.ask(`/agents${query}`)).json())
    names.push(...page.agents.map(({ name }) => name))
    assert.deepEqual(page.deployments.map(({ deployment, total }) => [deployment, total]), [['desk', 1], ['other-0', 2], ['other-1', 1]])
    if (page.next === null) {
      assert.equal(pages, 2)
      break
    }
    query = `?limit=3&cursor=${page.next}`
  }
  assert.deepEqual(names, ['adam', NAME, 'mary', 'zoe'])
  assert.equal((await stage.ask('/agents?limit=0')).status, 422)
  const [there, here] = [await stage.made.portcullis(['--server', stage.server.address, '--token-file', stage.server.firstTokenPath, 'agents', 'list', '--json']), await stage.made.portcullis(['agents', 'list', '--json'])]
  assert.equal(there.stdout, here.stdout)
})
