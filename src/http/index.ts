export { type Listening, listen } from './listen.ts'
export { openApiOf } from './openapi.ts'
export { ROUTES } from './routes/index.ts'
