import type { Dialect } from '../../contract/model.ts'

/** What other gateways call providers whose API is one of ours. Whatever is not here has to be filled in by somebody who knows. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  openai: 'openai-chat',
  'custom_openai': 'openai-chat',
  openai_like: 'openai-chat',
  hosted_vllm: 'openai-chat',
  vllm: 'openai-chat',
  llamafile: 'openai-chat',
  lm_studio: 'openai-chat',
  litellm_proxy: 'openai-chat',
  openrouter: 'openai-chat',
  groq: 'openai-chat',
  deepseek: 'openai-chat',
  xai: 'openai-chat',
  'x-ai': 'openai-chat',
  mistral: 'openai-chat',
  'mistral-ai': 'openai-chat',
  together_ai: 'openai-chat',
  'together-ai': 'openai-chat',
  fireworks_ai: 'openai-chat',
  'fireworks-ai': 'openai-chat',
  anthropic: 'anthropic-messages',
  gemini: 'gemini',
  google: 'gemini',
}

/** Why providers of this kind cannot be reached through the wire at all. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  azure: 'Azure puts the deployment into the path and a version into the query, which the wire does not forward',
  'azure-openai': 'Azure puts the deployment into the path and a version into the query, which the wire does not forward',
  bedrock: 'Bedrock wants each request signed, which the wire does not do',
  sagemaker: 'SageMaker wants each request signed, which the wire does not do',
  vertex_ai: 'Vertex AI puts project and model into the path and takes short-lived tokens, which the wire does not forward',
  'vertex-ai': 'Vertex AI puts project and model into the path and takes short-lived tokens, which the wire does not forward',
  vertex_ai_beta: 'Vertex AI puts project and model into the path and takes short-lived tokens, which the wire does not forward',
  watsonx: 'watsonx takes short-lived tokens of its own, which the wire does not make',
}

export const dialectOf = (kind: string): Dialect | undefined => (Object.hasOwn(DIALECTS, kind) ? DIALECTS[kind] : undefined)
export const unreachable = (kind: string): string | undefined => (Object.hasOwn(UNREACHABLE, kind) ? UNREACHABLE[kind] : undefined)
