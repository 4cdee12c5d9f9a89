import type { Dialect } from '../../contract/model.ts'

/** The tool that the probe offers. A script of the scripted provider can answer to it with `offersTool`. */
export const PROBE_TOOL = 'portcullis_probe'

/**
 * Room for the answer. One token would be cheaper, but a model that reasons spends it before its first word and looks
 * sick; better a few tokens a day than a healthy model refused (WIR-34).
 */
const ANSWER_TOKENS = 256

const PROMPT = `Call the tool ${PROBE_TOOL} once, without arguments.`
const DESCRIPTION = 'Confirms that tools can be called. Has no effect.'
const PARAMETERS = { type: 'object', properties: {}, required: [], additionalProperties: false }

export interface ProbeMessage {
  /** Behind the base URL of the dialect. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The smallest request that shows a model answering and calling a tool. */
export function probeMessage(dialect: Dialect, model: string, token: string): ProbeMessage {
  switch (dialect) {
    case 'openai-chat':
      return { path: '/chat/completions', headers: { authorization: `Bearer ${token}` }, body: chatBody(model) }
    case 'openai-responses':
      return { path: '/responses', headers: { authorization: `Bearer ${token}` }, body: responsesBody(model) }
    case 'anthropic-messages':
      return { path: '/v1/messages', headers: { 'x-api-key': token, 'anthropic-version': '2023-06-01' }, body: messagesBody(model) }
    case 'gemini':
      return { path: `/v1beta/models/${encodeURIComponent(model)}:generateContent`, headers: { 'x-goog-api-key': token }, body: GENERATE_BODY }
  }
}

const chatBody = (model: string): unknown => ({
  model,
  messages: [{ role: 'user', content: PROMPT }],
  tools: [{ type: 'function', function: { name: PROBE_TOOL, description: DESCRIPTION, parameters: PARAMETERS } }],
  tool_choice: { type: 'function', function: { name: PROBE_TOOL } },
  max_completion_tokens: ANSWER_TOKENS,
  stream: false,
})

const responsesBody = (model: string): unknown => ({
  model,
  input: [{ role: 'user', content: PROMPT }],
  tools: [{ type: 'function', name: PROBE_TOOL, description: DESCRIPTION, parameters: PARAMETERS, strict: true }],
  tool_choice: { type: 'function', name: PROBE_TOOL },
  max_output_tokens: ANSWER_TOKENS,
  store: false,
  stream: false,
})

const messagesBody = (model: string): unknown => ({
  model,
  max_tokens: ANSWER_TOKENS,
  messages: [{ role: 'user', content: PROMPT }],
  tools: [{ name: PROBE_TOOL, description: DESCRIPTION, input_schema: PARAMETERS }],
  tool_choice: { type: 'tool', name: PROBE_TOOL },
  stream: false,
})

const GENERATE_BODY: unknown = {
  contents: [{ role: 'user', parts: [{ text: PROMPT }] }],
  tools: [{ functionDeclarations: [{ name: PROBE_TOOL, description: DESCRIPTION, parametersJsonSchema: PARAMETERS }] }],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [PROBE_TOOL] } },
  generationConfig: { maxOutputTokens: ANSWER_TOKENS },
}
