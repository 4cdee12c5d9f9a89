import * as z from 'zod'
import type { App, AppOptions } from '../app.ts'
import { resolve } from '../app.ts'
import { listAgents } from '../app/fleet.ts'
import type { Outcome, Ticket } from '../app/tickets.ts'
import type { AgentDesk } from '../app/agent-desk.ts'
import type { RunDesk } from '../app/run-desk.ts'
import type { AccessKind } from '../contract/access.ts'
import { ERROR_TABLE, PortcullisError } from '../contract/errors.ts'
import { RunId } from '../contract/ids.ts'

/** What the tools act on: the app of this process, and the runs it carries. */
export interface ToolHost {
  readonly options: AppOptions
  readonly app: App
  readonly runs: RunDesk
  /** Undefined where this process keeps none: they can be looked at, and not asked. */
  readonly agents: AgentDesk | undefined
  /** The connection of a live session, by the token that this very request showed; undefined for everybody else. */
  readonly connection: SessionConnection | undefined
}

/** What the session of a connection may do: complete its own turn, and nothing else. */
export interface SessionConnection {
  turn(): Promise<{ readonly ticket: string; readonly nonce: string } | undefined>
  complete(said: unknown): Promise<Outcome<Ticket>>
}

/** What a tool answers. `blocked`: it is no success, whatever the words; the structured part says why. */
export interface ToolAnswer {
  readonly blocked: boolean
  readonly text: string
  readonly structured: Readonly<Record<string, unknown>>
}

export interface Tool {
  readonly name: string
  readonly description: string
  /** Whose token may call it; for anybody else it is not there. */
  readonly kinds: readonly AccessKind[]
  readonly changes: boolean
  readonly input: z.ZodObject
  call(host: ToolHost, asked: unknown): Promise<ToolAnswer>
}

const LOOKING = ['admin', 'operator', 'reader'] as const satisfies readonly AccessKind[]
const WORKING = ['admin', 'operator'] as const satisfies readonly AccessKind[]
/** The session of a ticket, by its own token. */
const OF_SESSIONS = ['run'] as const satisfies readonly AccessKind[]

function defineTool<Input extends z.ZodObject>(declared: Omit<Tool, 'input' | 'call'> & { readonly input: Input; act(host: ToolHost, asked: z.infer<Input>): Promise<ToolAnswer> }): Tool {
  const { name, description, kinds, changes, input } = declared
  return { name, description, kinds, changes, input, call: (host, asked) => declared.act(host, input.parse(asked)).catch((error: unknown) => faultOf(error)) }
}

/** A fault is no answer of a gate: it says what was asked, found and what to do. Of one that is not ours nothing is told. */
function faultOf(error: unknown): ToolAnswer {
  const { code, asked, found, remedy } = error instanceof PortcullisError ? error : new PortcullisError('unexpected', { asked: 'an answer', found: 'a fault of the server', remedy: 'See its log, and report it.' })
  const { title } = ERROR_TABLE[code]
  return { blocked: true, text: `${title}. asked: ${asked}; found: ${found}; do: ${remedy}`, structured: { fault: { code, title, asked, found, remedy } } }
}

const Word = z.string().min(1).max(200)

const run = defineTool({
  name: 'portcullis_run', changes: true, kinds: WORKING,
  description: 'Take one task through every gate, and wait until it has ended. Only status "pass" means that the work was accepted.',
  input: z.strictObject({ task: z.string().min(1).max(1_000).describe('The task file, below the directory of portcullis.yaml.'), profile: Word.optional(), purpose: Word.optional() }),
  act: async (host, { task, profile, purpose }) => {
    const runId = await host.runs.start({ task, profile, purpose, backend: undefined, admissionFile: undefined })
    return endingOf(host, runId)
  },
})

const resume = defineTool({
  name: 'portcullis_resume_run', changes: true, kinds: WORKING,
  description: 'Take a run up that was interrupted or waits, through the same gate, and wait until it has ended or waits again. Only status "pass" means that the work was accepted.',
  input: z.strictObject({ run: RunId }),
  act: async (host, { run: runId }) => {
    await host.runs.resume(runId)
    return endingOf(host, runId)
  },
})

async function endingOf(host: ToolHost, runId: string): Promise<ToolAnswer> {
  const ending = await host.runs.ended(runId)
  if ('fault' in ending) throw ending.fault
  const { report, json } = ending.answer
  const verdict = report.gates.findLast((gate) => gate.outcome !== 'pass') ?? report.gates.at(-1) ?? null
  return { blocked: report.status !== 'pass', text: json, structured: { run_id: report.run_id, status: report.status, reason: report.reason, exit_code: ending.answer.exitCode, verdict, refusal: report.refusal, evidence: report.runtime_probe_evidence } }
}

const resolution = defineTool({
  name: 'portcullis_resolve', changes: false, kinds: LOOKING,
  description: 'Which exact provider and model a profile means, for a purpose, and whether it may be used for it.',
  input: z.strictObject({ profile: Word, purpose: Word }),
  act: async ({ options }, asked) => {
    const answer = resolve(options, asked)
    return answer.ok ? { blocked: false, text: answer.triple, structured: { triple: answer.triple, resolution: answer.value } } : { blocked: true, text: `${answer.refusal.reason}: ${answer.refusal.message}`, structured: { verdict: { outcome: 'block', ...answer.refusal } } }
  },
})

