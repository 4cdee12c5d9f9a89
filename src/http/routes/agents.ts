import * as z from 'zod'
import { AgentStarted, FleetPage, ShownAgent, STARTING_PATHS } from '../../app/shapes.ts'
import { drainMs } from '../../app/serve.ts'
import { Name } from '../../contract/ids.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Begun } from '../../app/agent-desk.ts'
import { Limit, pageSize } from '../paging.ts'
import { problemAnswer } from '../answer.ts'
import { ACCESS_PROBLEMS, problemOfRefusal } from '../problem.ts'
import { acted, Reason } from './acts.ts'
import { type Answer, type Call, defineRoute, LOOKING, NONE, REPORTING, WORKING } from '../route.ts'

const OfAgent = z.strictObject({ agent: Name })
const Why = z.strictObject({ reason: Reason })
const BEGUN = { status: 202, description: 'A new generation has begun. Nothing is proven yet; GET /agents/{agent} and GET /events tell how it goes on. An agent that somebody else starts reaches its model with `access`, which is not shown again.', contentType: 'application/json', schema: AgentStarted } as const

const list = defineRoute({
  id: 'listAgents', method: 'GET', path: '/agents', kinds: LOOKING, summary: 'Every agent that lives on: who each must be beside who was seen, whether it may be asked now, and the counts of each deployment.',
  parameters: NONE, query: z.strictObject({ cursor: Name.optional().describe('The `next` of the page before.'), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of the agents, by name. The counts are of all of them.', contentType: 'application/json', schema: FleetPage },
  handle: async ({ server, query }) => ({ status: 200, json: await server.agents.page({ cursor: query.cursor, limit: pageSize(query.limit) }) }),
})

const show = defineRoute({
  id: 'showAgent', method: 'GET', path: '/agents/{agent}', kinds: LOOKING, summary: 'One agent with its conditions and its whole history.',
  parameters: OfAgent, query: NONE, body: NONE,
  answer: { status: 200, description: 'The agent.', contentType: 'application/json', schema: ShownAgent },
  handle: async ({ server, parameters }) => ({ status: 200, json: await server.agents.show(parameters.agent) }),
})

const start = defineRoute({
  id: 'startAgent', method: 'POST', path: '/agents/{agent}/start', kinds: WORKING, once: true, summary: 'Begin a new generation of an agent: the only way out of failed.',
  parameters: OfAgent, query: NONE, body: z.strictObject({ path: z.enum(STARTING_PATHS).optional().describe('Why it is started; create, or external_create, if left out. `bundle` and `team` say that it was started with others, and pass the same gates. `resume` takes the seed that was proven last and no other.'), reason: Reason }),
  answer: BEGUN,
  handle: ({ server, principal, parameters, body }) => acted(server, principal, { act: 'start_agent', object: parameters.agent, reason: body.reason }, async () => {
    return begun(await server.agents.start(parameters.agent, body.path))
  }),
})

const restart = defineRoute({
  id: 'restartAgent', method: 'POST', path: '/agents/{agent}/restart', kinds: WORKING, once: true, summary: 'Begin a new generation with the seed with which the agent was proven last, and with no other.',
  parameters: OfAgent, query: NONE, body: Why, answer: BEGUN,
  handle: ({ server, principal, parameters, body }) => acted(server, principal, { act: 'restart_agent', object: parameters.agent, reason: body.reason }, async () => {
    return begun(await server.agents.start(parameters.agent, 'restart'))
  }),
})

const wake = defineRoute({
  id: 'wakeAgent', method: 'POST', path: '/agents/{agent}/wake', kinds: WORKING, once: true, summary: 'Begin a new generation of an agent that was stopped, with the seed with which it was proven last.',
  parameters: OfAgent, query: NONE, body: Why, answer: BEGUN,
  handle: ({ server, principal, parameters, body }) => acted(server, principal, { act: 'wake_agent', object: parameters.agent, reason: body.reason }, async () => {
    return begun(await server.agents.start(parameters.agent, 'wake'))
  }),
})

const register = defineRoute({
  id: 'registerAgent', method: 'POST', path: '/agents/{agent}/register', kinds: REPORTING, once: true, summary: 'An agent that somebody else started says where its card is. It raises nobody: a new generation begins, which has to prove itself.',
  parameters: OfAgent, query: NONE, body: z.strictObject({ card_url: z.url().max(2_000) }), answer: BEGUN,
  handle: async (call) => {
    if (!(await mayReport(call))) return problemAnswer(ACCESS_PROBLEMS.access_forbidden)
    return begun(await call.server.agents.register(call.parameters.agent, call.body.card_url))
  },
})

const heartbeat = defineRoute({
  id: 'beatAgent', method: 'POST', path: '/agents/{agent}/heartbeat', kinds: [...REPORTING, 'run'], summary: 'An agent says that it lives. It can lower itself by this, and never raise itself.',
  parameters: OfAgent, query: NONE, body: z.strictObject({ healthy: z.boolean() }),
  answer: { status: 202, description: 'Noted.', contentType: 'application/json', schema: z.strictObject({ noted: z.literal(true) }) },
  handle: async (call) => {
    if (!(await mayReport(call))) return problemAnswer(ACCESS_PROBLEMS.access_forbidden)
    await call.server.agents.heartbeat(call.parameters.agent, call.body.healthy)
    return { status: 202, json: { noted: true } }
  },
})

const stop = defineRoute({
  id: 'stopAgent', method: 'POST', path: '/agents/{agent}/stop', kinds: WORKING, summary: 'End an agent at once, with its process and its licence.',
  parameters: OfAgent, query: NONE, body: Why,
  answer: { status: 200, description: 'It is offline.', contentType: 'application/json', schema: z.strictObject({ stopped: z.literal(true) }) },
  handle: ({ server, principal, parameters, body }) => acted(server, principal, { act: 'stop_agent', object: parameters.agent, reason: body.reason }, async () => {
    if (!(await server.agents.stop(parameters.agent))) throw notKept(parameters.agent)
    return { status: 200, json: { stopped: true } }
  }),
})

const drain = defineRoute({
  id: 'drainAgent', method: 'POST', path: '/agents/{agent}/drain', kinds: WORKING, summary: 'Give an agent no new message, and end it when its last answer is out, or after server.drain.',
  parameters: OfAgent, query: NONE, body: Why,
  answer: { status: 202, description: 'It gets no new message.', contentType: 'application/json', schema: z.strictObject({ draining: z.literal(true) }) },
  handle: ({ server, principal, parameters, body }) => acted(server, principal, { act: 'drain_agent', object: parameters.agent, reason: body.reason }, async () => {
    if (!(await server.agents.drain(parameters.agent, drainMs(server.settings)))) throw notKept(parameters.agent)
    return { status: 202, json: { draining: true } }
  }),
})

/** The names of A2A 1.0 for JSON-RPC, and those of the versions before it. */
const MODES = { SendMessage: 'send', 'message/send': 'send', SendStreamingMessage: 'stream', 'message/stream': 'stream' } as const

const message = defineRoute({
  id: 'messageAgent', method: 'POST', path: '/agents/{agent}/messages', kinds: WORKING, once: true,
  summary: 'Ask an agent something, by A2A. The answer is that of an agent that has proven who it is and could still be asked when it was given; otherwise 503 no_ready_agent with the reason, or 409 if it was stopped.',
  parameters: OfAgent, query: NONE,
  body: z.strictObject({ jsonrpc: z.literal('2.0'), id: z.union([z.string().max(200), z.int()]), method: z.enum(['SendMessage', 'message/send', 'SendStreamingMessage', 'message/stream']), params: z.looseObject({ message: z.looseObject({}) }) }),
  answer: { status: 200, description: 'A JSON-RPC answer; for a stream, Server-Sent Events, cut off if the agent fails meanwhile.', contentType: 'application/json', schema: z.looseObject({ jsonrpc: z.literal('2.0') }) },
  handle: async ({ server, parameters, body, request }) => {
    // Only the client ends it: a server that ends lets answers finish within its limit.
    const conversed = await server.agents.message(parameters.agent, { mode: MODES[body.method], id: body.id, params: body.params, ended: request.signal })
    if (!conversed.ok) return problemAnswer(problemOfRefusal(conversed.refusal))
    return { status: 200, stream: ReadableStream.from(conversed.body), contentType: MODES[body.method] === 'stream' ? 'text/event-stream' : 'application/json', headers: { 'x-portcullis-generation': String(conversed.generation) } }
  },
})

async function mayReport({ server, principal, parameters }: Call<z.infer<typeof OfAgent>, unknown, unknown>): Promise<boolean> {
  return principal !== undefined && (await server.agents.mayReportFor(principal, parameters.agent))
}

function begun(answer: Begun): Answer {
  if (answer.ok) {
    const { runId, generation, access } = answer
    return { status: 202, json: { run_id: runId, generation, access: access === null ? null : { token: access.token, base_url: access.baseUrl, expires_at: access.expiresAt } } }
  }
  const { reason, found } = answer
  return problemAnswer(problemOfRefusal({ reason, message: `The agent was not started: ${found}`, asked: 'a new generation of the agent', found, remedy: 'Mend what was found, and start it again. GET /agents/{agent} shows what is stored of it.' }))
}

const notKept = (agent: string): PortcullisError => new PortcullisError('nothing_stored', { asked: `agent ${agent}, which this server keeps`, found: 'none of that name that is not over', remedy: 'GET /agents lists them.' })

export const agentRoutes = [list, show, start, restart, wake, register, heartbeat, stop, drain, message]
