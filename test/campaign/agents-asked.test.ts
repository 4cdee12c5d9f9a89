import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION } from '../e2e/scenario.ts'
import { NAME } from '../helpers/agent-stage.ts'
import type { ApiAnswer } from '../helpers/served-api.ts'
import { assistantOf, handOver, servedAgents } from '../helpers/served-agents.ts'
import { verifies } from '../verifies.ts'

const MODES = ['message/send', 'message/stream'] as const
const problemOf = ({ status, text }: ApiAnswer): string => {
  const read = z.object({ code: z.string(), found: z.string() }).safeParse(text.startsWith('{') ? JSON.parse(text) : undefined)
  return `${status} ${read.data?.code ?? text}: ${read.data?.found ?? ''}`
}

verifies('RDY-22 RDY-23', 'in every phase of an agent a question is answered by the proven agent, or refused with the reason and never put to it', async (context) => {
  const stage = await servedAgents(context, 'pull', { times: { recheck: '300ms', startup: '20s', answer: '15s' } })
  const assistant = await assistantOf(context, stage)
  const refused = async (expected: RegExp): Promise<void> => {
    const heard = await assistant.heard()
    for (const mode of MODES) assert.match(problemOf(await stage.message('Good day', mode)), expected)
    assert.equal(await assistant.heard(), heard, 'it was asked nothing')
  }
  const answered = async (): Promise<void> => {
    for (const mode of MODES) {
      const answer = await stage.message('Good day', mode)
      assert.equal(answer.status, 200, answer.text)
      assert.match(answer.text, /"id":"q-1".*It is done\./)
      assert.match(String(answer.headers['content-type']), mode === 'message/stream' ? /event-stream/ : /json/)
    }
  }
  await refused(/^503 no_ready_agent: it was never started/)
  // Provisioning: its token is not brought to it yet.
  const started = await stage.act('start')
  await refused(/^503 no_ready_agent: it is provisioning/)
  const token = await handOver(started, assistant)
  assert.equal(await stage.settled(), 'online')
  await answered()
  // Its fault comes first: an agent that only says that it is not well is asked to prove itself at once, and would pass.
  await assistant.set({ fault: 'dead-mcp' })
  await stage.act('heartbeat', { healthy: false }, token)
  await refused(/^503 no_ready_agent: it is (?:degraded|failed)/)
  await stage.until('failed MISSING_MCP_SERVER')
  await refused(/^503 no_ready_agent: it is failed \(MISSING_MCP_SERVER\)/)
  await assistant.set({ fault: 'none' })
  await stage.act('heartbeat', { healthy: true }, token)
  await refused(/^503 no_ready_agent: it is failed \(MISSING_MCP_SERVER\)/)
  await handOver(await stage.act('start'), assistant)
  assert.equal(await stage.settled(), 'online')

  // An answer that is under way when the agent is lost is withheld; one that is under way when it drains is given.
  await assistant.set({ fault: 'holds' })
  const heard = await assistant.heard()
  const lost = stage.message('Good day')
  while ((await assistant.heard()) === heard) await new Promise((resolve) => setTimeout(resolve, 20))
  stage.made.set(CONFIGURATION, ['agents', NAME, 'deployment'], 'another')
  await stage.until('failed STALE_DEPLOYMENT')
  await assistant.set({ fault: 'none' })
  assert.match(problemOf(await lost), /^503 no_ready_agent: it is not the one that was meant any more; its answer was withheld/)
  await refused(/STALE_DEPLOYMENT/)

  await handOver(await stage.act('start', { path: 'configuration_refresh' }), assistant)
  assert.equal(await stage.settled(), 'online')
  await assistant.set({ fault: 'holds' })
  const before = await assistant.heard()
  const last = stage.message('Good day')
  while ((await assistant.heard()) === before) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal((await stage.act('drain')).status, 202)
  assert.equal(await stage.standing(), 'draining agent_stopped')
  await refused(/^409 agent_stopped: it is draining/)
  await assistant.set({ fault: 'none' })
  assert.equal((await last).status, 200)
  await stage.until('offline agent_stopped')
  await refused(/^409 agent_stopped: it is offline/)
  assert.equal((await stage.act('stop')).status, 404)

  // After a restart of the server nobody is ready until it has proven itself again.
  await handOver(await stage.act('wake'), assistant)
  assert.equal(await stage.settled(), 'online')
  await answered()
  await assistant.set({ fault: 'silent' })
  await stage.restartServer('SIGKILL')
  for (const mode of MODES) assert.match(problemOf(await stage.message('Good day', mode)), /^503 no_ready_agent: it is degraded/)
  await assistant.set({ fault: 'none' })
  await stage.until('online')
  await answered()
})

