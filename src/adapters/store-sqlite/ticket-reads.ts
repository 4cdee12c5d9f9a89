import { type Kysely, type Selectable, sql } from 'kysely'
import * as z from 'zod'
import { RunEvent, type TicketStore } from '../../engine/index.ts'
import { QueuedMessage, Ticket, TicketEvent, TicketSession, TicketTurn } from '../../gates/dispatch/index.ts'
import type { Tables } from './schema.ts'

type Guard = <Result>(operation: string, action: () => Promise<Result>) => Promise<Result>

/** So many are looked at where a page is asked for without end. */
const MOST_TURNS = 10_000

/** Tickets as this store has them. `guarded` turns what SQLite throws into a fault of ours. */
export function ticketStore(database: Kysely<Tables>, guarded: Guard): TicketStore {
  const turns = (): ReturnType<typeof turnQuery> => turnQuery(database)
  return {
    find: (id) => guarded('read', async () => ticketOf(await database.selectFrom('ticket').select('body').where('id', '=', id).executeTakeFirst())),
    list: ({ state, project, owner, before, limit }) =>
      guarded('read', async () => {
        let query = database.selectFrom('ticket').select('body').orderBy('number', 'desc').limit(limit)
        if (state !== undefined) query = query.where('state', '=', state)
        if (project !== undefined) query = query.where('project', '=', project)
        if (owner !== undefined) query = query.where('owner', '=', owner)
        if (before !== undefined) query = query.where('number', '<', before)
        return (await query.execute()).flatMap((row) => ticketOf(row) ?? [])
      }),
    nextNumber: () => guarded('read', async () => ((await database.selectFrom('ticket').select('number').orderBy('number', 'desc').limit(1).executeTakeFirst())?.number ?? 0) + 1),
    nextTodo: (now, owners) =>
      guarded('read', async () => {
        let query = database.selectFrom('ticket').select('body').where('state', '=', sql.lit('todo')).where((test) => test.or([test('retry_at', 'is', null), test('retry_at', '<=', now.toISOString())]))
        if (owners !== 'any') query = query.where((test) => test.or([test('owner', 'is', null), test('owner', 'in', [...owners])]))
        return ticketOf(await query.orderBy('priority', 'desc').orderBy('number').limit(1).executeTakeFirst())
      }),
    expiredClaims: (at, most) => guarded('read', async () => (await database.selectFrom('ticket').select('id').where('claimed_until', 'is not', null).where(lapsed(at)).orderBy('claimed_until').limit(most).execute()).map(({ id }) => id)),
    events: (id, after, most) =>
      guarded('read', async () => (await database.selectFrom('ticket_event').innerJoin('entry', 'entry.position', 'ticket_event.position').select('entry.body').where('ticket_event.ticket', '=', id).where('ticket_event.sequence', '>', after).orderBy('ticket_event.sequence').limit(most).execute()).map(({ body }) => ticketEventOf(body))),
    turns: (id) => guarded('read', async () => (await turns().where('ticket', '=', id).orderBy('attempt').limit(MOST_TURNS).execute()).map(turnOf)),
    turnOfKey: (id, key) => guarded('read', async () => (await turns().where('ticket', '=', id).where('key', '=', key).where('state', '<>', 'refused').execute()).map(turnOf)[0]),
    openTurns: () => guarded('read', async () => (await turns().where('state', 'in', ['leased', 'delivered']).orderBy('id').execute()).map(turnOf)),
    sessions: (id) => guarded('read', async () => (await database.selectFrom('ticket_session').select('body').where('ticket', '=', id).orderBy('epoch').execute()).map(sessionOf)),
    session: (sessionId) => guarded('read', async () => (await database.selectFrom('ticket_session').select('body').where('id', '=', sessionId).execute()).map(sessionOf)[0]),
    sessionOfToken: (sha256) => guarded('read', async () => (await database.selectFrom('ticket_session').select('body').where('token_sha256', '=', sha256).execute()).map(sessionOf)[0]),
    messages: (id) => guarded('read', async () => (await database.selectFrom('ticket_message').select('body').where('ticket', '=', id).orderBy('position').execute()).map(({ body }) => QueuedMessage.parse(JSON.parse(body)))),
    unknownEvidence: (id, runs, digests, counts) =>
      guarded('read', async () => {
        const asked = [...digests]
        if (asked.length === 0) return []
        const counted = await runsOf(database, id, runs, counts.runs)
        const rows = await Promise.all([
          counted.length === 0 ? [] : database.selectFrom('entry').select('digest').where('run_id', 'in', counted).where('digest', 'in', asked).execute(),
          ...(counts.claims ? claimsOf(database, id, asked) : []),
        ])
        const known = new Set(rows.flat().map(({ digest }) => digest))
        return asked.filter((digest) => !known.has(digest))
      }),
    unacceptedRuns: (id, runs) =>
      guarded('read', async () => {
        const accepted = new Set(await runsOf(database, id, runs, 'accepted'))
        return runs.filter((run) => !accepted.has(run))
      }),
    attachment: (id, sha256) => guarded('read', async () => (await database.selectFrom('ticket_attachment').select('bytes').where('ticket', '=', id).where('sha256', '=', sha256).executeTakeFirst())?.bytes),
    kindOfActor: (actor) => guarded('read', async () => (await database.selectFrom('ticket_actor').select('kind').where('id', '=', actor).executeTakeFirst())?.kind),
  }
}

