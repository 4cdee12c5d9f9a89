export { answerMcp, serveMcpStdio } from './server.ts'
