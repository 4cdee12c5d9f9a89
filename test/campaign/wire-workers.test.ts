import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { test } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION, RECORD, scenario, type Scenario } from '../e2e/scenario.ts'
import { createToken, type Served, servedWire, until } from '../helpers/served-wire.ts'
import { verifies } from '../verifies.ts'

const LIMITS = ['profiles', 'pi_scripted', 'limits']
const UNREACHED = { total: '1m', idle: '30s', calls: 1_000_000, tokens: 1_000_000_000, cost: 'USD 0' }
const QUESTION = JSON.stringify({ model: 'coder-1', messages: [{ role: 'user', content: 'hello' }] })

/** One call on a connection of its own, which any worker may take. Gives the status, and why it was refused; 0 if the connection was cut. */
function call({ address }: Served, token: string): Promise<{ status: number; reason: string }> {
  return new Promise((resolve) => {
    const outgoing = request(`${address}/v1/chat/completions`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume()
      const reason = String(answer.headers['x-portcullis-reason'] ?? '')
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, reason }))
      answer.once('error', () => resolve({ status: 0, reason: 'cut' }))
    })
    outgoing.once('error', () => resolve({ status: 0, reason: 'cut' }))
    outgoing.end(QUESTION)
  })
}

/** Processes whose parent is this one, by /proc. */
const childrenOf = (parent: number): number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]) === parent
    } catch {
      return false
    }
  }).map(Number)

/** CPU that a process has used, in ticks. */
const ticksOf = (pid: number): number => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0) ?? 0

async function live(wire: Served, token: string): Promise<void> {
  for (const deadline = Date.now() + 40_000; (await call(wire, token)).status !== 200; ) assert.ok(Date.now() < deadline, 'the token was never taken up')
}

const Call = z.object({ number: z.int(), outcome: z.string() })
const callsOf = async (made: Scenario, runId: string): Promise<z.infer<typeof Call>[]> => (await made.portcullis(['calls', runId, '--json'])).stdout.trim().split('\n').map((line) => Call.parse(JSON.parse(line)))

verifies('WIR-54', 'several workers serve one port: no number is given twice, no budget is exceeded, and the evidence of the run is whole', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, [...LIMITS, 'calls'], 40)
  const { token, run_id } = await createToken(made)
  const wire = await servedWire(t, made, ['--workers', '3'])
  const workers = childrenOf(wire.process.pid ?? 0)
  assert.equal(workers.length, 3)
  const before = workers.map(ticksOf)
  const answers = await Promise.all(Array.from({ length: 120 }, () => call(wire, token)))
  assert.deepEqual(Object.groupBy(answers, ({ status, reason }) => `${status} ${reason}`)['200 ']?.length, 40)
  assert.equal(answers.filter(({ status, reason }) => status === 403 && reason === 'budget_exhausted').length, 80)
  assert.equal(workers.filter((pid, index) => ticksOf(pid) > (before[index] ?? 0)).length, 3, 'each worker served some')
  assert.equal(await wire.end(), 0)
  const calls = await callsOf(made, run_id)
  assert.deepEqual(calls.map(({ number }) => number).toSorted((a, b) => a - b), Array.from({ length: 121 }, (_, index) => index + 1), 'the health probe, and every call')
  assert.equal(calls.filter(({ outcome }) => outcome === 'answered').length, 41)
  assert.equal((await made.portcullis(['verify', run_id])).code, 3, 'the licence is open still, so it proves nothing yet')
})

verifies('WIR-54 WIR-04', 'a revoked record stops the calls at every worker within a second', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, LIMITS, UNREACHED)
  const { token } = await createToken(made)
  const wire = await servedWire(t, made, ['--workers', '3'])
  await live(wire, token)
  let lastAnswerAt = 0
  const flood = async (): Promise<string> => {
    for (;;) {
      const { status, reason } = await call(wire, token)
      if (status !== 200) return reason
      lastAnswerAt = Date.now()
    }
  }
  const floods = Array.from({ length: 9 }, flood)
  await new Promise((resolve) => setTimeout(resolve, 300))
  made.set(RECORD, ['status'], 'revoked')
  const revokedAt = Date.now()
  assert.deepEqual(new Set(await Promise.all(floods)), new Set(['not_admitted']))
  assert.ok(lastAnswerAt - revokedAt <= 1_000, `answered ${lastAnswerAt - revokedAt} ms after the record was revoked`)
  for (let index = 0; index < 6; index++) assert.equal((await call(wire, token)).reason, 'not_admitted')
})

verifies('WIR-54', 'a worker that is killed is replaced; what it had under way has no answer and is counted, and everything else goes on', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, LIMITS, UNREACHED)
  const { token, run_id } = await createToken(made)
  const wire = await servedWire(t, made, ['--workers', '2'])
  await live(wire, token)
  const [victim = 0, other = 0] = childrenOf(wire.process.pid ?? 0)
  let answered = 1
  const load = { over: false }
  const flood = async (): Promise<void> => {
    while (!load.over) if ((await call(wire, token)).status === 200) answered += 1
  }
  const floods = Array.from({ length: 6 }, flood)
  await new Promise((resolve) => setTimeout(resolve, 300))
  process.kill(victim, 'SIGKILL')
  await until(() => /a worker ended \(SIGKILL\)/.test(wire.printed()), 'the end of the worker to be noted')
  await until(() => childrenOf(wire.process.pid ?? 0).filter((pid) => pid !== other).length === 1, 'another worker')
  for (let index = 0; index < 10; index++) await live(wire, token).then(() => (answered += 1))
  load.over = true
  await Promise.all(floods)
  assert.equal(await wire.end(), 0)
  const calls = await callsOf(made, run_id)
  assert.equal(new Set(calls.map(({ number }) => number)).size, calls.length)
  const stored = calls.filter(({ outcome }) => outcome === 'answered').length
  assert.ok(stored >= answered, `${answered} answers, ${stored} with evidence`)
})

verifies('WIR-54', 'when the first process is killed, no worker lives on to serve what nobody counts', async (t) => {
  const made = await scenario(t)
  const wire = await servedWire(t, made, ['--workers', '2'])
  const workers = childrenOf(wire.process.pid ?? 0)
  wire.process.kill('SIGKILL')
  const lives = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false
    } catch {
      return false
    }
  }
  await until(() => !workers.some(lives), 'the workers to end')
  // Somebody else may have been given the port since; a wire would say that it knows no such token.
  const said = await fetch(`${wire.address}/v1/models`, { headers: { authorization: 'Bearer nobody' }, signal: AbortSignal.timeout(5_000) }).then((answer) => answer.text(), () => 'no answer')
  assert.doesNotMatch(said, /run_unknown/)
})

test('a port that is taken, and a number of workers that is none, are told', async (t) => {
  const made = await scenario(t)
  const wire = await servedWire(t, made)
  const taken = await made.portcullis(['wire', '--port', new URL(wire.address).port, '--workers', '2'])
  assert.deepEqual([taken.code, /port \d+ is in use/.test(taken.stderr)], [1, true], taken.stderr)
  for (const workers of ['0', '65', 'all', '-1', '1.5']) assert.match((await made.portcullis(['wire', '--port', '0', '--workers', workers])).stderr, /from 1 to 64/, workers)
})