verifies('RDY-33 RDY-36 RDY-15 AUT-03', 'an agent registers and beats for itself alone, and a card that may not be called is refused with 400 and stored nowhere', async (context) => {
  const stage = await servedAgents(context, 'push', { times: { startup: '20s', answer: '15s' } })
  const assistant = await assistantOf(context, stage)
  const worker = async (name: string): Promise<string> => z.object({ token: z.string() }).parse((await stage.ask('/tokens', { method: 'POST', body: { kind: 'worker', name, expires: '1h' } })).json()).token
  const [own, other] = [await worker(NAME), await worker('somebody')]
  const card = { card_url: stage.places.cardUrl }
  assert.equal((await stage.act('register', card, other)).status, 403)
  assert.equal((await stage.act('register', { card_url: 'http://169.254.169.254/latest' }, own)).status, 400)
  assert.match(problemOf(await stage.act('register', { card_url: 'http://169.254.169.254/latest' }, own)), /^400 agent_card_url_rejected/)
  assert.equal(await stage.standing(), 'not started')
  assert.equal((await stage.ask('/runs')).text.includes(NAME), false, 'nothing is stored')
  const token = await handOver(await stage.act('register', card, own), assistant)
  assert.equal(await stage.settled(), 'online')
  assert.equal((await stage.act('register', card, token)).status, 403, 'the token of a generation begins no other')
  assert.equal((await stage.act('heartbeat', { healthy: false }, other)).status, 403)
  assert.equal(await stage.standing(), 'online')
  assert.equal((await stage.act('heartbeat', { healthy: true }, own)).status, 202)
  assert.notEqual((await stage.shown()).heartbeat_at, null)
  assert.equal((await stage.act('heartbeat', { healthy: true }, token)).status, 202)
  for (const act of ['start', 'stop', 'restart', 'drain', 'wake', 'messages']) for (const kind of [own, token]) assert.equal((await stage.act(act, {}, kind)).status, 403, act)
  // Its next generation has another token; that of the last one speaks for nobody.
  await handOver(await stage.act('register', card, own), assistant)
  assert.equal((await stage.act('heartbeat', { healthy: false }, token)).status, 401)
  assert.equal(await stage.settled(), 'online')
})

test('each change of an agent is an event of the server, and the command over the server shows what this machine shows', async (context) => {
  const stage = await servedAgents(context, 'pull', { times: { recheck: '60s', reprove: '100s', validFor: '200s' } })
  const assistant = await assistantOf(context, stage)
  await handOver(await stage.act('start'), assistant)
  assert.equal(await stage.settled(), 'online')
  const events = await fetch(new URL('/events?after=0', stage.server.address), { headers: { authorization: `Bearer ${stage.server.admin}` } })
  let told = ''
  for await (const chunk of events.body ?? []) {
    told += Buffer.from(chunk).toString('utf8')
    if (/event: agent_changed\ndata: .*"state":"online"/.test(told)) break
  }
  const remote = (...words: string[]) => stage.made.portcullis(['--server', stage.server.address, '--token-file', stage.server.firstTokenPath, 'agents', ...words])
  for (const words of [['list', '--json'], ['list'], ['show', NAME, '--json'], ['show', NAME], ['check', '--json'], ['show', 'nobody', '--json']]) {
    const [there, here] = [await remote(...words), await stage.made.portcullis(['agents', ...words])]
    assert.deepEqual([there.code, there.stdout], [here.code, here.stdout], words.join(' '))
  }
  const asked = await remote('ask', NAME, 'Good day')
  assert.deepEqual([asked.code, /It is done\./.test(asked.stdout)], [0, true], asked.stderr)
  assert.equal((await remote('stop', NAME)).code, 0)
  const gone = await remote('ask', NAME, 'Good day', '--json')
  assert.deepEqual([gone.code, /"reason": "agent_stopped"/.test(gone.stdout)], [3, true], gone.stdout)
  const alone = await stage.made.portcullis(['agents', 'stop', NAME])
  assert.deepEqual([alone.code, /no --server/.test(alone.stderr)], [2, true])
})
