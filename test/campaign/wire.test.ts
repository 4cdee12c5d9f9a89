import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type OpenAI from 'openai'
import * as z from 'zod'
import { createToken, servedWire } from '../helpers/served-wire.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, RECORD, scenario } from '../e2e/scenario.ts'

const Renewed = z.object({ token: z.string(), generation: z.int() })

const LIMITS = ['profiles', 'pi_scripted', 'limits']
const UNREACHED = { total: '1m', idle: '30s', calls: 1_000_000, tokens: 1_000_000_000, cost: 'USD 0' }

const say = (client: OpenAI) => client.chat.completions.create({ model: 'coder-1', messages: [{ role: 'user', content: 'hello' }] })

interface Flood {
  /** When the last call was made that was answered. */
  readonly lastAnsweredAt: number
  readonly refusal: string
}

/**
 * Calls without a pause until one is refused; `ended` gives when the last call was made that was answered, and the refusal. Resolves once the first
 * call was answered: what a test does next then ends a token that is in use, however slow the machine is.
 */
async function flooded(client: OpenAI): Promise<{ ended: Promise<Flood> }> {
  const deadline = Date.now() + 20_000
  while (!(await say(client).then(() => true, () => false))) assert.ok(Date.now() < deadline, 'the token is not answered within 20 s of its making')
  return { ended: callUntilRefused(client, Date.now()) }
}

async function callUntilRefused(client: OpenAI, lastAnsweredAt = Number.NEGATIVE_INFINITY): Promise<Flood> {
  for (let last = lastAnsweredAt; ; ) {
    const madeAt = Date.now()
    const refusal = await say(client).then(() => undefined, (error: unknown) => (error instanceof Error ? error.message : String(error)))
    if (refusal === undefined) last = madeAt
    // A machine that stands still for two seconds has read no licence: that call is refused for it, and the next one is asked.
    else if (!refusal.includes('licences that could not be read for a second')) return { lastAnsweredAt: last, refusal }
  }
}

verifies('WIR-04 WIR-20', 'a client that Portcullis did not start asks through the wire with its token, is witnessed, and is stopped within a second of a revocation', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, LIMITS, UNREACHED)
  const wire = await servedWire(t, made)
  // Created while the wire runs: it is taken up without a restart.
  const created = await createToken(made)
  const client = wire.client(created.token)
  const flood = await flooded(client)
  assert.equal((await made.portcullis(['tokens', 'revoke', created.run_id])).code, 0)
  const revokedAt = Date.now()
  const { lastAnsweredAt, refusal } = await flood.ended
  assert.ok(lastAnsweredAt - revokedAt <= 1_000, `a call was answered that was made ${lastAnsweredAt - revokedAt} ms after the revocation`)
  assert.match(refusal, /run_unknown|interrupted/)
  const calls = await made.portcullis(['calls', created.run_id])
  assert.match(calls.stdout, /coder-1 → coder-1 +\S+ in \S+ out.* answered/)
  assert.match((await made.portcullis(['tokens', 'list'])).stdout, /revoked +pi_scripted for ticket/)
  const scraped = await (await fetch(wire.metrics)).text()
  assert.match(scraped, /portcullis_calls_total\{pair="scripted\/coder-1",outcome="answered",reason=""\} [1-9]/)
  assert.match(scraped, /portcullis_tokens_total\{pair="scripted\/coder-1",kind="output"\} [1-9]/)
  assert.equal(scraped.includes(created.run_id) || scraped.includes('pcr_'), false)
  assert.equal(await wire.end(), 0)
  const verified = await made.portcullis(['verify', created.run_id])
  assert.equal(verified.code, 0, verified.stdout)
  const left = [readFileSync(join(made.directory, '.portcullis/ledger.db')), calls.stdout].join('\n')
  assert.equal(left.includes(created.token), false)
})

