import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useMemo, useRef } from 'react'
import { type Run, runs } from '../questions.ts'
import { Answer, Choice, Empty, Reason, span, StateMark, Text, When } from '../ui.tsx'

const STATES = ['live', 'waiting', 'stuck', 'accepted', 'blocked', 'failed', 'checked', 'closed', 'recorded'] as const
const KINDS = ['task', 'probe', 'wire', 'review', 'approval', 'agent', 'tickets', 'acts'] as const
export interface RunsSearch { readonly state?: string; readonly kind?: string; readonly text?: string }

/** The filters stand in the address, so that a view can be kept and sent. What is none of them is left out. */
export function runsSearch({ state, kind, text }: Record<string, unknown>): RunsSearch {
  return {
    ...(typeof state === 'string' && (STATES as readonly string[]).includes(state) ? { state } : {}),
    ...(typeof kind === 'string' && (KINDS as readonly string[]).includes(kind) ? { kind } : {}),
    ...(typeof text === 'string' && text !== '' ? { text: text.slice(0, 200) } : {}),
  }
}

function fits(run: Run, { state, kind, text }: RunsSearch): boolean {
  const stateFits = state === undefined || (state === 'live' ? run.endedAt === null : state === 'stuck' ? run.state === 'blocked' || run.state === 'failed' : run.state === state)
  return stateFits && (kind === undefined || run.kind === kind) && (text === undefined || `${run.taskId} ${run.runId} ${run.reason ?? ''}`.toLowerCase().includes(text.toLowerCase()))
}

export function Runs(): ReactNode {
  const search = useSearch({ from: '/runs' })
  const navigate = useNavigate({ from: '/runs' })
  const asked = useQuery(runs)
  const change = (changed: RunsSearch): void => void navigate({ search: (before) => runsSearch({ ...before, ...changed }), replace: true })
  return (
    <div className="page fill">
      <div className="filters">
        <h1>Runs</h1>
        <input type="search" aria-label="Search runs" placeholder="task, id or reason" value={search.text ?? ''} onChange={(event) => change({ text: event.target.value })} />
        <Choice label="State" value={search.state} options={STATES} choose={(state) => change({ state })} />
        <Choice label="Kind" value={search.kind} options={KINDS} choose={(kind) => change({ kind })} />
      </div>
      <Answer of={asked} rows={12}>{(all) => (
        <>
          {!all.some(({ kind }) => kind === 'task') && <Empty what="No task has run yet." first={<>Take one through the gates: <code>npx portcullis run task.yaml</code></>} />}
          {all.length > 0 && <Table all={all} search={search} />}
        </>
      )}</Answer>
    </div>
  )
}

const ROW_PIXELS = 34

function Table({ all, search }: { readonly all: readonly Run[]; readonly search: RunsSearch }): ReactNode {
  const rows = useMemo(() => all.filter((run) => fits(run, search)), [all, search])
  const place = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => place.current, estimateSize: () => ROW_PIXELS, overscan: 12 })
  if (rows.length === 0) return <Empty what="No run fits these filters." first="Choose another state or kind, or search for something else." />
  return (
    <>
      <p className="soft lead" role="status">{rows.length.toLocaleString('en')} of {all.length.toLocaleString('en')}</p>
      <div className="rows" ref={place} tabIndex={0} role="group" aria-label="Runs">
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => {
            const run = rows[index]
            return run === undefined ? null : <li key={run.runId} style={{ transform: `translateY(${start}px)`, height: size }}><Row run={run} /></li>
          })}
        </ul>
      </div>
    </>
  )
}

function Row({ run }: { readonly run: Run }): ReactNode {
  return (
    <Link to="/runs/$run" params={{ run: run.runId }} data-row>
      <StateMark state={run.state} />
      <span className="grow"><Text>{run.taskId}</Text></span>
      <Reason code={run.reason} />
      <span className="soft wide">{run.kind}</span>
      <span className="soft wide number">{run.endedAt === null ? 'goes on' : span(Date.parse(run.endedAt) - Date.parse(run.startedAt))}</span>
      <span className="soft number"><When at={run.startedAt} /></span>
    </Link>
  )
}
