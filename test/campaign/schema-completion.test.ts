import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { Problem } from '../../src/http/problem.ts'
import { CONFIGURATION, RECORD } from '../e2e/scenario.ts'
import { type Joined, joined } from '../helpers/joined-sessions.ts'
import { verifies } from '../verifies.ts'

const answer = (signal: string | null, payload: string) => ({ toolCalls: [{ name: 'StructuredOutput', arguments: { signal, payload } }] })
const SCRIPT = {
  version: 1 as const,
  models: ['coder-1'],
  turns: [
    { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } },
    { when: { lastUser: 'write it', lastTool: 'exit 0' }, answer: answer('DONE', 'the note is written') },
    { when: { lastUser: 'write it' }, answer: { toolCalls: [{ name: 'bash', arguments: { command: 'echo written > note.txt' } }] } },
    { when: { lastUser: 'claim it' }, answer: answer('DONE', 'nothing was to be done') },
    { when: { lastUser: 'ask me' }, answer: answer('QUESTION', 'Should the note be in English or in Latin?') },
    { when: { lastUser: 'only look' }, answer: answer(null, 'I looked.') },
    { when: { always: true as const }, answer: { text: '{"signal":"DONE","payload":"in words alone"}' } },
  ],
}

const cleanUp: (() => unknown)[] = []
let held: Joined
before(async () => {
  held = await joined({ after: (act) => void cleanUp.push(act as () => unknown) }, SCRIPT)
  const { made } = held.running
  // The fixture that speaks like opencode, installed as that is.
  const modules = join(made.directory, 'node_modules')
  const native = `node_modules/opencode-${process.platform}-${process.arch}`
  mkdirSync(join(made.directory, native, 'bin'), { recursive: true })
  for (const name of ['opencode.mjs', 'model.mjs']) cpSync(join(import.meta.dirname, '../fixtures/sessions', name), join(made.directory, native, 'bin', name))
  chmodSync(join(made.directory, native, 'bin/opencode.mjs'), 0o755)
  symlinkSync('opencode.mjs', join(made.directory, native, 'bin/opencode'))
  made.write(`${native}/package.json`, JSON.stringify({ name: 'opencode-native', version: '1.18.33' }))
  made.write('node_modules/opencode-ai/package.json', JSON.stringify({ name: 'opencode-ai', version: '1.18.33', bin: { opencode: 'cli.mjs' } }))
  made.write('node_modules/opencode-ai/cli.mjs', '')
  symlinkSync('../opencode-ai/cli.mjs', join(modules, '.bin/opencode'))
  const baseUrl = `${made.provider.url}/v1`
  made.set(CONFIGURATION, ['providers', 'chat'], { dialect: 'openai-chat', baseUrl, networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '5s', firstByte: '20s', idle: '60s', total: '2m' }, prices: { 'coder-1': { input: 'USD 0', output: 'USD 0' } } })
  made.set(CONFIGURATION, ['profiles', 'opencode'], { agent: 'opencode', agentVersion: '1.18.33', model: 'chat/coder-1', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', permissions: 'bypass', limits: { total: '10m', idle: '60s', calls: 50, tokens: 200_000, cost: 'USD 0' } })
  made.set(CONFIGURATION, ['tickets', 'sessions', 'demo', 'completion'], 'schema')
  const record = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8')))
  made.write('admissions/chat--coder-1.json', JSON.stringify({ ...record, provider: 'chat', endpoint: baseUrl, runtime: 'opencode' }))
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

async function turnOf(text: string): Promise<{ readonly id: string }> {
  const id = await held.ready()
  const started = await held.start(id, 'opencode')
  assert.equal(started.status, 200, started.text)
  const sent = await held.say(id, text, 'refuse')
  assert.equal(sent.status, 202, sent.text)
  await held.until(id, 'the end of the turn', ({ ticket }) => ticket.state !== 'in_progress')
  return { id }
}

verifies('MC-060', 'an answer in the schema completes the turn once, and spends its nonce', async () => {
  const { id } = await turnOf('write it')
  const { ticket } = await held.ticket(id)
  assert.deepEqual([ticket.state, ticket.terminal?.summary], ['done', 'the note is written'])
  const [turn] = await held.turns(id)
  assert.deepEqual([turn?.end, turn?.code, turn?.nonce_spent], ['completed', 'DONE', true])
  const asking = await turnOf('ask me')
  assert.equal((await held.ticket(asking.id)).ticket.state, 'question')
})

verifies('MC-069 MC-070', 'a null signal, words that look like an answer, and a DONE without a change complete nothing', async () => {
  for (const text of ['only look', 'say the words', 'claim it']) {
    const { id } = await turnOf(text)
    const { ticket } = await held.ticket(id)
    assert.deepEqual([ticket.state, ticket.reason], ['review', 'no_signal'], text)
  }
})

test('an agent that cannot be held to a schema gets no session where the project completes by one', async () => {
  const id = await held.ready()
  const refused = await held.start(id, 'claude')
  const problem = Problem.parse(refused.json())
  assert.deepEqual([problem.code, problem.found], ['agent_setting_unsupported', 'claude-code cannot be held to a schema'])
})
