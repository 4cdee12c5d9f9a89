import * as z from 'zod'
import { RunId } from '../../contract/ids.ts'
import { checkAdmission, listAdmissionRecords } from '../../app/admissions.ts'
import { pageOfCalls } from '../../app/pages.ts'
import { resolve } from '../../app.ts'
import { CallShape, PROBLEM_CODES, ProbedShape, ProfileHealth } from '../../app/shapes.ts'
import { problemAnswer } from '../answer.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { problemOfRefusal } from '../problem.ts'
import { defineRoute, LOOKING, NONE, WORKING } from '../route.ts'

const Word = z.string().min(1).max(200)

const resolution = defineRoute({
  id: 'resolveProfile', method: 'GET', path: '/profiles/{profile}/resolution', kinds: LOOKING, summary: 'Which exact provider and model a profile means, for a purpose.',
  parameters: z.strictObject({ profile: Word }), query: z.strictObject({ purpose: Word }), body: NONE,
  answer: { status: 200, description: 'The resolution.', contentType: 'application/json', schema: z.strictObject({ triple: z.string(), details: z.array(z.tuple([z.string(), z.string()])), resolution: z.looseObject({ allowed: z.literal(true) }) }) },
  handle: async ({ server, parameters, query }) => {
    const answer = resolve(server.options, { profile: parameters.profile, purpose: query.purpose })
    return answer.ok ? { status: 200, json: { triple: answer.triple, details: answer.details, resolution: answer.value } } : problemAnswer(problemOfRefusal(answer.refusal))
  },
})

const profiles = defineRoute({
  id: 'listProfiles', method: 'GET', path: '/profiles', kinds: LOOKING, summary: 'Every profile of the configuration, as its last probe left it. One that has not passed, or whose probe is too old, is not routable.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'The profiles.', contentType: 'application/json', schema: z.strictObject({ profiles: z.array(ProfileHealth) }) },
  handle: async ({ server }) => ({ status: 200, json: { profiles: await server.health.profiles() } }),
})

const probe = defineRoute({
  id: 'probe', method: 'POST', path: '/probes', kinds: WORKING, summary: 'Make a real model call for each profile, through the wire, and judge the answer.',
  parameters: NONE, query: NONE, body: z.strictObject({ profiles: z.union([z.literal('all'), z.array(Word).min(1).max(100)]) }),
  answer: { status: 200, description: 'What each probe found; a profile that is not healthy is an answer as well.', contentType: 'application/json', schema: z.strictObject({ exit_code: z.int(), probes: z.array(ProbedShape) }) },
  handle: async ({ server, body, ended }) => {
    const { records, exitCode } = await server.app.probe({ profiles: body.profiles, cancelled: ended }, () => undefined)
    return { status: 200, json: { exit_code: exitCode, probes: records } }
  },
})

const Verification = z.strictObject({ what: z.literal('run'), run_id: RunId, verified: z.boolean(), state: z.string().nullable(), accepted: z.boolean(), runs: z.int(), rows: z.int(), verdicts: z.int(), files: z.int(), checkpoint: z.strictObject({ size: z.int(), at: z.string() }).nullable(), problems: z.array(z.strictObject({ code: z.enum(PROBLEM_CODES), where: z.string(), found: z.string() })), remedy: z.string(), exit_code: z.int() })

const verification = defineRoute({
  id: 'verifyRun', method: 'GET', path: '/runs/{run}/verification', kinds: LOOKING, summary: 'Read a run again, and recompute every digest, verdict and file.',
  parameters: z.strictObject({ run: RunId }), query: z.strictObject({ accepted: z.literal('true').optional().describe('Count a run that was not accepted as refused, however well it verifies.') }), body: NONE,
  answer: { status: 200, description: 'What was found; `verified` says whether all of it holds.', contentType: 'application/json', schema: Verification },
  handle: async ({ server, parameters, query }) => {
    const { what, runId, state, accepted, runs, rows, verdicts, files, checkpoint, problems, remedy, exitCode } = await server.app.verify({ what: parameters.run, keys: [], anchors: [], anchorNotes: [], rowsOnly: false, accepted: query.accepted === 'true' })
    return { status: 200, json: { what, run_id: runId, verified: problems.length === 0, state, accepted, runs, rows, verdicts, files, checkpoint, problems, remedy, exit_code: exitCode } }
  },
})

const calls = defineRoute({
  id: 'listCalls', method: 'GET', path: '/calls', kinds: LOOKING, summary: 'Model calls, in the order in which they were recorded.',
  parameters: NONE, query: z.strictObject({ run: RunId.optional(), cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of calls; it may be short and yet not be the last.', contentType: 'application/json', schema: z.strictObject({ calls: z.array(CallShape.extend({ run_id: RunId })), next: z.string().nullable(), last: z.string().describe('Where to begin the next look, also behind the last page.') }) },
  handle: async ({ server, query }) => {
    const page = await pageOfCalls(server.ledger, { runId: query.run, cursor: Number(query.cursor ?? 0), limit: pageSize(query.limit) })
    return { status: 200, json: { calls: page.rows.map(({ runId, call }) => ({ run_id: runId, ...call })), next: page.next, last: page.last } }
  },
})

const Days = z.string().regex(/^\d{1,4}$/)
const DAY_MS = 86_400_000

const AdmissionRow = z.strictObject({
  path: z.string(), sha256: z.string().nullable(), pair: z.string().nullable(), status: z.string().nullable(), runtime: z.string().nullable(), stages: z.array(z.string()),
  expiresAt: z.string().nullable(), expiry: z.enum(['expired', 'soon', 'later', 'never']).nullable(), reviewConditions: z.array(z.string()), endpointBound: z.boolean(), problems: z.array(z.string()), notes: z.array(z.string()),
})

const admissions = defineRoute({
  id: 'listAdmissions', method: 'GET', path: '/admissions', kinds: LOOKING, summary: 'The admission records beside the configuration, those that end first at the top.',
  parameters: NONE, query: z.strictObject({ soon_days: Days.describe('How near an end must be to be called soon, in days.') }), body: NONE,
  answer: { status: 200, description: 'The records.', contentType: 'application/json', schema: z.strictObject({ admissions: z.array(AdmissionRow) }) },
  handle: async ({ server, query }) => ({ status: 200, json: { admissions: await listAdmissionRecords(server.options, Number(query.soon_days) * DAY_MS) } }),
})

const admission = defineRoute({
  id: 'checkAdmission', method: 'GET', path: '/profiles/{profile}/admission', kinds: LOOKING, summary: 'What the admission gate says of a profile today.',
  parameters: z.strictObject({ profile: Word }), query: z.strictObject({ purpose: Word }), body: NONE,
  answer: { status: 200, description: 'It admits.', contentType: 'application/json', schema: z.strictObject({ status: z.string(), message: z.string() }) },
  handle: async ({ server, parameters, query }) => {
    const { status, message, refusal } = await checkAdmission(server.options, { profile: parameters.profile, purpose: query.purpose, file: undefined })
    return refusal === null ? { status: 200, json: { status, message } } : problemAnswer({ ...problemOfRefusal(refusal), detail: message })
  },
})

export const questionRoutes = [profiles, resolution, probe, verification, calls, admissions, admission]
