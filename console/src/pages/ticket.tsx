import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { act, type Answers } from '../api.ts'
import { ticket as ticketQuestion } from '../questions.ts'
import { Activity, Mirrored } from '../ticket-activity.tsx'
import { SessionPanel, StartSession } from '../ticket-session.tsx'
import { MoveTicket, NextMark, Priority } from '../ticket-parts.tsx'
import { Answer, Card, Confirm, Digest, Empty, Mark, type Outcome, span, StateMark, Text, useNow, When } from '../ui.tsx'

type View = Answers['showTicket']

export function TicketPage({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(ticketQuestion(id))
  return <div className="page"><Answer of={asked} rows={8}>{(view) => <TicketOf view={view} />}</Answer></div>
}

function TicketOf({ view }: { readonly view: View }): ReactNode {
  const { ticket } = view
  return (
    <>
      <Title view={view} />
      <Cards view={view} />
      <Status view={view} />
      <div className="columns">
        <div className="stacked">
          <Card title="Description">{ticket.description === '' ? <p className="soft">None was given.</p> : <p className="prose"><Text>{ticket.description}</Text></p>}</Card>
          <Items view={view} />
          <SessionPanel id={ticket.id} buttons={view.buttons} />
          <Activity id={ticket.id} />
        </div>
        <div className="stacked">
          <Details view={view} />
          <Terminal view={view} />
          <Mirrored id={ticket.id} />
        </div>
      </div>
    </>
  )
}

function Title({ view: { ticket, working, moves } }: { readonly view: View }): ReactNode {
  const client = useQueryClient()
  const [moving, setMoving] = useState(false)
  const again = (): void => void client.invalidateQueries({ queryKey: ['ticket', ticket.id] })
  return (
    <div className="title">
      <code data-field="id">{ticket.id}</code><h1><Text>{ticket.title}</Text></h1><Priority of={ticket.priority} />
      {ticket.runtime.mode !== null && <span className="tag" data-field="mode">{ticket.runtime.mode}</span>}
      {working && <Mark outcome="running" word={`${ticket.claim?.holder ?? ticket.owner ?? 'An agent'} is working`} />}
      <span className="acts">
        {ticket.state === 'todo' && <StartSession id={ticket.id} after={again} />}
        {moves.length > 0 && <button type="button" onClick={() => setMoving(true)}>Move</button>}
        {(ticket.state === 'done' || ticket.state === 'review') && <Confirm label="Close as accepted" title={`Close ${ticket.id} as accepted`} consequence={`Each of its ${ticket.acceptance.length} items needs a pass with evidence, or the gate refuses. A closed ticket is never opened again.`} act={(reason) => act('POST', `/tickets/${ticket.id}/close`, { gate: 'operator', reason, evidence: [...new Set(ticket.acceptance.flatMap((item) => item.evidence))].slice(0, 100), runs: [] })} after={again} />}
      </span>
      {moving && <MoveTicket id={ticket.id} state={ticket.state} moves={moves} close={() => setMoving(false)} after={again} />}
    </div>
  )
}

/** The five cards, each the field of the API that it is drawn from. */
function Cards({ view: { cards } }: { readonly view: View }): ReactNode {
  const rows: readonly (readonly [string, string, string, ReactNode])[] = [
    ['State', 'state', cards.state, <StateMark state={cards.state} />],
    ['Next action', 'next_action', cards.next_action.at === null ? cards.next_action.code : `${cards.next_action.code} ${cards.next_action.at}`, <NextMark next={cards.next_action} />],
    ['Owner', 'owner', cards.owner ?? '', cards.owner === null ? <span className="soft">nobody</span> : <strong><Text>{cards.owner}</Text></strong>],
    ['Runtime', 'runtime', cards.runtime, <StateMark state={cards.runtime} />],
    ['Age', 'created_at', cards.created_at, <When at={cards.created_at} />],
  ]
  return <dl className="facts cards">{rows.map(([name, field, value, shown]) => <div key={field} data-card={field} data-value={value}><dt>{name}</dt><dd>{shown}</dd></div>)}</dl>
}

/** Its sentence from its code, and the session that it speaks of. The duration of a closed session is the one that was stored. */
function Status({ view: { status } }: { readonly view: View }): ReactNode {
  const now = useNow()
  const uptime = status.duration_ms ?? (status.started_at === null ? null : Math.max(0, now - Date.parse(status.started_at)))
  return (
    <p className="status-line" data-status={status.code}>
      <span><Text>{status.sentence}</Text></span> <code className="code" data-field="code"><Text>{status.code}</Text></code>
      {status.profile !== null && <span>profile <code><Text>{status.profile}</Text></code></span>}
      {status.cwd !== null && <span>cwd <code><Text>{status.cwd}</Text></code></span>}
      {uptime !== null && <span title={`${status.started_at ?? ''}`} data-uptime>{status.duration_ms === null ? 'uptime' : 'ran'} {span(uptime)}</span>}
      {status.last_activity_at !== null && <span>last activity <When at={status.last_activity_at} /></span>}
    </p>
  )
}

const VERDICTS: Readonly<Record<string, readonly [Outcome, string]>> = { pass: ['pass', 'pass'], fail: ['block', 'fail'], none: ['unknown', 'not judged'] }

function Items({ view: { ticket } }: { readonly view: View }): ReactNode {
  const passed = ticket.acceptance.filter(({ verdict }) => verdict === 'pass').length
  return (
    <Card title="Acceptance" side={<span className="soft">{passed} of {ticket.acceptance.length} passed</span>}>
      {ticket.acceptance.length === 0 ? <Empty what="No item says when it is done." first="Without one it cannot be closed as accepted." /> : (
        <ul className="lines verdicts">{ticket.acceptance.map((item) => {
          const [outcome, word] = VERDICTS[item.verdict ?? 'none'] ?? ['unknown', 'not judged']
          return <li key={item.id}><div><span className="number soft">{item.id}</span><Mark outcome={outcome} word={word} /><span className="grow"><Text>{item.text}</Text>{item.reason !== null && <p className="why soft"><Text>{item.by}</Text>: <Text>{item.reason}</Text></p>}</span><span className="digests">{item.evidence.map((digest) => <Digest key={digest} value={digest} />)}</span></div></li>
        })}</ul>
      )}
    </Card>
  )
}

function Details({ view: { ticket } }: { readonly view: View }): ReactNode {
  const { source, triage, claim, runtime } = ticket
  const rows: readonly (readonly [string, ReactNode])[] = [
    ['source', source === null ? <span className="soft">none</span> : <><Text>{source.reference}</Text>{source.key !== null && <> <code><Text>{source.key}</Text></code></>} <span className="soft">{source.reconciled ? 'reconciled' : 'not reconciled'}</span></>],
    ['project', <Text>{ticket.project}</Text>],
    ['kind', ticket.kind],
    ['requester', <Text>{ticket.requester}</Text>],
    ['owner', <Text>{ticket.owner ?? 'nobody'}</Text>],
    ['operator', runtime.triple === null ? <span className="soft">no session yet</span> : <strong data-field="triple"><Text>{runtime.triple}</Text></strong>],
    ['claim', claim === null ? <span className="soft">nobody works on it</span> : <><Text>{claim.holder}</Text> <span className="soft">{claim.kind}, epoch {claim.epoch}, ends</span> <When at={claim.expires_at} /></>],
    ['triage', triage === null ? <span className="soft">not yet</span> : <><Text>{triage.agent ?? 'left to the operator'}</Text> <span className="soft">confidence {triage.confidence}</span> <Text>{triage.skill}</Text><p className="why soft"><Text>{triage.reason}</Text></p></>],
    ['phases', ticket.phases === null ? <span className="soft">none chosen</span> : <ol className="phases">{ticket.phases.map((phase, index) => <li key={phase}><Mark outcome={index < ticket.phase ? 'pass' : index === ticket.phase ? 'running' : 'abstain'} word={phase} /></li>)}</ol>],
    ['attempts', `${ticket.dispatch_failures} dispatches failed, ${ticket.review_rejections} reviews rejected`],
    ...(ticket.retry_at === null ? [] : [['tried again', <When at={ticket.retry_at} />] as const]),
    ['runs', ticket.runs.length === 0 ? <span className="soft">none</span> : <ul>{ticket.runs.map((run) => <li key={run}><Link to="/runs/$run" params={{ run }}><code><Text>{run}</Text></code></Link></li>)}</ul>],
    ['evidence', ticket.evidence.length === 0 ? <span className="soft">none</span> : <span className="digests">{ticket.evidence.map((digest) => <Digest key={digest} value={digest} />)}</span>],
    ...(ticket.repositories.length === 0 ? [] : [['repositories', <Text>{ticket.repositories.join(', ')}</Text>] as const]),
    ...(ticket.labels.length === 0 ? [] : [['labels', <Text>{ticket.labels.join(', ')}</Text>] as const]),
    ...(ticket.attachments.length === 0 ? [] : [['attachments', <ul>{ticket.attachments.map((file) => <li key={file.sha256}><a href={`/tickets/${ticket.id}/attachments/${file.sha256}`} download><Text>{file.name}</Text></a> <span className="soft">{file.bytes.toLocaleString('en')} bytes</span></li>)}</ul>] as const]),
    ['created', <When at={ticket.created_at} />],
    ['updated', <When at={ticket.updated_at} />],
  ]
  return <Card title="Details"><dl className="pairs">{rows.map(([name, value]) => <div key={name} data-detail={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl></Card>
}

const TERMINAL: Readonly<Record<string, Outcome>> = { ok: 'pass', warning: 'waiting', failed: 'block', blocked: 'block' }

/** How the last turn ended: each field of its record, none left out. */
function Terminal({ view: { ticket } }: { readonly view: View }): ReactNode {
  const record = ticket.terminal
  return (
    <Card title="Terminal state" side={record === null ? null : <span className="soft">contract {record.contract}</span>}>
      {record === null ? <Empty what="No turn has ended yet." first="Every end of one leaves its record here." /> : (
        <dl className="pairs">
          <div><dt>status</dt><dd><Mark outcome={TERMINAL[record.status] ?? 'unknown'} word={record.status} />{record.human_input_required && <> <Mark outcome="waiting" word="needs a person" /></>}</dd></div>
          <div><dt>summary</dt><dd><Text>{record.summary}</Text></dd></div>
          <div><dt>root cause</dt><dd><Text>{record.root_cause ?? 'none'}</Text></dd></div>
          <div><dt>safe retry</dt><dd><Text>{record.safe_retry}</Text></dd></div>
          <div><dt>stops when</dt><dd><Text>{record.stop_condition}</Text></dd></div>
          <div><dt>next</dt><dd>{record.next_actions.length === 0 ? 'nothing' : <ul>{record.next_actions.map((action) => <li key={action}><Text>{action}</Text></li>)}</ul>}</dd></div>
          <div><dt>artifacts</dt><dd>{record.artifacts.length === 0 ? 'none' : <Text>{record.artifacts.join(', ')}</Text>}</dd></div>
        </dl>
      )}
    </Card>
  )
}
