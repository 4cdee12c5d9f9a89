import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Pool } from 'undici'
import { verifies } from '../../../test/verifies.ts'
import { answerBy, ask, json, startBench, startProvider } from '../../../test/helpers/wire-harness.ts'
import { AddressRefused, guardedConnector, type Resolver } from './guarded-connect.ts'

/** A resolver that gives these answers, one after the other; the last one repeats. */
const resolving = (...answers: readonly (readonly string[])[]): Resolver => {
  let asked = 0
  return (_hostname, _options, answer) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    answer(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
  }
}

/** Asks a provider by a name, over a connector with that resolver; each call takes a connection of its own. */
async function askBy(context: TestContext, url: string, privateAddresses: boolean, resolver: Resolver): Promise<() => Promise<number>> {
  const pool = new Pool(url, { connect: guardedConnector(1_000, { privateAddresses }, resolver), allowH2: false })
  context.after(() => pool.destroy())
  return async () => {
    const answer = await pool.request({ path: '/', method: 'GET', reset: true })
    await answer.body.dump()
    return answer.statusCode
  }
}

verifies('WIR-42', 'a name that resolves to this machine is not connected to, unless its owner says so', async (context) => {
  const provider = await startProvider(context, (response) => json(response, {}))
  const url = provider.url.replace('127.0.0.1', 'models.example.com')
  const refused = await askBy(context, url, false, resolving(['127.0.0.1']))
  await assert.rejects(refused(), (error) => error instanceof AddressRefused && error.found === 'models.example.com, which resolves to 127.0.0.1, an address of this machine, without allowPrivateAddresses')
  assert.equal(provider.received.length, 0)
  const opened = await askBy(context, url, true, resolving(['127.0.0.1']))
  assert.equal(await opened(), 200)
  assert.equal(provider.received.length, 1)
})

verifies('WIR-42', 'a name that rebinds between two connections is refused at the second; one answer among public ones spoils all', async (context) => {
  const provider = await startProvider(context, (response) => json(response, {}))
  const url = provider.url.replace('127.0.0.1', 'models.example.com')
  const rebinding = await askBy(context, url, true, resolving(['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '169.254.169.254'], ['127.0.0.1']))
  assert.equal(await rebinding(), 200)
  await assert.rejects(rebinding(), AddressRefused)
  await assert.rejects(rebinding(), AddressRefused)
  assert.equal(await rebinding(), 200)
  assert.equal(provider.received.length, 2)
})

void test('a resolver that fails is not found; one that knows no address is refused', async (context) => {
  const failing: Resolver = (_hostname, _options, answer) => answer(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), [])
  await assert.rejects((await askBy(context, 'http://models.example.com', true, failing))(), { code: 'ENOTFOUND' })
  await assert.rejects((await askBy(context, 'http://models.example.com', true, resolving([])))(), AddressRefused)
})

verifies('WIR-42', 'an address that stands in the URL is judged at the connection too, where no resolver is asked', async (context) => {
  for (const url of ['http://169.254.169.254', 'http://[::ffff:127.0.0.1]:8000', 'http://10.0.0.5:8000', 'https://10.0.0.5']) {
    const asked = await askBy(context, url, false, resolving(['93.184.216.34']))
    await assert.rejects(asked(), AddressRefused, url)
  }
})

verifies('WIR-42', 'the wire refuses a provider whose name leads to this machine: recorded, told, and nothing sent', async (context) => {
  const behind = await startProvider(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  const baseUrl = `${behind.url.replace('127.0.0.1', 'localhost')}/v1`
  const bench = await startBench(context, () => undefined, { baseUrl })
  const answer = await ask(bench)
  assert.equal(answer.status, 502)
  assert.equal(answer.headers['x-portcullis-reason'], 'provider_address_refused')
  assert.equal(answer.headers['x-should-retry'], 'false')
  assert.ok(answer.body.includes('allowPrivateAddresses'))
  assert.equal(behind.received.length, 0)
  assert.deepEqual([bench.recorder.only.outcome, bench.recorder.only.reason, bench.recorder.only.providerStatus], ['failed', 'provider_address_refused', null])
  assert.match(bench.recorder.only.detail ?? '', /^nothing was sent to localhost, which resolves to (?:127\.0\.0\.1|::1), an address of this machine, without allowPrivateAddresses$/)
  // The same address with its owner's permission: another pool, so the refusal above cannot have been a broken one.
  const opened = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r1-2', provider: { ...bench.request.provider, allowPrivateAddresses: true } })
  assert.equal((await ask({ ...bench, grant: opened })).status, 200)
  assert.equal(behind.received.length, 1)
  assert.equal((await ask(bench)).headers['x-portcullis-reason'], 'provider_address_refused')
})

verifies('WIR-42', 'each kind of redirect is refused and not followed, wherever it leads', async (context) => {
  for (const [index, status] of [301, 302, 303, 307, 308].entries()) {
    const elsewhere = await startProvider(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
    const locations = [`${elsewhere.url}/v1/chat/completions`, 'http://169.254.169.254/', '//169.254.169.254/', '/\\169.254.169.254/', 'file:///etc/passwd']
    const bench = await startBench(context, (response) => void response.writeHead(status, { location: locations[index] }).end('{}'))
    const answer = await ask(bench)
    assert.deepEqual([answer.status, answer.headers['x-portcullis-reason'], answer.headers.location], [502, 'provider_malformed', undefined])
    assert.match(bench.recorder.only.detail ?? '', /redirects are not followed/)
    assert.equal(bench.provider.received.length, 1)
    assert.equal(elsewhere.received.length, 0)
  }
})
