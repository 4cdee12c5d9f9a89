import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import { type Answers, get, getText } from './api.ts'

const PAGE = 500
const ACTS = 50
const RUNNING_MS = 1_000
/** What a session prints and counts between its turns is no event of the ledger. */
const SESSION_MS = 2_000
const DAY_HOURS = 24
export const SOON_DAYS = 7

/** Every question the console asks, with the key under which its answer is kept. */
export const self = queryOptions({ queryKey: ['self'], queryFn: ({ signal }) => get('self', '/self', signal) })
export const overview = queryOptions({ queryKey: ['overview'], queryFn: ({ signal }) => get('showOverview', `/overview?hours=${DAY_HOURS}`, signal) })
/** Kept as they are by the events of the ledger, row by row; a connection that was lost has all of them asked again. */
export const runs = queryOptions({ queryKey: ['runs'], queryFn: ({ signal }) => allRuns(signal), staleTime: Infinity })
export const run = (id: string) => queryOptions({ queryKey: ['run', id, 'view'], queryFn: ({ signal }) => get('showRun', `/runs/${id}`, signal) })
export const verdicts = (id: string) => queryOptions({ queryKey: ['run', id, 'verdicts'], queryFn: ({ signal }) => get('listVerdicts', `/runs/${id}/verdicts`, signal) })
export const report = (id: string) => queryOptions({ queryKey: ['run', id, 'report'], queryFn: ({ signal }) => get('showReport', `/runs/${id}/report`, signal) })
export const calls = (id: string) => queryOptions({ queryKey: ['run', id, 'calls'], queryFn: ({ signal }) => allCalls(id, signal) })
export const patch = (id: string) => queryOptions({ queryKey: ['run', id, 'patch'], queryFn: ({ signal }) => getText(`/runs/${id}/patch`, signal) })
export const pictures = (id: string) => queryOptions({ queryKey: ['run', id, 'pictures'], queryFn: ({ signal }) => get('listPictures', `/runs/${id}/pictures`, signal) })
export const probeOutputs = (id: string) => queryOptions({ queryKey: ['run', id, 'probes'], queryFn: ({ signal }) => get('listProbeOutputs', `/runs/${id}/probes`, signal) })
export const admissions = queryOptions({ queryKey: ['admissions'], queryFn: ({ signal }) => get('listAdmissions', `/admissions?soon_days=${SOON_DAYS}`, signal) })
export const profiles = queryOptions({ queryKey: ['profiles'], queryFn: ({ signal }) => get('showMatrix', '/matrix', signal) })
export const aliases = queryOptions({ queryKey: ['aliases'], queryFn: ({ signal }) => get('listAliases', '/aliases', signal) })
export const tokens = queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => get('listTokens', '/tokens', signal) })
export const access = queryOptions({ queryKey: ['access'], queryFn: ({ signal }) => get('listAccess', '/access?newest=true&limit=100', signal) })
export const keys = queryOptions({ queryKey: ['keys'], queryFn: ({ signal }) => get('listKeys', '/keys', signal) })

