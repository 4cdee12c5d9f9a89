import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateText, isStepCount, type LanguageModel, Output, RetryError, streamText, tool } from 'ai'
import * as z from 'zod'
import type { Dialect } from '../../src/contract/model.ts'
import { type Client, conforms } from './suite.ts'

const Person = z.object({ name: z.string(), age: z.number() })

type Provider = (address: string, token: string) => (model: string) => LanguageModel

const PROVIDERS: readonly (readonly [string, Dialect, Provider])[] = [
  ['@ai-sdk/openai, chat completions', 'openai-chat', (address, token) => createOpenAI({ apiKey: token, baseURL: `${address}/v1` }).chat],
  ['@ai-sdk/openai, responses', 'openai-responses', (address, token) => createOpenAI({ apiKey: token, baseURL: `${address}/v1` }).responses],
  ['@ai-sdk/anthropic', 'anthropic-messages', (address, token) => createAnthropic({ apiKey: token, baseURL: `${address}/v1` })],
  ['@ai-sdk/google', 'gemini', (address, token) => createGoogle({ apiKey: token, baseURL: `${address}/v1beta` })],
]

const connectBy = (provider: Provider) => (address: string, token: string): Client => {
  const modelBy = provider(address, token)
  return {
    async say({ prompt, model = 'coder-1', signal }) {
      return (await generateText({ model: modelBy(model), prompt, ...(signal === undefined ? {} : { abortSignal: signal }) })).text
    },
    async stream({ prompt, model = 'coder-1', signal }, onText) {
      let whole = ''
      // Its errors are parts of the stream; without a listener of ours it prints them.
      const { fullStream } = streamText({ model: modelBy(model), prompt, onError: () => undefined, ...(signal === undefined ? {} : { abortSignal: signal }) })
      for await (const part of fullStream) {
        if (part.type === 'error') throw part.error
        if (part.type === 'abort') throw new DOMException('aborted', 'AbortError')
        if (part.type !== 'text-delta') continue
        whole += part.text
        onText(part.text)
      }
      return whole
    },
    async useTool(prompt) {
      const read = tool({ description: 'Reads a file', inputSchema: z.object({ path: z.string() }), execute: ({ path }) => `content of ${path}` })
      return (await generateText({ model: modelBy('coder-1'), prompt, tools: { read }, stopWhen: isStepCount(3) })).text
    },
    async object(prompt) {
      return (await generateText({ model: modelBy('coder-1'), prompt, output: Output.object({ schema: Person }) })).output
    },
    list: undefined,
  }
}

/** After its last try it wraps the error of each. */
function statusOf(error: unknown): number | undefined {
  const last = RetryError.isInstance(error) ? error.lastError : error
  return APICallError.isInstance(last) ? last.statusCode : undefined
}

for (const [sdk, dialect, provider] of PROVIDERS) conforms({ sdk, dialect, connect: connectBy(provider), statusOf, retries: true, asksAfterMismatch: undefined })
