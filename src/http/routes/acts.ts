import * as z from 'zod'
import { type PersonAct, StoredAct } from '../../app/acts.ts'
import type { Server } from '../../app/serve.ts'
import type { Principal } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { Limit, pageSize } from '../paging.ts'
import { defineRoute, LOOKING, NONE } from '../route.ts'

/** Why somebody does what cannot be taken back. */
export const Reason = z.string().trim().min(1).max(2_000).optional().describe('Why. It stands in the ledger with the name of whoever asks.')

/** Writes down who is about to do what, and why. It is durable before the act: one that nobody could be asked about is not done. */
export async function acted(server: Server, principal: Principal | undefined, { act, object, reason }: Pick<PersonAct, 'act' | 'object'> & { readonly reason: string | undefined }): Promise<void> {
  if (principal === undefined) throw new PortcullisError('access_denied', { asked: `to ${act.replaceAll('_', ' ')}`, found: 'nobody', remedy: 'Send a token.' })
  await server.acts.record({ act, object, reason: reason ?? null, actor: principal.name, kind: principal.kind, holder: principal.id })
}

const list = defineRoute({
  id: 'listActs', method: 'GET', path: '/acts', kinds: LOOKING, summary: 'What people did by the server that cannot be taken back, newest first: who, what, to which object and why.',
  parameters: NONE, query: z.strictObject({ limit: Limit.optional() }), body: NONE,
  answer: { status: 200, description: 'The last ones.', contentType: 'application/json', schema: z.strictObject({ acts: z.array(StoredAct) }) },
  handle: async ({ server, query }) => ({ status: 200, json: { acts: await server.acts.newest(pageSize(query.limit)) } }),
})

export const actRoutes = [list]
