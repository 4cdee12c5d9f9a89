import * as z from 'zod'
import { type PersonAct, StoredAct } from '../../app/acts.ts'
import type { Server } from '../../app/serve.ts'
import type { Principal } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { Cursor, Limit, pageSize } from '../paging.ts'
import { Problem, problemOfFault } from '../problem.ts'
import { type Answer, defineRoute, LOOKING, NONE } from '../route.ts'

/** Why somebody does what cannot be taken back. */
export const Reason = z.string().trim().min(1).max(2_000).optional().describe('Why. It stands in the ledger with the name of whoever asks.')

/**
 * Does what a person asks for, and writes down who, what and why before it, and what came of it after: an act that nobody could
 * be asked about is not done. Throws what `does` throws.
 */
export async function acted(server: Server, principal: Principal | undefined, { act, object, reason }: Pick<PersonAct, 'act' | 'object'> & { readonly reason: string | undefined }, does: (person: Principal) => Promise<Answer>): Promise<Answer> {
  if (principal === undefined) throw new PortcullisError('access_denied', { asked: `to ${act.replaceAll('_', ' ')}`, found: 'nobody', remedy: 'Send a token.' })
  const id = await server.acts.record({ act, object, reason: reason ?? null, actor: principal.name, kind: principal.kind, holder: principal.id })
  const answer = await does(principal).catch(async (error: unknown) => {
    const { status, code } = problemOfFault(error)
    // What stopped it is the answer; that it could not be written down as well is told by the log, and leaves the outcome unknown.
    await server.acts.ended(id, { outcome: status < 500 ? 'refused' : 'failed', code }).catch((fault: unknown) => server.log.error({ part: 'acts', fault: fault instanceof Error ? fault.name : typeof fault }, 'what came of an act could not be stored'))
    throw error
  })
  await server.acts.ended(id, answer.status < 400 ? { outcome: 'done', code: null } : { outcome: answer.status < 500 ? 'refused' : 'failed', code: 'json' in answer ? (Problem.safeParse(answer.json).data?.code ?? null) : null })
  return answer
}

const list = defineRoute({
  id: 'listActs', method: 'GET', path: '/acts', kinds: LOOKING, summary: 'What people did by the server that cannot be taken back, newest first: who, what, to which object and why.',
  parameters: NONE, query: z.strictObject({ cursor: Cursor.optional(), limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'A page of them, with what came of each.', contentType: 'application/json', schema: z.strictObject({ acts: z.array(StoredAct), next: z.string().nullable() }) },
  handle: async ({ server, query }) => {
    const { acts, next } = await server.acts.page({ before: query.cursor === undefined ? undefined : Number(query.cursor), most: pageSize(query.limit) })
    return { status: 200, json: { acts, next: next === null ? null : String(next) } }
  },
})

export const actRoutes = [list]
