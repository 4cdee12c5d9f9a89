/** The yardstick: node:http in front of undici's dispatcher, no parsing, no evidence, no admission. */
import { createServer } from 'node:http'
import { Pool } from 'undici'

const pool = new Pool(process.argv[2] ?? '', { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })

const server = createServer((incoming, client) => {
  const pieces: Buffer[] = []
  incoming.on('data', (piece: Buffer) => pieces.push(piece))
  incoming.on('end', () => {
    pool.dispatch(
      { method: 'POST', path: incoming.url ?? '/', headers: { 'content-type': 'application/json' }, body: Buffer.concat(pieces) },
      {
        onRequestStart: (controller) => void client.once('close', () => (client.writableFinished ? undefined : controller.abort(new Error('left')))),
        onResponseStart: (_controller, status, headers) => void client.writeHead(status, { 'content-type': String(headers['content-type']), ...(headers['content-length'] === undefined ? {} : { 'content-length': String(headers['content-length']) }) }),
        onResponseData: (controller, chunk) => {
          if (client.write(chunk)) return
          controller.pause()
          client.once('drain', () => controller.resume())
        },
        onResponseEnd: () => void client.end(),
        onResponseError: () => void client.destroy(),
      },
    )
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
