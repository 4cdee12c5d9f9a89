import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { get, renewSession } from './api.ts'
import { rowOf } from './ticket-row.ts'
import { type Connection, follow, type LedgerEvent } from './stream.ts'

const Live = createContext<Connection>({ state: 'connecting' })
export const useConnection = (): Connection => useContext(Live)

/** Keeps what is shown as the ledger is: an event asks again for what it may have changed, a recovered connection for all of it. */
export function LiveProvider({ children, signedOut }: { readonly children: ReactNode; signedOut(): void }): ReactNode {
  const client = useQueryClient()
  const [connection, setConnection] = useState<Connection>({ state: 'connecting' })
  useEffect(() => {
    const ending = new AbortController()
    void follow({
      connection: (next) => (next.state === 'signed-out' ? signedOut() : setConnection(next)),
      changed: (events) => askAgain(client, events),
      renewed: renewSession,
      recovered: () => void client.invalidateQueries(),
    }, ending.signal)
    return () => ending.abort()
  }, [client, signedOut])
  return <Live value={connection}>{children}</Live>
}

/** So many changed rows are asked for one by one; of more the whole list is asked again. */
const MOST_ROWS = 20
const SUMMARIES = ['overview', 'agents', 'waiting-tickets', 'health', 'aliases'] as const
const SUMMARY_MS = 1_000
let summariesAt = 0
let summariesLater: ReturnType<typeof setTimeout> | undefined

function askAgain(client: QueryClient, events: readonly LedgerEvent[]): void {
  const runIds = new Set(events.map((event) => event.data.run_id))
  const ticketIds = new Set(events.flatMap(ticketIn))
  for (const run of runIds) void client.invalidateQueries({ queryKey: ['run', run] })
  for (const ticket of ticketIds) void client.invalidateQueries({ queryKey: ['ticket', ticket] })
  // What changes a ticket stands in the one run of all tickets, which itself stays as it is.
  if (ticketIds.size > 0) for (const event of events) if (ticketIn(event).length > 0) runIds.delete(event.data.run_id)
  void renew(client, ['runs'], [...runIds], async (id) => (await get('showRun', `/runs/${id}`)).run, (run) => run.runId)
  void renew(client, ['tickets'], [...ticketIds], async (id) => rowOf(await get('showTicket', `/tickets/${id}`)), (row) => row.id)
  const types = new Set(events.map(({ type }) => type))
  if (types.has('person_acted') || types.has('act_ended')) void client.invalidateQueries({ queryKey: ['acts'] })
  if (types.has('check_ended')) for (const key of ['drill', 'doctor']) void client.invalidateQueries({ queryKey: [key] })
  askSummaries(client)
}

function ticketIn({ data: { event } }: LedgerEvent): string[] {
  const told = typeof event === 'object' && event !== null && 'data' in event ? event.data : undefined
  return typeof told === 'object' && told !== null && 'ticket' in told && typeof told.ticket === 'string' ? [told.ticket] : []
}

/** The first of many changes is counted at once, those that follow it within a second together. */
function askSummaries(client: QueryClient): void {
  const ask = (): void => {
    summariesAt = Date.now()
    summariesLater = undefined
    for (const key of SUMMARIES) void client.invalidateQueries({ queryKey: [key] })
  }
  if (Date.now() - summariesAt >= SUMMARY_MS) ask()
  else summariesLater ??= setTimeout(ask, SUMMARY_MS)
}

/** Asks for the rows that changed instead of for thousands that did not. What cannot be told so is asked again as a whole. */
async function renew<Row>(client: QueryClient, key: readonly string[], ids: readonly string[], ask: (id: string) => Promise<Row>, idOf: (row: Row) => string): Promise<void> {
  const before = client.getQueryData<readonly Row[]>(key)
  if (ids.length === 0) return
  if (before === undefined || ids.length > MOST_ROWS || client.isFetching({ queryKey: key }) > 0) return client.invalidateQueries({ queryKey: key })
  const rows = await Promise.all(ids.map(ask)).catch(() => undefined)
  if (rows === undefined) return client.invalidateQueries({ queryKey: key })
  client.setQueryData<readonly Row[]>(key, (now) => {
    if (now === undefined) return now
    const changed = new Map(rows.map((row) => [idOf(row), row]))
    const kept = now.map((row) => {
      const found = changed.get(idOf(row))
      changed.delete(idOf(row))
      return found ?? row
    })
    return [...[...changed.values()].reverse(), ...kept]
  })
}
