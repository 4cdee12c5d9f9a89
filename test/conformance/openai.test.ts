import OpenAI, { APIError } from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import * as z from 'zod'
import { type Client, conforms } from './suite.ts'

const Person = z.object({ name: z.string(), age: z.number() })
const READ = { name: 'read', description: 'Reads a file', parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'], additionalProperties: false } }

const statusOf = (error: unknown): number | undefined => (error instanceof APIError && typeof error.status === 'number' ? error.status : undefined)

async function listed(openai: OpenAI): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { id } of openai.models.list()) ids.push(id)
  return ids
}

const signalOf = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal === undefined ? {} : { signal })

function chat(address: string, token: string): Client {
  const openai = new OpenAI({ apiKey: token, baseURL: `${address}/v1` })
  return {
    async say({ prompt, model = 'coder-1', signal }) {
      const answer = await openai.chat.completions.create({ model, messages: [{ role: 'user', content: prompt }] }, signalOf(signal))
      return answer.choices[0]?.message.content ?? ''
    },
    async stream({ prompt, model = 'coder-1', signal }, onText) {
      const stream = openai.chat.completions.stream({ model, messages: [{ role: 'user', content: prompt }], stream_options: { include_usage: true } }, signalOf(signal))
      stream.on('content', onText)
      return (await stream.finalChatCompletion()).choices[0]?.message.content ?? ''
    },
    async useTool(prompt) {
      const runner = openai.chat.completions.runTools({
        model: 'coder-1',
        messages: [{ role: 'user', content: prompt }],
        tools: [{ type: 'function', function: { ...READ, parse: (text: string) => z.object({ path: z.string() }).parse(JSON.parse(text)), function: ({ path }: { path: string }) => `content of ${path}` } }],
      })
      return (await runner.finalContent()) ?? ''
    },
    async object(prompt) {
      const answer = await openai.chat.completions.parse({ model: 'coder-1', messages: [{ role: 'user', content: prompt }], response_format: zodResponseFormat(Person, 'person') })
      return answer.choices[0]?.message.parsed
    },
    list: () => listed(openai),
  }
}

function responses(address: string, token: string): Client {
  const openai = new OpenAI({ apiKey: token, baseURL: `${address}/v1` })
  return {
    async say({ prompt, model = 'coder-1', signal }) {
      return (await openai.responses.create({ model, input: prompt }, signalOf(signal))).output_text
    },
    async stream({ prompt, model = 'coder-1', signal }, onText) {
      const stream = openai.responses.stream({ model, input: prompt }, signalOf(signal))
      stream.on('response.output_text.delta', ({ delta }) => onText(delta))
      const { output } = await stream.finalResponse()
      return output.map((item) => (item.type === 'message' ? item.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('') : '')).join('')
    },
    async useTool(prompt) {
      const tools = [{ type: 'function' as const, strict: true, ...READ }]
      const first = await openai.responses.create({ model: 'coder-1', input: prompt, tools })
      const calls = first.output.filter((item) => item.type === 'function_call')
      const results = calls.map((call) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: `content of ${z.object({ path: z.string() }).parse(JSON.parse(call.arguments)).path}` }))
      const second = await openai.responses.create({ model: 'coder-1', input: [{ role: 'user', content: prompt }, ...calls, ...results], tools })
      return second.output_text
    },
    async object(prompt) {
      return (await openai.responses.parse({ model: 'coder-1', input: prompt, text: { format: zodTextFormat(Person, 'person') } })).output_parsed
    },
    list: () => listed(openai),
  }
}

conforms({ sdk: 'openai, chat completions', dialect: 'openai-chat', connect: chat, statusOf, retries: true, asksAfterMismatch: 1 })
conforms({ sdk: 'openai, responses', dialect: 'openai-responses', connect: responses, statusOf, retries: true, asksAfterMismatch: 1 })