export const health = queryOptions({ queryKey: ['health'], queryFn: ({ signal }) => get('listProfiles', '/profiles', signal) })
export const acts = infiniteQueryOptions({
  queryKey: ['acts'], initialPageParam: '', getNextPageParam: ({ next }: Answers['listActs']) => next,
  queryFn: ({ signal, pageParam }) => get('listActs', `/acts?limit=${ACTS}${pageParam === '' ? '' : `&cursor=${pageParam}`}`, signal),
})
export const agents = queryOptions({ queryKey: ['agents'], queryFn: ({ signal }) => get('listAgents', '/agents', signal) })
export const agent = (name: string) => queryOptions({ queryKey: ['agents', name], queryFn: ({ signal }) => get('showAgent', `/agents/${encodeURIComponent(name)}`, signal) })
export const drill = queryOptions({ queryKey: ['drill'], queryFn: ({ signal }) => get('showDrill', '/drill', signal), refetchInterval: ({ state }) => (state.data?.running == null ? false : RUNNING_MS) })
export const doctor = queryOptions({ queryKey: ['doctor'], queryFn: ({ signal }) => get('showDoctor', '/doctor', signal) })
export const tickets = queryOptions({ queryKey: ['tickets'], queryFn: ({ client, signal }) => allTickets(client, signal), staleTime: Infinity })
export const ticket = (id: string) => queryOptions({ queryKey: ['ticket', id, 'view'], queryFn: ({ signal }) => get('showTicket', `/tickets/${id}`, signal) })
export const ticketEvents = (id: string) => queryOptions({ queryKey: ['ticket', id, 'events'], queryFn: ({ signal }) => allEvents(id, signal) })
export const session = (id: string) => queryOptions({ queryKey: ['ticket', id, 'session'], queryFn: ({ signal }) => get('showTicketSession', `/tickets/${id}/session`, signal), refetchInterval: ({ state }) => (state.data?.attached === true ? SESSION_MS : false) })
export const turns = (id: string) => queryOptions({ queryKey: ['ticket', id, 'turns'], queryFn: ({ signal }) => get('listTicketTurns', `/tickets/${id}/turns`, signal) })
export const transcript = (id: string) => queryOptions({ queryKey: ['ticket', id, 'transcript'], queryFn: ({ signal }) => get('showTicketTranscript', `/tickets/${id}/session/transcript`, signal), refetchInterval: SESSION_MS })
/** The tickets that a person must look at: of thousands, only the newest of the states in which one may wait for somebody are asked for, and `more` says where that was not all. */
export const waitingTickets = queryOptions({
  queryKey: ['waiting-tickets'],
  queryFn: async ({ signal }) => {
    const pages = await Promise.all((['question', 'blocked', 'review', 'triage'] as const).map(async (state) => ({ state, page: await get('showTicketBoard', `/tickets/board?state=${state}&limit=${PAGE}`, signal) })))
    return { rows: pages.flatMap(({ page }) => page.tickets.filter(({ next_action }) => next_action.code === 'operator')), more: pages.flatMap(({ state, page }) => (page.next === null ? [] : [state])) }
  },
})

export type TicketRow = Answers['showTicketBoard']['tickets'][number]
export type TicketEvent = Answers['listTicketEvents']['events'][number]
export type Run = Awaited<ReturnType<typeof allRuns>>[number]
export type Call = Awaited<ReturnType<typeof allCalls>>[number]

async function allRuns(signal: AbortSignal) {
  const first = await get('listRuns', `/runs?limit=${PAGE}`, signal)
  const rows = [...first.runs]
  for (let { next } = first; next !== null;) {
    const page = await get('listRuns', `/runs?limit=${PAGE}&cursor=${next}`, signal)
    rows.push(...page.runs)
    next = page.next
  }
  return rows
}

async function allCalls(id: string, signal: AbortSignal) {
  const first = await get('listCalls', `/calls?run=${id}&limit=${PAGE}`, signal)
  const rows = [...first.calls]
  for (let { next } = first; next !== null;) {
    const page = await get('listCalls', `/calls?run=${id}&limit=${PAGE}&cursor=${next}`, signal)
    rows.push(...page.calls)
    next = page.next
  }
  return rows
}

/** The first page is shown at once; of the others each as it comes, so that ten thousand tickets keep nobody waiting. */
async function allTickets(client: QueryClient, signal: AbortSignal): Promise<readonly TicketRow[]> {
  const first = await get('showTicketBoard', `/tickets/board?limit=${PAGE}`, signal)
  const rows: TicketRow[] = [...first.tickets]
  const before = client.getQueryData<readonly TicketRow[]>(['tickets'])
  for (let { next } = first; next !== null;) {
    if (before === undefined) client.setQueryData(['tickets'], [...rows])
    const page = await get('showTicketBoard', `/tickets/board?limit=${PAGE}&cursor=${next}`, signal)
    rows.push(...page.tickets)
    next = page.next
  }
  return rows
}

async function allEvents(id: string, signal: AbortSignal): Promise<readonly TicketEvent[]> {
  const first = await get('listTicketEvents', `/tickets/${id}/events?limit=${PAGE}`, signal)
  const rows = [...first.events]
  for (let { next } = first; next !== null;) {
    const page = await get('listTicketEvents', `/tickets/${id}/events?limit=${PAGE}&cursor=${next}`, signal)
    rows.push(...page.events)
    next = page.next
  }
  return rows
}
