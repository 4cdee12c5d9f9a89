import type { Dialect } from '../../contract/model.ts'

/**
 * How a key reaches the model of a provider inside Case. Case builds Pi's Agent without a key resolver, so that only what Pi
 * itself reads from the environment gets through by itself (ADM-P3).
 */
export type AuthRoute =
  /** Pi maps the provider to a variable: the run token in it is enough. */
  | { readonly kind: 'environment'; readonly variable: string; readonly api: string; readonly dialect: Dialect }
  /** Pi knows the provider and wants a session token, which Case never hands on. */
  | { readonly kind: 'oauth'; readonly api: string; readonly dialect: Dialect }
  /** Only models.json knows the provider, and its key goes nowhere in Case. */
  | { readonly kind: 'models-json' }
  /** Pi knows the provider, and there is no proven way for a run token to stand in for its credential. */
  | { readonly kind: 'none' }

const chat = (variable: string): AuthRoute => ({ kind: 'environment', variable, api: 'openai-completions', dialect: 'openai-chat' })
const NONE: AuthRoute = { kind: 'none' }

/** Every provider that Pi 0.63.2 knows. One that is not here is one of models.json alone. */
const ROUTES: ReadonlyMap<string, AuthRoute> = new Map<string, AuthRoute>([
  ['anthropic', { kind: 'environment', variable: 'ANTHROPIC_API_KEY', api: 'anthropic-messages', dialect: 'anthropic-messages' }],
  ['openai', { kind: 'environment', variable: 'OPENAI_API_KEY', api: 'openai-responses', dialect: 'openai-responses' }],
  ['groq', chat('GROQ_API_KEY')],
  ['cerebras', chat('CEREBRAS_API_KEY')],
  ['xai', chat('XAI_API_KEY')],
  ['openrouter', chat('OPENROUTER_API_KEY')],
  ['openai-codex', { kind: 'oauth', api: 'openai-codex-responses', dialect: 'openai-responses' }],
  ...['amazon-bedrock', 'azure-openai-responses', 'github-copilot', 'google', 'google-antigravity', 'google-gemini-cli', 'google-vertex', 'huggingface', 'kimi-coding', 'minimax', 'minimax-cn', 'mistral', 'opencode', 'opencode-go', 'vercel-ai-gateway', 'zai'].map((name): [string, AuthRoute] => [name, NONE]),
])

export const authRouteOf = (provider: string): AuthRoute => ROUTES.get(provider) ?? { kind: 'models-json' }

/** Pi's name of each dialect, for a provider of models.json. */
export const APIS: Readonly<Partial<Record<Dialect, string>>> = {
  'openai-chat': 'openai-completions',
  'openai-responses': 'openai-responses',
  'anthropic-messages': 'anthropic-messages',
}

/**
 * The run token as a provider's client wants it. Pi's Codex client takes an account out of a JSON web token before it asks
 * anything (ADM-C6); the wire reads the run token where the signature would be, and drops a header with this account.
 */
export function tokenFor(route: AuthRoute, runToken: string): string {
  if (route.kind !== 'oauth') return runToken
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [part({ alg: 'none', typ: 'JWT' }), part({ 'https://api.openai.com/auth': { chatgpt_account_id: 'pcr_account' } }), runToken].join('.')
}
