import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import * as z from 'zod'

const Asked = z.looseObject({ model: z.string(), tools: z.array(z.unknown()).optional(), messages: z.array(z.looseObject({ content: z.unknown() })) })

/** A small OpenAI-compatible model that judges: it answers the health probe, and repeats the marks of what it was shown. */
export interface Judge {
  readonly url: string
  readonly prompts: readonly string[]
  /** The model it says it is, and what is otherwise in its next answers; `words` replaces all of it. */
  served: string
  change: Record<string, unknown>
  words: string | undefined
  said: string | null
}

export async function judgeServer(context: TestContext): Promise<Judge> {
  const prompts: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const { tools, messages } = Asked.parse(JSON.parse(await bodyOf(request)))
      const prompt = String(messages[0]?.content)
      const probing = tools !== undefined && tools.length > 0
      if (!probing) prompts.push(prompt)
      judge.said = probing ? judge.said : (judge.words ?? JSON.stringify(answerTo(prompt, judge.change)))
      const message = probing ? { role: 'assistant', content: null, tool_calls: [{ id: 't', type: 'function', function: { name: 'portcullis_probe', arguments: '{}' } }] } : { role: 'assistant', content: judge.said }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: probing ? 'judge-1' : judge.served, choices: [{ index: 0, message, finish_reason: probing ? 'tool_calls' : 'stop' }], usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const judge: Judge = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, prompts, served: 'judge-1', change: {}, words: undefined, said: null }
  return judge
}

function answerTo(prompt: string, change: Record<string, unknown>): object {
  const mark = (of: string): string => new RegExp(`end of the ${of}, mark ([0-9a-f]+)`).exec(prompt)?.[1] ?? ''
  const items = [...prompt.matchAll(/^(\d+)\. /gm)].map(([, id]) => Number(id))
  return {
    head: /"head":"([0-9a-f]{64})"/.exec(prompt)?.[1], verdict: 'PASS', confidence: 0.8, reason: 'It does what was asked.', source_read_ok: true, diff_read_ok: true,
    read: { diff: mark('difference'), source: mark('files') }, findings: [], requirements: items.map((id) => ({ id, status: 'met', reason: 'seen' })), question: null, ...change,
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
