import * as z from 'zod'
import { accessRowOf, endToken, giveToken } from '../../app/access.ts'
import { instantOf } from '../../app/instant.ts'
import { createToken, listTokens, renewToken, revokeToken } from '../../app/wire.ts'
import { AccessDecision, AccessToken, GIVEN_KINDS } from '../../contract/access.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { problemAnswer } from '../answer.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { problemOfRefusal } from '../problem.ts'
import { acted, Reason } from './acts.ts'
import { defineRoute, NONE, RULING } from '../route.ts'

const Word = z.string().min(1).max(200)
const Expires = z.string().min(2).max(40).describe('A duration or an instant, as in 8h or 2027-06-01T00:00:00Z.')

const AccessRow = AccessToken.extend({ state: z.enum(['live', 'expired', 'revoked']) })
const RunRow = z.strictObject({ runId: RunId, profile: z.string(), purpose: z.string(), expiresAt: z.string(), state: z.enum(['live', 'expired', 'revoked', 'closed']), calls: z.int() })

const list = defineRoute({
  id: 'listTokens', method: 'GET', path: '/tokens', kinds: RULING, summary: 'Every token ever given, newest first; never the token itself.',
  parameters: NONE, query: NONE, body: NONE,
  answer: { status: 200, description: 'Access tokens, and tokens of runs by their runs.', contentType: 'application/json', schema: z.strictObject({ access: z.array(AccessRow), runs: z.array(RunRow) }) },
  handle: async ({ server }) => {
    const now = server.options.clock()
    return { status: 200, json: { access: (await server.store.tokens()).map((token) => accessRowOf(token, now)), runs: await listTokens(server.options) } }
  },
})

const create = defineRoute({
  id: 'createToken', method: 'POST', path: '/tokens', kinds: RULING, summary: 'Give a token. It is shown once; kind run takes a profile through catalog, admission and health first.',
  parameters: NONE, query: NONE, once: true,
  body: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(GIVEN_KINDS), name: Name.describe('Who holds it.'), expires: Expires }),
    z.strictObject({ kind: z.literal('run'), profile: Word, purpose: Word, expires: Expires }),
  ]),
  answer: { status: 201, description: 'The token, this once.', contentType: 'application/json', schema: z.looseObject({ token: z.string(), expires_at: z.iso.datetime() }) },
  handle: async ({ server, body }) => {
    if (body.kind === 'run') {
      const answer = await createToken(server.options, body)
      if (!answer.ok) return problemAnswer(problemOfRefusal(answer.refusal))
      return { status: 201, json: { token: answer.token, run_id: answer.runId, pair: answer.pair, dialect: answer.dialect, expires_at: answer.expiresAt } }
    }
    const now = server.options.clock()
    const { token, stored } = await giveToken(server.store, { kind: body.kind, name: body.name, expiresAt: instantOf(body.expires, now), now })
    return { status: 201, json: { token, id: stored.id, kind: stored.kind, name: stored.name, expires_at: stored.expiresAt } }
  },
})

const OfToken = z.strictObject({ token: z.union([AccessToken.shape.id, RunId]).describe('The id of an access token, or the run of a run token.') })

const revoke = defineRoute({
  id: 'revokeToken', method: 'POST', path: '/tokens/{token}/revoke', kinds: RULING, summary: 'End a token: it opens nothing from the next request on.',
  parameters: OfToken, query: NONE, body: z.strictObject({ reason: Reason }),
  answer: { status: 200, description: 'It is revoked; `changed` is false if it had ended before.', contentType: 'application/json', schema: z.strictObject({ id: z.string(), revoked: z.literal(true), changed: z.boolean() }) },
  handle: ({ server, principal, parameters: { token: id }, body }) => acted(server, principal, { act: 'revoke_token', object: id, reason: body.reason }, async () => {
    const changed = id.startsWith('tok_') ? await endToken(server.store, id, server.options.clock()) : await revokeToken(server.options, id)
    return { status: 200, json: { id, revoked: true, changed } }
  }),
})

const renew = defineRoute({
  id: 'renewToken', method: 'POST', path: '/tokens/{token}/renew', kinds: RULING, summary: 'A new token for a run, shown once; the old one opens nothing from the next second on.',
  parameters: z.strictObject({ token: RunId }), query: NONE, body: z.strictObject({ expires: Expires }), once: true,
  answer: { status: 201, description: 'The token, this once.', contentType: 'application/json', schema: z.strictObject({ run_id: RunId, token: z.string(), generation: z.int(), expires_at: z.iso.datetime() }) },
  handle: async ({ server, parameters, body }) => {
    const renewed = await renewToken(server.options, parameters.token, body.expires)
    return { status: 201, json: { run_id: parameters.token, token: renewed.token, generation: renewed.epoch, expires_at: renewed.expiresAt } }
  },
})

const decisions = defineRoute({
  id: 'listAccess', method: 'GET', path: '/access', kinds: RULING, summary: 'Every decision about access, in the order in which they were made.',
  parameters: NONE, query: z.strictObject({ cursor: Cursor.optional(), limit: Limit.optional(), newest: z.literal('true').optional().describe('The last ones, newest first, and no further page.') }), body: NONE,
  answer: { status: 200, description: 'A page of decisions.', contentType: 'application/json', schema: z.strictObject({ decisions: z.array(AccessDecision.extend({ position: z.int() })), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const limit = pageSize(query.limit)
    if (query.newest !== undefined) return { status: 200, json: { decisions: await server.store.newestDecisions(limit), next: null } }
    const rows = await server.store.decisionsAfter(Number(query.cursor ?? 0), limit)
    return { status: 200, json: { decisions: rows, next: rows.length === limit ? String(rows.at(-1)?.position) : null } }
  },
})

export const tokenRoutes = [list, create, revoke, renew, decisions]
