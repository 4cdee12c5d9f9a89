/** The provider of the benchmark, a process of its own: answers that were rendered beforehand, so that it costs next to nothing. */
import { createServer, type ServerResponse } from 'node:http'

const chat = Buffer.from(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'coder-1', choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(1_700) }, finish_reason: 'stop' }], usage: { prompt_tokens: 500, completion_tokens: 400 } }))
const event = (delta: object, more: object = {}): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'coder-1', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`
const events: readonly Buffer[] = [
  event({ role: 'assistant' }),
  ...Array.from({ length: 49 }, (_, index) => event({ content: `token ${index} ` })),
  event({}, { usage: { prompt_tokens: 500, completion_tokens: 49 } }),
  'data: [DONE]\n\n',
].map((text) => Buffer.from(text))

/** What a request asks for is in its `user` field, wherever a contestant writes it. */
function play(body: Buffer, response: ServerResponse): void {
  if (body.includes('"user":"json"')) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': chat.length }).end(chat)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (body.includes('"user":"sse"')) {
    for (const bytes of events) response.write(bytes)
    response.end()
    return
  }
  // One event every 100 ms, each with the time it was written at, for as long as the client stays or five seconds.
  let sent = 0
  const timer = setInterval(() => {
    if (sent === 50) {
      clearInterval(timer)
      response.end('data: [DONE]\n\n')
      return
    }
    sent += 1
    response.write(event({ content: `at:${Date.now()}` }))
  }, 100)
  response.once('close', () => clearInterval(timer))
}

const server = createServer((incoming, response) => {
  const pieces: Buffer[] = []
  incoming.on('data', (piece: Buffer) => pieces.push(piece))
  incoming.on('end', () => play(Buffer.concat(pieces), response))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