/** `hasLapsed`, as the store says it: what it leaves out is never looked at. */
const lapsed = ({ now, moment: { boot, ms } }: Parameters<TicketStore['expiredClaims']>[0]) =>
  sql<boolean>`CASE WHEN json_extract(body, '$.claim.lease') IS NULL THEN claimed_until <= ${now.toISOString()}
    WHEN json_extract(body, '$.claim.lease.boot') = ${boot} AND json_extract(body, '$.claim.lease.ends_ms') - ${ms} <= json_extract(body, '$.claim.lease.length_ms') + 1 THEN json_extract(body, '$.claim.lease.ends_ms') <= ${ms}
    ELSE json_extract(body, '$.claim.lease.length_ms') <= ${ms} END`

/** Those of the runs whose opening, in the chain, names the ticket: a run of something else proves nothing of it, however well it ended. */
async function runsOf(database: Kysely<Tables>, id: string, runs: readonly string[], which: 'accepted' | 'any'): Promise<string[]> {
  if (runs.length === 0) return []
  const opened = database.selectFrom('run').innerJoin('entry', 'entry.run_id', 'run.run_id').select('run.run_id').where('run.run_id', 'in', [...runs]).where('run.kind', '=', 'task').where('entry.kind', '=', 'event')
    .where(sql`json_extract(entry.body, '$.type')`, '=', 'run_opened').where(sql`json_extract(entry.body, '$.data.ticket')`, '=', id)
  return (await (which === 'accepted' ? opened.where('run.state', '=', 'accepted') : opened).execute()).map((row) => row.run_id)
}

/** What was attached to a ticket, and what a person said of it. That it was created or claimed shows nothing. */
const claimsOf = (database: Kysely<Tables>, id: string, asked: readonly string[]): readonly Promise<{ readonly digest: string }[]>[] => [
  database.selectFrom('ticket_event').innerJoin('entry', 'entry.position', 'ticket_event.position').select('entry.digest').where('ticket_event.ticket', '=', id).where('entry.digest', 'in', [...asked])
    .where(sql`json_extract(entry.body, '$.data.kind')`, '=', 'commented').where(sql`json_extract(entry.body, '$.data.actor_kind')`, '=', 'human').where(sql`json_extract(entry.body, '$.data.origin')`, '=', 'observed').execute(),
  database.selectFrom('ticket_attachment').select('sha256 as digest').where('ticket', '=', id).where('sha256', 'in', [...asked]).execute(),
]

const turnQuery = (database: Kysely<Tables>) => database.selectFrom('ticket_turn').select('body')

const ticketOf = (row: Pick<Selectable<Tables['ticket']>, 'body'> | undefined): Ticket | undefined => (row === undefined ? undefined : Ticket.parse(JSON.parse(row.body)))
const turnOf = ({ body }: { readonly body: string }): TicketTurn => TicketTurn.parse(JSON.parse(body))
const sessionOf = ({ body }: { readonly body: string }): TicketSession => TicketSession.parse(JSON.parse(body))

/** What the chain holds of a change: who, what, and as `change` everything that it set. */
const Told = z.object({ ticket: z.string(), sequence: z.number(), kind: z.string(), actor: z.string(), actor_kind: z.string(), holder: z.string(), origin: z.string(), change: z.string() })
const Change = z.object({ text: z.unknown(), data: z.unknown(), set: z.unknown() })

function ticketEventOf(body: string): TicketEvent {
  const { at, data } = RunEvent.parse(JSON.parse(body))
  const { ticket, sequence, kind, actor, actor_kind, holder, origin, change } = Told.parse(data)
  return TicketEvent.parse({ ticket, sequence, kind, at, origin, actor: { id: actor, kind: actor_kind, holder }, ...Change.parse(JSON.parse(change)) })
}