verifies('WIR-04', 'a record that is removed, or a token that expires, stops the next call within a second', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, LIMITS, UNREACHED)
  const removed = await createToken(made)
  const wire = await servedWire(t, made)
  const expiring = await createToken(made, '10s')
  const expiresAt = Date.now() + 10_000
  const expired = await (await flooded(wire.client(expiring.token))).ended
  assert.match(expired.refusal, /run_unknown|interrupted/)
  assert.ok(expired.lastAnsweredAt - expiresAt <= 1_000, `a call was answered that was made ${expired.lastAnsweredAt - expiresAt} ms after the expiry`)
  const flood = await flooded(wire.client(removed.token))
  made.set(RECORD, ['status'], 'revoked')
  const revokedAt = Date.now()
  const { lastAnsweredAt, refusal } = await flood.ended
  assert.ok(lastAnsweredAt - revokedAt <= 1_000, `a call was answered that was made ${lastAnsweredAt - revokedAt} ms after the record was revoked`)
  assert.match(refusal, /403.*not_admitted/)
  assert.equal(await wire.end(), 0)
})

verifies('WIR-04', 'a token that is renewed makes the one before stale within a second, under load; limits count on', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, LIMITS, UNREACHED)
  const created = await createToken(made)
  const wire = await servedWire(t, made)
  const flood = await flooded(wire.client(created.token))
  const renewed = Renewed.parse(JSON.parse((await made.portcullis(['tokens', 'renew', created.run_id, '--expires', '1h', '--json'])).stdout))
  const renewedAt = Date.now()
  const { lastAnsweredAt, refusal } = await flood.ended
  assert.ok(lastAnsweredAt - renewedAt <= 1_000, `a call was answered that was made ${lastAnsweredAt - renewedAt} ms after the renewal`)
  assert.match(refusal, /403.*stale_epoch/)
  assert.equal(renewed.generation, 2)
  await say(wire.client(renewed.token))
  made.set(RECORD, ['status'], 'revoked')
  assert.match((await callUntilRefused(wire.client(renewed.token))).refusal, /not_admitted/, 'what it rests on is watched as that of the first one was')
  assert.equal((await made.portcullis(['tokens', 'revoke', created.run_id])).code, 0)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  assert.equal(await wire.end(), 0)
  assert.equal((await made.portcullis(['verify', created.run_id])).code, 0)
  assert.equal((await made.portcullis(['tokens', 'renew', created.run_id, '--expires', '1h'])).code, 2, 'a token that has ended is not renewed')
})

test('no token is made for a pair that is not admitted, not healthy, or for another purpose; nor one without an end', async (t) => {
  const made = await scenario(t)
  const create = (purpose: string, expires: string) => made.portcullis(['tokens', 'create', '--kind', 'run', '--profile', 'pi_scripted', '--purpose', purpose, '--expires', expires])
  for (const expires of ['2020-01-01T00:00:00Z', 'never', '-1h']) assert.equal((await create('ticket', expires)).code, 2, expires)
  const purpose = await create('preflight', '1h')
  assert.deepEqual([purpose.code, /runtime_purpose_violation/.test(purpose.stdout)], [3, true])
  made.set(RECORD, ['status'], 'revoked')
  const refused = await create('ticket', '1h')
  assert.deepEqual([refused.code, /not_admitted/.test(refused.stdout)], [3, true])
  assert.equal(made.provider.requests().length, 0)
  assert.doesNotMatch(purpose.stdout + refused.stdout, /pcr_/)
  assert.equal((await made.portcullis(['tokens', 'list', '--json'])).stdout, '[]\n')
})

test('a token outlives the wire: calls are numbered and limits counted on from where they stood', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['profiles', 'pi_scripted', 'limits', 'calls'], 3)
  const created = await createToken(made)
  const first = await servedWire(t, made)
  await say(first.client(created.token))
  await say(first.client(created.token))
  assert.equal(await first.end(), 0)
  const second = await servedWire(t, made)
  await say(second.client(created.token))
  await assert.rejects(say(second.client(created.token)), /budget_exhausted/)
  assert.equal(await second.end(), 0)
  const { stdout } = await made.portcullis(['calls', created.run_id, '--json'])
  const numbers = stdout.trim().split('\n').map((line) => z.object({ number: z.number() }).parse(JSON.parse(line)).number)
  assert.deepEqual(numbers, [1, 2, 3, 4, 5])
  const tokens = z.array(z.object({ state: z.string(), calls: z.number() })).parse(JSON.parse((await made.portcullis(['tokens', 'list', '--json'])).stdout))
  assert.deepEqual(tokens, [{ state: 'live', calls: 4 }])
})
