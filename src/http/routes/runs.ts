import * as z from 'zod'
import { RunId } from '../../contract/ids.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { pageOfRuns, runOf } from '../../app/pages.ts'
import { storedFile } from '../../app/stored-file.ts'
import { Report, RunSummary } from '../../app/shapes.ts'
import type { Server } from '../../app/serve.ts'
import { problemAnswer } from '../answer.ts'
import { problemOfRefusal } from '../problem.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { acted, Reason } from './acts.ts'
import { type Answer, defineRoute, LOOKING, NONE, WORKING } from '../route.ts'

const OfRun = z.strictObject({ run: RunId })
const Ending = z.strictObject({ exit_code: z.int(), report_path: z.string(), patch: z.string().nullable() })
const RunView = z.strictObject({ run: RunSummary, running: z.boolean().describe('Whether this server carries it now.'), ending: Ending.nullable() })

const list = defineRoute({
  id: 'listRuns', method: 'GET', path: '/runs', kinds: LOOKING, summary: 'The runs of the ledger, newest first.',
  parameters: NONE, query: z.strictObject({ cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of runs.', contentType: 'application/json', schema: z.strictObject({ runs: z.array(RunSummary), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const page = await pageOfRuns(server.ledger, { cursor: query.cursor === undefined ? undefined : Number(query.cursor), limit: pageSize(query.limit) })
    return { status: 200, json: { runs: page.rows, next: page.next } }
  },
})

const Path = z.string().min(1).max(1_000)
const Word = z.string().min(1).max(200)
export const Order = z.strictObject({
  task: Path.describe('The task file, relative to the directory of portcullis.yaml and below it.'),
  profile: Word.optional(),
  purpose: Word.optional(),
  backend: Word.optional(),
  admission: Path.optional().describe('The one admission record that may admit it, in admissions/ beside portcullis.yaml.'),
})

const start = defineRoute({
  id: 'startRun', method: 'POST', path: '/runs', kinds: WORKING, summary: 'Take one task through every gate. Answered once the run is open in the ledger; GET /events tells how it goes on.',
  parameters: NONE, query: NONE, body: Order,
  answer: { status: 202, description: 'The run is open.', contentType: 'application/json', schema: z.strictObject({ run_id: RunId }) },
  handle: async ({ server, body }) => {
    const runId = await server.runs.start({ task: body.task, profile: body.profile, purpose: body.purpose, backend: body.backend, admissionFile: body.admission })
    return { status: 202, json: { run_id: runId }, headers: { location: `/runs/${runId}` } }
  },
})

const show = defineRoute({
  id: 'showRun', method: 'GET', path: '/runs/{run}', kinds: LOOKING, summary: 'Where a run stands.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'The run.', contentType: 'application/json', schema: RunView },
  handle: async ({ server, parameters }) => ({ status: 200, json: { run: await runOf(server.ledger, parameters.run), running: server.runs.isRunning(parameters.run), ending: endingOf(server, parameters.run) } }),
})

/** Only the server that carried a run knows how its command would have ended. A fault of it is thrown on: it is the answer. */
function endingOf(server: Server, runId: string): z.infer<typeof Ending> | null {
  const ending = server.runs.ending(runId)
  if (ending === undefined) return null
  if ('fault' in ending) throw ending.fault
  return { exit_code: ending.answer.exitCode, report_path: server.absolute(ending.answer.reportPath), patch: ending.answer.patch === null ? null : server.absolute(ending.answer.patch) }
}

const cancel = defineRoute({
  id: 'cancelRun', method: 'POST', path: '/runs/{run}/cancel', kinds: WORKING, summary: 'Cancel a run that this server carries. Its agent is ended, and its report says so.',
  parameters: OfRun, query: NONE, body: z.strictObject({ reason: Reason }),
  answer: { status: 202, description: 'It is being ended.', contentType: 'application/json', schema: z.strictObject({ run_id: RunId, cancelled: z.literal(true) }) },
  handle: async ({ server, principal, parameters, body }) => {
    const run = await runOf(server.ledger, parameters.run)
    return acted(server, principal, { act: 'cancel_run', object: parameters.run, reason: body.reason }, async () => {
      if (!server.runs.cancel(parameters.run)) throw new PortcullisError('nothing_stored', { asked: `run ${parameters.run}, which goes on`, found: `a run that is ${run.state} and is not carried by this server`, remedy: 'Only the process that carries a run can cancel it.' })
      return { status: 202, json: { run_id: parameters.run, cancelled: true } }
    })
  },
})

const resume = defineRoute({
  id: 'resumeRun', method: 'POST', path: '/runs/{run}/resume', kinds: WORKING, summary: 'Take a run up that was interrupted or waits, through the same gate. One that has ended is told again, and nothing of it is decided.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 202, description: 'It is taken up, or had ended.', contentType: 'application/json', schema: z.strictObject({ run_id: RunId, resumed: z.boolean().describe('False for a run that had ended.') }) },
  handle: async ({ server, parameters }) => {
    await runOf(server.ledger, parameters.run)
    return { status: 202, json: { run_id: parameters.run, resumed: await server.runs.resume(parameters.run) } }
  },
})

/** One form of the report, rendered from the ledger, so that every surface gives the same bytes (ACC-04). */
async function rendered(server: Server, runId: string, form: 'json' | 'markdown' | 'trace', contentType: string): Promise<Answer> {
  const answer = await server.app.report(runId, { write: false })
  return answer.ok ? { status: 200, bytes: answer[form], contentType } : problemAnswer(problemOfRefusal(answer.refusal))
}

const report = defineRoute({
  id: 'showReport', method: 'GET', path: '/runs/{run}/report', kinds: LOOKING, summary: 'report.json, byte for byte as the run stored it.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'The report.', contentType: 'application/json', schema: Report },
  handle: ({ server, parameters }) => rendered(server, parameters.run, 'json', 'application/json'),
})

const markdown = defineRoute({
  id: 'showReportText', method: 'GET', path: '/runs/{run}/report.md', kinds: LOOKING, summary: 'report.md, byte for byte as the run stored it.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'The report for people.', contentType: 'text/markdown; charset=utf-8' },
  handle: ({ server, parameters }) => rendered(server, parameters.run, 'markdown', 'text/markdown; charset=utf-8'),
})

const trace = defineRoute({
  id: 'showTrace', method: 'GET', path: '/runs/{run}/trace', kinds: LOOKING, summary: 'trace.jsonl, byte for byte as the run stored it.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'What happened, in order, one JSON object a line.', contentType: 'application/jsonl' },
  handle: ({ server, parameters }) => rendered(server, parameters.run, 'trace', 'application/jsonl'),
})

const bundle = defineRoute({
  id: 'showBundle', method: 'GET', path: '/runs/{run}/bundle', kinds: LOOKING, summary: 'run.intoto.jsonl, byte for byte as the run stored it.',
  parameters: OfRun, query: NONE, body: NONE,
  answer: { status: 200, description: 'The attestations of the run.', contentType: 'application/vnd.in-toto+json' },
  handle: async ({ server, parameters }) => {
    await runOf(server.ledger, parameters.run)
    return { status: 200, bytes: storedFile(server.options, parameters.run, 'run.intoto.jsonl'), contentType: 'application/vnd.in-toto+json' }
  },
})

export const runRoutes = [list, start, show, cancel, resume, report, markdown, trace, bundle]
