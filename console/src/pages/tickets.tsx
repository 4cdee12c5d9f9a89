import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useDeferredValue, useMemo, useRef, useState } from 'react'
import { MoveTicket, NextMark, Priority } from '../ticket-parts.tsx'
import { type TicketRow, tickets } from '../questions.ts'
import { Answer, Choice, Empty, Reason, StateMark, Text, When } from '../ui.tsx'

export const TICKET_STATES = ['triage', 'todo', 'in_progress', 'review', 'question', 'blocked', 'done', 'closed'] as const
const PRIORITIES = ['urgent', 'high', 'medium', 'low'] as const
const VIEWS = ['board', 'table'] as const
const NEXT = ['operator', 'wait', 'retry', 'closed'] as const

export interface TicketsSearch { readonly view?: 'table'; readonly state?: string; readonly priority?: string; readonly next?: string; readonly project?: string; readonly owner?: string; readonly text?: string }

const oneOf = (value: unknown, words: readonly string[]): string | undefined => (typeof value === 'string' && words.includes(value) ? value : undefined)
const word = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined)
const present = <Value,>(name: string, value: Value | undefined): Record<string, Value> => (value === undefined ? {} : { [name]: value })

/** The filters stand in the address, so that a view can be kept and sent. What is none of them is left out. */
export function ticketsSearch({ view, state, priority, next, project, owner, text }: Record<string, unknown>): TicketsSearch {
  return {
    ...(view === 'table' ? { view } : {}), ...present('state', oneOf(state, TICKET_STATES)), ...present('priority', oneOf(priority, PRIORITIES)), ...present('next', oneOf(next, NEXT)),
    ...present('project', word(project)), ...present('owner', word(owner)), ...present('text', word(text)),
  }
}

function fits(row: TicketRow, { state, priority, next, project, owner, text }: TicketsSearch): boolean {
  return (state === undefined || row.state === state) && (priority === undefined || row.priority === priority) && (next === undefined || row.next_action.code === next) && (project === undefined || row.project === project) && (owner === undefined || row.owner === owner)
    && (text === undefined || `${row.id} ${row.title} ${row.owner ?? ''} ${row.reason ?? ''}`.toLowerCase().includes(text.toLowerCase()))
}

const distinct = (values: readonly (string | null)[]): readonly string[] => [...new Set(values.filter((value) => value !== null))].toSorted()

export function Tickets(): ReactNode {
  const search = useSearch({ from: '/tickets' })
  const navigate = useNavigate({ from: '/tickets' })
  const asked = useQuery(tickets)
  const change = (changed: Record<string, string | undefined>): void => void navigate({ search: (before) => ticketsSearch({ ...before, ...changed }), replace: true })
  return (
    <div className="page fill wide-page">
      <div className="filters">
        <h1>Tickets</h1>
        <div className="switch" role="group" aria-label="View">{VIEWS.map((view) => <button type="button" key={view} aria-pressed={(search.view ?? 'board') === view} onClick={() => change({ view })}>{view}</button>)}</div>
        <input type="search" aria-label="Search tickets" placeholder="id, title, owner or reason" value={search.text ?? ''} onChange={(event) => change({ text: event.target.value })} />
        <Choice label="State" value={search.state} options={TICKET_STATES} choose={(state) => change({ state })} />
        <Choice label="Next" value={search.next} options={NEXT} choose={(next) => change({ next })} />
        <Choice label="Priority" value={search.priority} options={PRIORITIES} choose={(priority) => change({ priority })} />
        <More rows={asked.data ?? []} search={search} change={change} />
      </div>
      <Answer of={asked} rows={12}>{(all) => (all.length === 0 ? <Empty what="No ticket yet." first={<>Bring one: <code>npx portcullis tickets create</code>, or POST /tickets</>} /> : <Found all={all} search={search} />)}</Answer>
    </div>
  )
}

function More({ rows, search, change }: { readonly rows: readonly TicketRow[]; readonly search: TicketsSearch; change(changed: Record<string, string>): void }): ReactNode {
  const [projects, owners] = useMemo(() => [distinct(rows.map(({ project }) => project)), distinct(rows.map(({ owner }) => owner))], [rows])
  return <>{projects.length > 1 && <Choice label="Project" value={search.project} options={projects} choose={(project) => change({ project })} />}{owners.length > 1 && <Choice label="Owner" value={search.owner} options={owners} choose={(owner) => change({ owner })} />}</>
}

