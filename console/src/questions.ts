import { queryOptions } from '@tanstack/react-query'
import { get, getText } from './api.ts'

const PAGE = 500
const DAY_HOURS = 24
export const SOON_DAYS = 7

/** Every question the console asks, with the key under which its answer is kept. */
export const self = queryOptions({ queryKey: ['self'], queryFn: ({ signal }) => get('self', '/self', signal) })
export const overview = queryOptions({ queryKey: ['overview'], queryFn: ({ signal }) => get('showOverview', `/overview?hours=${DAY_HOURS}`, signal) })
export const runs = queryOptions({ queryKey: ['runs'], queryFn: ({ signal }) => allRuns(signal) })
export const run = (id: string) => queryOptions({ queryKey: ['run', id, 'view'], queryFn: ({ signal }) => get('showRun', `/runs/${id}`, signal) })
export const verdicts = (id: string) => queryOptions({ queryKey: ['run', id, 'verdicts'], queryFn: ({ signal }) => get('listVerdicts', `/runs/${id}/verdicts`, signal) })
export const report = (id: string) => queryOptions({ queryKey: ['run', id, 'report'], queryFn: ({ signal }) => get('showReport', `/runs/${id}/report`, signal) })
export const calls = (id: string) => queryOptions({ queryKey: ['run', id, 'calls'], queryFn: ({ signal }) => allCalls(id, signal) })
export const patch = (id: string) => queryOptions({ queryKey: ['run', id, 'patch'], queryFn: ({ signal }) => getText(`/runs/${id}/patch`, signal) })
export const admissions = queryOptions({ queryKey: ['admissions'], queryFn: ({ signal }) => get('listAdmissions', `/admissions?soon_days=${SOON_DAYS}`, signal) })
export const profiles = queryOptions({ queryKey: ['profiles'], queryFn: ({ signal }) => get('showMatrix', '/matrix', signal) })
export const tokens = queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => get('listTokens', '/tokens', signal) })
export const access = queryOptions({ queryKey: ['access'], queryFn: ({ signal }) => get('listAccess', '/access?newest=true&limit=100', signal) })
export const keys = queryOptions({ queryKey: ['keys'], queryFn: ({ signal }) => get('listKeys', '/keys', signal) })

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
