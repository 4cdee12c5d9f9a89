export * from './probe-definition.ts'
