import * as z from 'zod'
import { VERSION } from '../../version.ts'
import { openApiOf } from '../openapi.ts'
import { defineRoute, NONE, type Route } from '../route.ts'
import { actRoutes } from './acts.ts'
import { agentRoutes } from './agents.ts'
import { checkRoutes } from './checks.ts'
import { consoleRoutes } from './console.ts'
import { eventRoutes } from './events.ts'
import { healthRoutes } from './health.ts'
import { mcpRoutes } from './mcp.ts'
import { pictureRoutes } from './pictures.ts'
import { questionRoutes } from './questions.ts'
import { queueRoutes } from './queue.ts'
import { runRoutes } from './runs.ts'
import { sessionRoutes } from './session.ts'
import { boardRoutes } from './ticket-board.ts'
import { ticketSessionRoutes } from './ticket-sessions.ts'
import { ticketRoutes } from './tickets.ts'
import { tokenRoutes } from './tokens.ts'

const openapi = defineRoute({
  id: 'openapi', method: 'GET', path: '/openapi.json', kinds: 'everybody', summary: 'This description.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'OpenAPI 3.1.', contentType: 'application/json', schema: z.looseObject({ openapi: z.string() }) },
  handle: async () => ({ status: 200, json: DOCUMENT }),
})

/** Every route there is. The router, openapi.json and the matrix of kinds are made from this list. */
export const ROUTES: readonly Route[] = [...healthRoutes, openapi, ...sessionRoutes, ...runRoutes, ...queueRoutes, ...consoleRoutes, ...pictureRoutes, ...agentRoutes, ...questionRoutes, ...actRoutes, ...checkRoutes, ...boardRoutes, ...ticketRoutes, ...ticketSessionRoutes, ...tokenRoutes, ...eventRoutes, ...mcpRoutes]

const DOCUMENT = openApiOf(ROUTES, VERSION)
