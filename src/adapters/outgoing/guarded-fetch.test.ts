import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { verifies } from '../../../test/verifies.ts'
import { AddressRefused, guardedClient } from './index.ts'

interface Listening {
  readonly url: string
  readonly address: string
  readonly received: string[]
}

async function listening(context: TestContext, answer: RequestListener): Promise<Listening> {
  const received: string[] = []
  const server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${address}`, address, received }
}

function clientFor(context: TestContext, addresses: readonly string[]) {
  const client = guardedClient({ addresses, networks: [] }, 2_000)
  context.after(() => client.close())
  return client
}

verifies('RDY-35', 'an address that is not listed gets no request, whether it stands in the first URL or in a redirect', async (context) => {
  const target = await listening(context, (_request, response) => response.end('secret'))
  const client = clientFor(context, [])
  await assert.rejects(client.fetch(`${target.url}/card`), AddressRefused)
  for (const location of [`${target.url}/inner`, `//${target.address}/inner`, `/\\${target.address}/inner`, 'http://169.254.169.254/latest', 'file:///etc/passwd', `http://2130706433:${target.address.split(':')[1] ?? ''}/`]) {
    const redirecting = await listening(context, (_request, response) => response.writeHead(302, { location }).end())
    await assert.rejects(clientFor(context, [redirecting.address]).fetch(`${redirecting.url}/card`), AddressRefused, location)
    assert.deepEqual(redirecting.received, ['GET /card'])
  }
  assert.deepEqual(target.received, [])
})

verifies('RDY-35', 'a redirect to a listed address is followed, but not for a request with a body, and not for ever', async (context) => {
  const target = await listening(context, (_request, response) => response.end('here'))
  const redirecting = await listening(context, (request, response) => response.writeHead(302, { location: request.url === '/loop' ? '/loop' : `${target.url}/inner` }).end())
  const client = clientFor(context, [target.address, redirecting.address])
  assert.equal(await (await client.fetch(`${redirecting.url}/card`)).text(), 'here')
  await assert.rejects(client.fetch(`${redirecting.url}/message`, { method: 'POST', body: '{}' }), AddressRefused)
  await assert.rejects(client.fetch(`${redirecting.url}/loop`), AddressRefused)
  assert.deepEqual(target.received, ['GET /inner'])
})

verifies('RDY-35', 'neither a dispatcher of the process nor a proxy of the environment connects in our place', async (context) => {
  const target = await listening(context, (_request, response) => response.end('reached'))
  const before = getGlobalDispatcher()
  const proxy = process.env['HTTP_PROXY']
  context.after(() => {
    setGlobalDispatcher(before)
    if (proxy === undefined) delete process.env['HTTP_PROXY']
    else process.env['HTTP_PROXY'] = proxy
  })
  setGlobalDispatcher(new Agent())
  process.env['HTTP_PROXY'] = target.url
  // A literal address is never looked up, so a guard in the look-up alone would let it pass.
  await assert.rejects(clientFor(context, []).fetch(`${target.url}/card`), AddressRefused)
  const named = guardedClient({ addresses: [target.address], networks: [] }, 2_000, (_hostname, _options, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]))
  context.after(() => named.close())
  await assert.rejects(named.fetch(`http://agents.example.com:${target.address.split(':')[1] ?? ''}/`), AddressRefused)
  assert.deepEqual(target.received, [])
})

test('a server that nobody answers for fails with the code of the system', async (context) => {
  const gone = await listening(context, (_request, response) => response.end())
  await assert.rejects(clientFor(context, ['127.0.0.1:1']).fetch('http://127.0.0.1:1/'), AddressRefused, 'a port of another protocol')
  assert.equal((await clientFor(context, [gone.address]).fetch(gone.url)).status, 200)
})
