import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export interface ReceivedCall {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the server does with one call: a status with an error, an answer, a tool call, or nothing until the end of the test. */
export type ChatAnswer = { readonly status: number } | { readonly text: string } | { readonly tool: string; readonly input: object } | 'hang'

/** A small OpenAI-compatible streaming server that stands for the wire. Answers in order; the last answer repeats. */
export async function chatServer(context: TestContext, ...answers: readonly ChatAnswer[]): Promise<{ readonly baseUrl: string; readonly calls: readonly ReceivedCall[] }> {
  const calls: ReceivedCall[] = []
  const server = createServer((request, response) => {
    void (async () => {
      calls.push({ path: request.url ?? '', headers: request.headers, body: await bodyOf(request) })
      const answer = answers[calls.length - 1] ?? answers.at(-1) ?? 'hang'
      if (answer === 'hang') return
      if ('status' in answer) {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: `refused with ${answer.status}`, type: 'test' } }))
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const event of eventsOf(answer)) response.write(`data: ${JSON.stringify(event)}\n\n`)
      response.end('data: [DONE]\n\n')
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, calls }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function eventsOf(answer: Exclude<ChatAnswer, 'hang' | { status: number }>): object[] {
  const event = (delta: object, finish: string | null): object => ({ id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'coder-1', choices: [{ index: 0, delta, finish_reason: finish }] })
  const delta =
    'text' in answer
      ? { role: 'assistant', content: answer.text }
      : { role: 'assistant', tool_calls: [{ index: 0, id: 'call-1', type: 'function', function: { name: answer.tool, arguments: JSON.stringify(answer.input) } }] }
  return [event(delta, null), event({}, 'text' in answer ? 'stop' : 'tool_calls'), { ...event({}, null), choices: [], usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } }]
}
