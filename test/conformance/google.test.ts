import assert from 'node:assert/strict'
import { ApiError, type Content, GoogleGenAI } from '@google/genai'
import * as z from 'zod'
import { verifies } from '../verifies.ts'
import { startConformance } from './bench.ts'
import { type Client, conforms } from './suite.ts'

const Person = z.object({ name: z.string(), age: z.number() })
const READ = { name: 'read', description: 'Reads a file', parametersJsonSchema: { type: 'object', properties: { path: { type: 'string' } } } }

/** `v1` is what the SDK says by itself since its third major version; `v1beta` what it said before and what most programs say. */
const sdk = (address: string, token: string, apiVersion: 'v1' | 'v1beta'): GoogleGenAI => new GoogleGenAI({ apiKey: token, apiVersion, httpOptions: { baseUrl: address } })

const connectBy = (apiVersion: 'v1' | 'v1beta') => (address: string, token: string): Client => {
  const google = sdk(address, token, apiVersion)
  const config = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } => (signal === undefined ? {} : { abortSignal: signal })
  return {
    async say({ prompt, model = 'coder-1', signal }) {
      return (await google.models.generateContent({ model, contents: prompt, config: config(signal) })).text ?? ''
    },
    async stream({ prompt, model = 'coder-1', signal }, onText) {
      let whole = ''
      for await (const { text = '' } of await google.models.generateContentStream({ model, contents: prompt, config: config(signal) })) {
        whole += text
        if (text !== '') onText(text)
      }
      return whole
    },
    async useTool(prompt) {
      const asked: Content = { role: 'user', parts: [{ text: prompt }] }
      const tools = [{ functionDeclarations: [READ] }]
      const first = await google.models.generateContent({ model: 'coder-1', contents: [asked], config: { tools } })
      const said = first.candidates?.[0]?.content ?? assert.fail('an answer without content')
      const results = (first.functionCalls ?? []).map(({ name, args }) => ({ functionResponse: { name: name ?? '', response: { output: `content of ${z.object({ path: z.string() }).parse(args).path}` } } }))
      return (await google.models.generateContent({ model: 'coder-1', contents: [asked, said, { role: 'user', parts: results }], config: { tools } })).text ?? ''
    },
    async object(prompt) {
      const answer = await google.models.generateContent({ model: 'coder-1', contents: prompt, config: { responseMimeType: 'application/json', responseJsonSchema: z.toJSONSchema(Person) } })
      return Person.parse(JSON.parse(answer.text ?? ''))
    },
    async list() {
      const names: string[] = []
      for await (const { name = '' } of await google.models.list()) names.push(name.replace('models/', ''))
      return names
    },
  }
}

const statusOf = (error: unknown): number | undefined => (error instanceof ApiError ? error.status : undefined)

for (const version of ['v1', 'v1beta'] as const) conforms({ sdk: `@google/genai, ${version}`, dialect: 'gemini', connect: connectBy(version), statusOf, retries: false, asksAfterMismatch: 1 })

verifies('WIR-05', '@google/genai: told to ask again, it does so for what may pass, and not for a refusal', async (context) => {
  const bench = await startConformance(context, 'gemini')
  const google = new GoogleGenAI({ apiKey: bench.token, httpOptions: { baseUrl: bench.wire.address, retryOptions: { attempts: 3, initialDelay: 0.01, jitter: 0 } } })
  await assert.rejects(google.models.generateContent({ model: 'small-fast', contents: 'say it' }), /model_not_admitted/)
  assert.equal(bench.calls().length, 1)
  assert.ok((await google.models.generateContent({ model: 'coder-1', contents: 'say later' })).text)
  assert.deepEqual(bench.calls().map((call) => call.clientStatus), [403, 503, 200])
})

verifies('WIR-06', '@google/genai: tokens are counted at the provider, for the admitted model only', async (context) => {
  const bench = await startConformance(context, 'gemini')
  const count = (model: string): Promise<{ readonly totalTokens?: number }> => sdk(bench.wire.address, bench.token, 'v1').models.countTokens({ model, contents: 'say it' })
  assert.ok(((await count('coder-1')).totalTokens ?? 0) > 0)
  await assert.rejects(count('small-fast'), /model_not_admitted/)
  assert.deepEqual(bench.calls().map((call) => [call.outcome, call.inference]), [['answered', false], ['refused', false]])
})
