export * from './model-call.ts'
export type * from './ports.ts'
