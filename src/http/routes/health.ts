import * as z from 'zod'
import { defineRoute, LOOKING, NONE } from '../route.ts'
import { VERSION } from '../../version.ts'

const Check = z.strictObject({ name: z.string(), ready: z.boolean(), found: z.string() })
const Readiness = z.strictObject({ ready: z.boolean(), checks: z.array(Check) })

const livez = defineRoute({
  id: 'livez', method: 'GET', path: '/livez', kinds: 'everybody', summary: 'Whether the process answers.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'It does.', contentType: 'application/json', schema: z.strictObject({ live: z.literal(true) }) },
  handle: async () => ({ status: 200, json: { live: true } }),
})

const readyz = defineRoute({
  id: 'readyz', method: 'GET', path: '/readyz', kinds: 'everybody', summary: 'Whether the store can be written, the wire listens and the configuration is valid, each tried now.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'All of them hold; 503 with the same body if one does not.', contentType: 'application/json', schema: Readiness },
  handle: async ({ server }) => {
    const checks = await server.readiness()
    const ready = checks.length > 0 && checks.every((check) => check.ready)
    return { status: ready ? 200 : 503, json: { ready, checks } }
  },
})

const healthz = defineRoute({
  id: 'healthz', method: 'GET', path: '/healthz', kinds: 'everybody', summary: 'Live and ready in one answer, with the version.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'Ready; 503 with the same body if not.', contentType: 'application/json', schema: Readiness.extend({ version: z.string() }) },
  handle: async ({ server }) => {
    const checks = await server.readiness()
    const ready = checks.length > 0 && checks.every((check) => check.ready)
    return { status: ready ? 200 : 503, json: { ready, checks, version: VERSION } }
  },
})

const metrics = defineRoute({
  id: 'metrics', method: 'GET', path: '/metrics', kinds: LOOKING, summary: 'What Prometheus scrapes.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The metrics.', contentType: 'text/plain' },
  handle: async ({ server }) => {
    const { contentType, text } = await server.metrics.exposition()
    return { status: 200, bytes: text, contentType }
  },
})

export const healthRoutes = [livez, readyz, healthz, metrics]