function Found({ all, search }: { readonly all: readonly TicketRow[]; readonly search: TicketsSearch }): ReactNode {
  // Typing stays quick: the rows of ten thousand tickets follow a moment later.
  const asked = useDeferredValue(search)
  const rows = useMemo(() => all.filter((row) => fits(row, asked)), [all, asked])
  if (rows.length === 0) return <Empty what="No ticket fits these filters." first="Choose another state, priority or owner, or search for something else." />
  return (
    <>
      <p className="soft lead" role="status">{rows.length.toLocaleString('en')} of {all.length.toLocaleString('en')}</p>
      {search.view === 'table' ? <Table rows={rows} /> : <Board rows={rows} />}
    </>
  )
}

function Board({ rows }: { readonly rows: readonly TicketRow[] }): ReactNode {
  const byState = useMemo(() => Map.groupBy(rows, ({ state }) => state), [rows])
  return <div className="board">{TICKET_STATES.map((state) => <Column key={state} state={state} rows={byState.get(state) ?? []} />)}</div>
}

const CARD_PIXELS = 92

function Column({ state, rows }: { readonly state: string; readonly rows: readonly TicketRow[] }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => place.current, estimateSize: () => CARD_PIXELS, overscan: 6 })
  return (
    <section className="column" aria-label={state.replaceAll('_', ' ')} data-state={state}>
      <h2><StateMark state={state} /> <span className="soft number">{rows.length.toLocaleString('en')}</span></h2>
      <div className="stack" ref={place} tabIndex={0} role="group" aria-label={`Tickets in ${state.replaceAll('_', ' ')}`}>
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => {
            const row = rows[index]
            return row === undefined ? null : <li key={row.id} style={{ transform: `translateY(${start}px)`, height: size }}><TicketCard row={row} /></li>
          })}
        </ul>
      </div>
    </section>
  )
}

function TicketCard({ row }: { readonly row: TicketRow }): ReactNode {
  return (
    <div className="ticket-card" data-next={row.next_action.code}>
      <Link to="/tickets/$ticket" params={{ ticket: row.id }} data-row data-ticket={row.id}>
        <span className="card-head"><code>{row.id}</code><Priority of={row.priority} /><span className="soft number"><When at={row.state_since} /></span></span>
        <span className="card-title"><Text>{row.title}</Text></span>
        <span className="card-foot soft">{row.next_action.code === 'operator' ? <NextMark next={row.next_action} /> : <Text>{row.owner ?? 'nobody'}</Text>}{row.items > 0 && <span title="acceptance items passed">{row.passed}/{row.items}</span>}</span>
      </Link>
      <Move row={row} />
    </div>
  )
}

function Move({ row }: { readonly row: TicketRow }): ReactNode {
  const [open, setOpen] = useState(false)
  const client = useQueryClient()
  if (row.moves.length === 0) return null
  return <><button type="button" className="move" data-move aria-label={`Move ${row.id}`} onClick={() => setOpen(true)}>Move</button>{open && <MoveTicket id={row.id} state={row.state} moves={row.moves} close={() => setOpen(false)} after={() => void client.invalidateQueries({ queryKey: ['ticket', row.id] })} />}</>
}

const ROW_PIXELS = 34

function Table({ rows }: { readonly rows: readonly TicketRow[] }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => place.current, estimateSize: () => ROW_PIXELS, overscan: 12 })
  return (
    <div className="rows" ref={place} tabIndex={0} role="group" aria-label="Tickets">
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, size }) => {
          const row = rows[index]
          return row === undefined ? null : <li key={row.id} style={{ transform: `translateY(${start}px)`, height: size }}><TableRow row={row} /></li>
        })}
      </ul>
    </div>
  )
}

function TableRow({ row }: { readonly row: TicketRow }): ReactNode {
  return (
    <Link to="/tickets/$ticket" params={{ ticket: row.id }} data-row data-ticket={row.id}>
      <StateMark state={row.state} /><code className="soft key">{row.id}</code><span className="grow"><Text>{row.title}</Text></span><Reason code={row.reason} />
      <span className="wide field"><NextMark next={row.next_action} /></span><span className="soft wide field"><Text>{row.owner ?? 'nobody'}</Text></span><span className="wide field"><StateMark state={row.runtime} /></span><span className="wide"><Priority of={row.priority} /></span>
      <span className="soft number"><When at={row.state_since} /></span>
    </Link>
  )
}
