export { answerMcp, serveMcpStdio } from './server.ts'
export type { SessionConnection } from './tools.ts'
