import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { launchOf, profile, requestFor } from '../../../test/helpers/agents.ts'
import { openLive, type Opened, providerFor } from '../../../test/helpers/live-sessions.ts'
import { sessionRuntimeSuite } from '../../../test/suites/session-runtime.ts'
import { verifies } from '../../../test/verifies.ts'
import { opencodeSessions } from './index.ts'

const program = join(import.meta.dirname, '../../../test/fixtures/sessions/opencode.mjs')
const runtime = opencodeSessions({ program, directory: import.meta.dirname })

sessionRuntimeSuite({
  name: 'opencode',
  runtime: () => runtime,
  dialect: 'openai-chat',
  path: '/v1',
  structured: { toolCalls: [{ name: 'StructuredOutput', arguments: { verdict: 'yes' } }] },
  asking: {
    call: () => ({ name: 'bash', arguments: { command: 'echo made > made.txt', description: 'make it' } }),
    profile: { permissions: 'ask' },
    effect: (workspace) => join(workspace, 'made.txt'),
  },
})

const SESSION = { sessionId: '6a0e9f6e-98f4-4b3b-9a9d-0d5f4e1d2c3b', completion: { url: 'http://127.0.0.1:1/mcp', token: 'the-token' }, repositories: [] } as const

test('a session of opencode listens on this machine alone, behind a password that stands in no file and no argument', async (context) => {
  const request = { ...requestFor(context, { profile: { ...profile, agent: 'opencode', permissions: 'ask' }, dialect: 'openai-chat' }), ...SESSION }
  const { argv, files, environment, plan } = launchOf(await runtime.plan(request))
  const password = environment['OPENCODE_SERVER_PASSWORD'] ?? ''
  assert.ok(password.length >= 40)
  assert.notEqual(launchOf(await runtime.plan(request)).environment['OPENCODE_SERVER_PASSWORD'], password)
  assert.deepEqual(argv.slice(-5), ['serve', '--hostname', '127.0.0.1', '--port', '0'])
  for (const secret of [password, 'the-token', request.runToken]) {
    for (const text of [...argv, ...files.map(({ content }) => content), JSON.stringify(plan)]) assert.equal(text.includes(secret), false)
  }
  assert.match(files[0]?.content ?? '', /"question": "deny"/)
})

test('sealed off from the network its server could not be reached, so it is not planned', async (context) => {
  const request = { ...requestFor(context, { profile: { ...profile, agent: 'opencode', isolation: 'network' }, dialect: 'openai-chat' }), ...SESSION }
  const planned = await runtime.plan(request)
  assert.ok(!planned.ok)
  assert.deepEqual([planned.refusal.reason, planned.refusal.asked], ['agent_setting_unsupported', `profile ${request.profileName}: isolation network`])
})

const ready = async (context: TestContext): Promise<Opened> => {
  const provider = await providerFor(context, { turns: [{ when: { lastUser: 'ask' }, answer: { toolCalls: [{ name: 'bash', arguments: { command: 'true', description: 'x' } }] } }, { when: { always: true }, answer: { text: 'Answer.' } }] })
  const opened = await openLive(context, { runtime, dialect: 'openai-chat', baseUrl: `${provider.url}/v1`, profile: { permissions: 'ask' } })
  assert.deepEqual(await opened.session.ready(AbortSignal.timeout(30_000)), { ok: true })
  return opened
}

/** As whoever has the password speaks to it, beside us. */
async function beside({ session }: Opened, path: string, body: object): Promise<number> {
  const address = /listening on (\S+)/.exec(session.raw().content.toString())?.[1] ?? ''
  const { readFileSync } = await import('node:fs')
  const password = /(?:^|\0)OPENCODE_SERVER_PASSWORD=([^\0]+)/.exec(readFileSync(`/proc/${session.process.pid}/environ`, 'utf8'))?.[1] ?? ''
  const headers = { authorization: `Basic ${Buffer.from(`opencode:${password}`).toString('base64')}` }
  return (await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status
}

verifies('MC-030 MC-037', 'a message that somebody else put into the session makes it unusable: what it would be merged into could not be told', async (context) => {
  const opened = await ready(context)
  assert.equal(await beside(opened, `/session/${opened.session.nativeId}/prompt_async`, { messageID: 'msg_ffff', parts: [{ type: 'text', text: 'not ours' }] }), 204)
  await opened.events.next('state', opened.events.all.findIndex((event) => event.kind === 'state' && event.state === 'ready') + 1)
  assert.equal(opened.session.state(), 'failed')
  assert.equal((await opened.send('the first message')).outcome, 'refused')
})

test('a permission that somebody else answered makes the session unusable', async (context) => {
  const opened = await ready(context)
  await opened.send('ask')
  const { requestId } = await opened.events.next('permission')
  assert.equal(await beside(opened, `/permission/${requestId}/reply`, { reply: 'always' }), 200)
  while (opened.session.state() === 'needs_input') await new Promise((resolve) => setImmediate(resolve))
  assert.equal(opened.session.state(), 'failed')
})
