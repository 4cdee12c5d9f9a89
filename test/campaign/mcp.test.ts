import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import * as z from 'zod'
import { type InProcess, inProcessServer } from '../helpers/in-process-server.ts'
import { PORTCULLIS } from '../helpers/run-cli.ts'

const cleanUp: (() => unknown)[] = []
let running: InProcess

before(async () => {
  running = await inProcessServer({ after: (act) => void cleanUp.push(act as () => unknown) })
  // It changes nothing, so its run starts and is not accepted.
  running.made.set('portcullis.yaml', ['profiles', 'idle'], { agent: 'command', command: ['node', '-e', '0'], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 1000, cost: 'USD 0' } })
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

async function overHttp(token: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', running.address), { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
  return client
}

async function overStdio(): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [PORTCULLIS, 'mcp'], cwd: running.made.directory, env: { PATH: process.env['PATH'] ?? '', HOME: `${running.made.directory}/no-home` }, stderr: 'inherit' }))
  return client
}

const Result = z.object({ isError: z.boolean().optional(), content: z.array(z.object({ type: z.literal('text'), text: z.string() })), structuredContent: z.record(z.string(), z.unknown()) })
const call = async (client: Client, name: string, given: Record<string, unknown>) => Result.parse(await client.callTool({ name, arguments: given }, { timeout: 60_000 }))
const names = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name).toSorted()

const ALL = ['portcullis_ask_agent', 'portcullis_list_agents', 'portcullis_probe', 'portcullis_resolve', 'portcullis_resume_run', 'portcullis_run', 'portcullis_run_evidence', 'portcullis_show_run']

for (const [transport, connect] of [['streamable HTTP', () => overHttp(running.admin)], ['standard input and output', overStdio]] as const) {
  test(`over ${transport} a run that is accepted is none that is an error, and its report has the bytes of the command`, async () => {
    const client = await connect()
    try {
      assert.deepEqual(await names(client), ALL)
      const ran = await call(client, 'portcullis_run', { task: 'task.yaml' })
      assert.deepEqual([ran.isError, ran.structuredContent['status'], ran.structuredContent['reason']], [false, 'pass', null])
      const run = z.string().parse(ran.structuredContent['run_id'])
      const shown = await call(client, 'portcullis_show_run', { run })
      assert.equal(shown.content[0]?.text, (await running.made.portcullis(['report', run, '--json'])).stdout)
      assert.equal(ran.content[0]?.text, shown.content[0]?.text)
      const evidence = await call(client, 'portcullis_run_evidence', { run })
      assert.deepEqual([evidence.isError, evidence.structuredContent['verified']], [false, true])
      assert.match(evidence.content[0]?.text ?? '', /^\{.*"run_opened"|^\{/)
      const resolved = await call(client, 'portcullis_resolve', { profile: 'pi_scripted', purpose: 'ticket' })
      assert.deepEqual([resolved.isError, resolved.structuredContent['triple']], [false, (await running.made.portcullis(['resolve', 'pi_scripted', '--purpose', 'ticket'])).stdout.trim().split(/\s+/)[1]])
    } finally {
      await client.close()
    }
  })

  test(`over ${transport} a block is an error with its verdict, and so is a fault with what to do`, async () => {
    const client = await connect()
    try {
      const failed = await call(client, 'portcullis_run', { task: 'task.yaml', profile: 'idle' })
      assert.equal(failed.isError, true)
      assert.deepEqual(z.object({ status: z.string(), reason: z.string(), verdict: z.object({ outcome: z.string(), reason: z.string() }) }).parse(failed.structuredContent).verdict.outcome, 'block')
      assert.notEqual(failed.structuredContent['status'], 'pass')
      const blocked = await call(client, 'portcullis_run', { task: 'task.yaml', purpose: 'nothing' })
      assert.partialDeepStrictEqual(blocked, { isError: true, structuredContent: { status: 'blocked', reason: 'purpose_unknown', verdict: { gate: 'catalog', outcome: 'block', reason: 'purpose_unknown' } } })
      assert.partialDeepStrictEqual(await call(client, 'portcullis_resolve', { profile: 'nobody', purpose: 'ticket' }), { isError: true, structuredContent: { verdict: { outcome: 'block', reason: 'profile_unknown' } } })
      assert.partialDeepStrictEqual(await call(client, 'portcullis_probe', { profiles: ['nobody'] }), { isError: true })
      assert.partialDeepStrictEqual(await call(client, 'portcullis_run', { task: '/etc/passwd' }), { isError: true, structuredContent: { fault: { code: 'usage' } } })
      assert.partialDeepStrictEqual(await call(client, 'portcullis_show_run', { run: '20260601T013918Z-nothing-1' }), { isError: true, structuredContent: { fault: { code: 'run_not_found' } } })
    } finally {
      await client.close()
    }
  })
}

test('a token has the tools of its kind and no other, and without one there is no server', async () => {
  const reader = await overHttp(await running.token('reader'))
  assert.deepEqual(await names(reader), ['portcullis_list_agents', 'portcullis_resolve', 'portcullis_run_evidence', 'portcullis_show_run'])
  const before = (await running.server.ledger.list()).length
  await assert.rejects(async () => {
    const result = z.object({ isError: z.literal(true) }).safeParse(await reader.callTool({ name: 'portcullis_run', arguments: { task: 'task.yaml' } }))
    if (result.success) throw new Error('refused')
  })
  assert.equal((await running.server.ledger.list()).length, before)
  await reader.close()
  for (const token of [await running.token('worker'), 'pca_nonsense']) await assert.rejects(overHttp(token))
  // What a session needs to end its own turn, and nothing else; a licence that is no session's has no turn to end.
  const licence = await overHttp(await running.token('run'))
  assert.deepEqual(await names(licence), ['complete_ticket', 'ticket_turn'])
  for (const [name, sent] of [['ticket_turn', {}], ['complete_ticket', { signal: 'DONE', ticket: 'T-1', nonce: 'guessed', payload: 'done' }]] as const) {
    const answer = z.object({ isError: z.literal(true), structuredContent: z.object({ verdict: z.looseObject({ outcome: z.literal('block'), reason: z.string() }) }) }).parse(await licence.callTool({ name, arguments: sent }))
    assert.equal(answer.structuredContent.verdict.reason, 'stale_signal')
  }
  await licence.close()
})
