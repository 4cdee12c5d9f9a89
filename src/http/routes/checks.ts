import * as z from 'zod'
import { DoctorView, DrillView } from '../../app/check-desk.ts'
import { defineRoute, LOOKING, NONE, WORKING } from '../route.ts'
import { acted, Reason } from './acts.ts'

const drill = defineRoute({
  id: 'showDrill', method: 'GET', path: '/drill', kinds: LOOKING, summary: 'The last drill that this server ran, and whether one goes on.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'Where it stands; `last` is null if there was none.', contentType: 'application/json', schema: DrillView },
  handle: async ({ server }) => ({ status: 200, json: await server.checks.drill() }),
})

const beginDrill = defineRoute({
  id: 'beginDrill', method: 'POST', path: '/drill', kinds: WORKING, summary: 'Try every way in on scratch copies of the configuration, without spending a token. GET /drill tells how it goes on.',
  parameters: NONE, query: NONE, body: z.strictObject({ reason: Reason }),
  answer: { status: 202, description: 'It has begun.', contentType: 'application/json', schema: DrillView },
  handle: ({ server, principal, body }) => acted(server, principal, { act: 'run_drill', object: 'every profile', reason: body.reason }, async ({ name }) => {
    server.checks.beginDrill(name)
    return { status: 202, json: await server.checks.drill() }
  }),
})

const doctor = defineRoute({
  id: 'showDoctor', method: 'GET', path: '/doctor', kinds: LOOKING, summary: 'What the doctor found when it was asked last.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'Its rows; `last` is null if it was never asked.', contentType: 'application/json', schema: DoctorView },
  handle: async ({ server }) => ({ status: 200, json: await server.checks.doctor() }),
})

const askDoctor = defineRoute({
  id: 'askDoctor', method: 'POST', path: '/doctor', kinds: WORKING, summary: 'Look at everything a run would need, now. It starts no agent and sends no byte to a provider.',
  parameters: NONE, query: NONE, body: z.strictObject({ soon: z.string().min(2).max(20).describe('Also name the records that end within this duration, as in 30d.') }),
  answer: { status: 200, description: 'What was found.', contentType: 'application/json', schema: DoctorView },
  handle: async ({ server, principal, body }) => ({ status: 200, json: await server.checks.examine(principal?.name ?? '', body.soon) }),
})

export const checkRoutes = [drill, beginDrill, doctor, askDoctor]
