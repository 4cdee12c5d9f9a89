import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import assert from 'node:assert/strict'
import * as z from 'zod'
import { verifies } from '../verifies.ts'
import { startConformance } from './bench.ts'
import { type Client, conforms } from './suite.ts'

const Person = z.object({ name: z.string(), age: z.number() })
const READ: Anthropic.Tool = { name: 'read', description: 'Reads a file', input_schema: { type: 'object', properties: { path: { type: 'string' } } } }

const textOf = ({ content }: { readonly content: readonly Anthropic.ContentBlock[] }): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('')

const sdk = (address: string, token: string): Anthropic => new Anthropic({ apiKey: token, authToken: null, baseURL: address })

function connect(address: string, token: string): Client {
  const anthropic = sdk(address, token)
  const question = (prompt: string, model = 'coder-1'): { model: string; max_tokens: number; messages: { role: 'user'; content: string }[] } => ({ model, max_tokens: 100, messages: [{ role: 'user', content: prompt }] })
  return {
    async say({ prompt, model, signal }) {
      return textOf(await anthropic.messages.create(question(prompt, model), signal === undefined ? {} : { signal }))
    },
    async stream({ prompt, model, signal }, onText) {
      const stream = anthropic.messages.stream(question(prompt, model), signal === undefined ? {} : { signal })
      stream.on('text', onText)
      return textOf(await stream.finalMessage())
    },
    async useTool(prompt) {
      const asked = question(prompt)
      const first = await anthropic.messages.create({ ...asked, tools: [READ] })
      const results = first.content.flatMap((block): Anthropic.ToolResultBlockParam[] => (block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: `content of ${z.object({ path: z.string() }).parse(block.input).path}` }] : []))
      return textOf(await anthropic.messages.create({ ...asked, tools: [READ], messages: [...asked.messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }] }))
    },
    async object(prompt) {
      return (await anthropic.messages.parse({ ...question(prompt), output_config: { format: zodOutputFormat(Person) } })).parsed_output
    },
    async list() {
      return (await anthropic.models.list()).data.map(({ id }) => id)
    },
  }
}

conforms({ sdk: '@anthropic-ai/sdk', dialect: 'anthropic-messages', connect, statusOf: (error) => (error instanceof APIError && typeof error.status === 'number' ? error.status : undefined), retries: true, asksAfterMismatch: 1 })

verifies('WIR-06', '@anthropic-ai/sdk: tokens are counted at the provider, for the admitted model only', async (context) => {
  const bench = await startConformance(context, 'anthropic-messages')
  const count = (model: string): Promise<{ readonly input_tokens: number }> => sdk(bench.wire.address, bench.token).messages.countTokens({ model, messages: [{ role: 'user', content: 'say it' }] })
  assert.ok((await count('coder-1')).input_tokens > 0)
  await assert.rejects(count('small-fast'), /model_not_admitted/)
  assert.deepEqual(bench.calls().map((call) => [call.outcome, call.inference]), [['answered', false], ['refused', false]])
})
