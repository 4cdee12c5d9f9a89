import { createServer } from 'node:http'

const notes = []
const answer = (response, status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const server = createServer(async (request, response) => {
  if (request.url === '/health') return answer(response, 200, { up: true })
  if (request.url !== '/notes') return answer(response, 404, { error: 'no such path' })
  if (request.method === 'GET') return answer(response, 200, notes)
  let text = ''
  for await (const chunk of request) text += chunk
  try {
    const note = { id: notes.length + 1, text: String(JSON.parse(text).text) }
    notes.push(note)
    return answer(response, 201, note)
  } catch {
    return answer(response, 400, { error: 'a note is JSON with a text' })
  }
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close())
