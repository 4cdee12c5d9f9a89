export { loadScript, parseScript } from './load-script.ts'
export type { ProviderRequest } from './provider-request.ts'
export { Condition, Fault, FaultRule, ProviderScript, ScriptedAnswer, ScriptedToolCall, ScriptedTurn } from './script.ts'
export { type ScriptedProvider, type ScriptedProviderOptions, startScriptedProvider } from './server.ts'