const probe = defineTool({
  name: 'portcullis_probe', changes: true, kinds: WORKING,
  description: 'Make a real model call for each profile, through the wire, and judge the answer.',
  input: z.strictObject({ profiles: z.array(Word).min(1).max(20) }),
  act: async ({ app }, { profiles }) => {
    const { records, exitCode } = await app.probe({ profiles, cancelled: new AbortController().signal }, () => undefined)
    return { blocked: exitCode !== 0, text: records.map(({ profile, healthy, message }) => `${profile}: ${healthy ? 'healthy' : 'not healthy'}. ${message}`).join('\n'), structured: { probes: records } }
  },
})

const show = defineTool({
  name: 'portcullis_show_run', changes: false, kinds: LOOKING,
  description: 'The report of a run, rendered from the ledger: the same bytes that every surface gives.',
  input: z.strictObject({ run: RunId }),
  act: async ({ app }, { run: runId }) => {
    const answer = await app.report(runId, { write: false })
    if (!answer.ok) return { blocked: true, text: `${answer.refusal.reason}: ${answer.refusal.message}`, structured: { verdict: { outcome: 'block', ...answer.refusal } } }
    return { blocked: false, text: answer.json, structured: { run_id: runId } }
  },
})

const evidence = defineTool({
  name: 'portcullis_run_evidence', changes: false, kinds: LOOKING,
  description: 'Read a run again, recompute every digest, verdict and file, and give its trace: what happened, in order.',
  input: z.strictObject({ run: RunId }),
  act: async ({ app }, { run: runId }) => {
    const { problems, state, rows, verdicts, files, remedy } = await app.verify({ what: runId, keys: [], anchors: [], anchorNotes: [], rowsOnly: false, accepted: false })
    const structured = { run_id: runId, verified: problems.length === 0, state, rows, verdicts, files, problems }
    if (problems.length > 0) return { blocked: true, text: `${runId} does not verify. ${remedy}`, structured }
    const answer = await app.report(runId, { write: false })
    return { blocked: !answer.ok, text: answer.ok ? answer.trace : answer.refusal.message, structured }
  },
})

const agents = defineTool({
  name: 'portcullis_list_agents', changes: false, kinds: LOOKING,
  description: 'Every agent that lives on: who it must be beside who was seen, and whether it may be asked now.',
  input: z.strictObject({}),
  act: async (host) => {
    const fleet = await (host.agents?.list() ?? listAgents(host.options))
    const text = fleet.agents.map(({ name, state, reason, routable }) => `${name}: ${state ?? 'not started'}${reason === null ? '' : ` (${reason})`}, ${routable ? 'may be asked' : 'may not be asked'}`).join('\n')
    return { blocked: false, text: text === '' ? 'no agents' : text, structured: { ...fleet } }
  },
})

const ask = defineTool({
  name: 'portcullis_ask_agent', changes: true, kinds: WORKING,
  description: 'Ask an agent something. Only one that has proven who it is answers; otherwise this says why nobody does.',
  input: z.strictObject({ agent: Word, text: z.string().min(1).max(100_000) }),
  act: async (host, { agent, text }) => {
    if (host.agents === undefined) throw new PortcullisError('usage', { asked: 'an agent that this process keeps', found: 'a process that keeps none', remedy: 'Ask the server: its tools are under /mcp.' })
    const params = { message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }] } }
    const conversed = await host.agents.message(agent, { mode: 'send', id: 1, params, ended: new AbortController().signal })
    if (!conversed.ok) return { blocked: true, text: `${conversed.refusal.reason}: ${conversed.refusal.message} ${conversed.refusal.found}`, structured: { verdict: { outcome: 'block', ...conversed.refusal } } }
    const chunks: Uint8Array[] = []
    for await (const chunk of conversed.body) chunks.push(chunk)
    return { blocked: false, text: Buffer.concat(chunks).toString('utf8'), structured: { agent: conversed.agent, generation: conversed.generation } }
  },
})

const NO_CONNECTION = { blocked: true, text: 'stale_signal: this connection belongs to no session with an open turn.', structured: { verdict: { outcome: 'block', reason: 'stale_signal' } } } as const

const turn = defineTool({
  name: 'ticket_turn', changes: false, kinds: OF_SESSIONS,
  description: 'The ticket of your current turn, and the nonce with which complete_ticket ends it. It holds for this turn alone.',
  input: z.strictObject({}),
  act: async ({ connection }) => {
    const open = await connection?.turn()
    return open === undefined ? NO_CONNECTION : { blocked: false, text: `ticket ${open.ticket}, nonce ${open.nonce}`, structured: { ...open } }
  },
})

const complete = defineTool({
  name: 'complete_ticket', changes: true, kinds: OF_SESSIONS,
  description: 'Say how your turn ends, once: DONE when code was changed, REVIEW when there is an answer to look at, QUESTION when you cannot go on without one. Ask ticket_turn for the nonce first.',
  // What is sent is judged whole by the gate, so that what is wrong with it is refused and told there.
  input: z.looseObject({ signal: z.unknown(), ticket: z.unknown(), nonce: z.unknown(), payload: z.unknown().describe('One sentence: what was done, or what you ask.') }),
  act: async ({ connection }, said) => {
    if (connection === undefined) return NO_CONNECTION
    const outcome = await connection.complete(said)
    if (!outcome.ok) return { blocked: true, text: `${outcome.refusal.reason}: ${outcome.refusal.found}. ${outcome.refusal.remedy}`, structured: { verdict: { outcome: 'block', ...outcome.refusal } } }
    return { blocked: false, text: `${outcome.value.id} is ${outcome.value.state}`, structured: { ticket: outcome.value.id, state: outcome.value.state } }
  },
})

/** Every tool there is. One that no row names to a kind is not there for it. */
export const TOOLS: readonly Tool[] = [run, resume, resolution, probe, show, evidence, agents, ask, turn, complete]
