import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { act, type Answers } from './api.ts'
import { calls, profiles, session as sessionQuestion, transcript, turns } from './questions.ts'
import { Answer, Card, Confirm, Dialog, Empty, Fault, Mark, type Outcome, plain, Skeleton, span, StateMark, Text, useNow, When } from './ui.tsx'

type Session = Answers['showTicketSession']
type Buttons = Answers['showTicket']['buttons']
type Turn = Answers['listTicketTurns']['turns'][number]

/** The terminal is fetched when somebody opens it: nobody else pays for it. */
const Terminal = lazy(async () => ({ default: (await import('./terminal.tsx')).Terminal }))

/** The live session of a ticket: who it is, what waits for it, and the three things that can be done with it. */
export function SessionPanel({ id, buttons }: { readonly id: string; readonly buttons: Buttons }): ReactNode {
  const asked = useQuery(sessionQuestion(id))
  return (
    <Card title="Session" side={asked.data === undefined ? null : <SessionSide session={asked.data} />}>
      <Answer of={asked} rows={4}>{(session) => (session.session === null ? <><Empty what="No session was ever opened." first="Start one: it passes every gate first." /><Queue id={id} session={session} /></> : <Live id={id} session={session} buttons={buttons} />)}</Answer>
    </Card>
  )
}

const SessionSide = ({ session }: { readonly session: Session }): ReactNode => <span className="soft">{session.attached ? 'held by this server' : 'not attached: nothing can be sent to it'}</span>

function Live({ id, session, buttons }: { readonly id: string; readonly session: Session; readonly buttons: Buttons }): ReactNode {
  const now = useNow()
  const client = useQueryClient()
  const after = (): void => void client.invalidateQueries({ queryKey: ['ticket', id] })
  const uptime = session.duration_ms ?? (session.started_at === null ? null : Math.max(0, now - Date.parse(session.started_at)))
  const stops = (word: 'interrupt' | 'restart') => (reason: string): Promise<unknown> => act('POST', `/tickets/${id}/${word}`, { reason })
  return (
    <>
      <p className="event-head"><StateMark state={session.state} /><strong data-session-triple><Text>{session.triple}</Text></strong>{session.mode !== null && <span className="tag">{session.mode}</span>}{uptime !== null && <span className="soft">{session.duration_ms === null ? 'up' : 'ran'} {span(uptime)}</span>}{session.context_tokens !== null && <span className="soft">{session.context_tokens.toLocaleString('en')} tokens</span>}{session.run !== null && <Link to="/runs/$run" params={{ run: session.run }}>gates and calls</Link>}
        <span className="acts">
          {session.attached && buttons.interrupt && <Confirm label="Interrupt" title={`Interrupt the session of ${id}`} consequence="The turn that runs and its session end; its message waits again, and nothing of the turn counts." act={stops('interrupt')} after={after} />}
          {session.attached && buttons.restart && <Confirm label="Restart" title={`Restart the session of ${id}`} consequence="The session ends, and a fresh one begins in which what was not finished is sent again." act={stops('restart')} after={after} />}
        </span>
      </p>
      {session.permissions.map(({ request, tool }) => <Permission key={request} id={id} request={request} tool={tool} after={after} />)}
      <Turns id={id} />
      <WireCalls run={session.run} />
      <Queue id={id} session={session} />
      <Say id={id} attached={session.attached} busy={session.state === 'running'} />
      <Raw id={id} attach={session.attach} />
    </>
  )
}

/** What the session may not do without a yes. There is no third answer, and none is given by itself. */
function Permission({ id, request, tool, after }: { readonly id: string; readonly request: string; readonly tool: string; after(): void }): ReactNode {
  const [fault, setFault] = useState<unknown>(undefined)
  const answer = (allow: boolean) => (): void => void act('POST', `/tickets/${id}/answer`, { request, allow }).then(after, setFault)
  return (
    <div className="refusal" role="group" aria-label="Waits for an answer">
      <p className="event-head"><Mark outcome="waiting" word="waits for an answer" /><span>to use <code><Text>{tool}</Text></code></span><span className="acts"><button type="button" onClick={answer(false)}>Deny</button><button type="button" className="danger" onClick={answer(true)}>Allow this once</button></span></p>
      {fault === undefined ? null : <Fault error={fault} />}
    </div>
  )
}

const DELIVERY: Readonly<Record<Turn['state'], readonly [Outcome, string]>> = { leased: ['running', 'sending'], delivered: ['running', 'delivered'], refused: ['block', 'refused'], unknown: ['unknown', 'delivery unknown'], ended: ['pass', 'ended'] }
const ENDS: Readonly<Record<string, Outcome>> = { ok: 'pass', warning: 'waiting', failed: 'block', blocked: 'block' }

/** Each attempt to bring a message in: whether it was delivered, and how it ended. */
export function Turns({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(turns(id))
  return (
    <Answer of={asked} rows={2}>{({ turns: rows }) => (rows.length === 0 ? <p className="soft">No message was brought in yet.</p> : (
      <ol className="activity" aria-label="Turns">{rows.toReversed().map((turn) => {
        const [outcome, word] = DELIVERY[turn.state]
        return (
          <li key={turn.id} data-turn={turn.id} data-turn-state={turn.state}>
            <p className="event-head"><code className="soft">{turn.id}</code><Mark outcome={outcome} word={word} />{turn.code !== null && <code className="reason"><Text>{turn.code}</Text></code>}{turn.terminal !== null && <Mark outcome={ENDS[turn.terminal.status] ?? 'unknown'} word={turn.terminal.status} />}<span><Text>{turn.by.id}</Text> <span className="soft">{turn.by.kind}, epoch {turn.epoch}</span></span></p>
            <p className="prose"><Text>{turn.text}</Text></p>
            {turn.terminal !== null && <p className="why soft"><Text>{turn.terminal.root_cause ?? turn.terminal.summary}</Text></p>}
          </li>
        )
      })}</ol>
    ))}</Answer>
  )
}

/** The model calls that the wire saw of this session, beside what it says of itself. */
function WireCalls({ run }: { readonly run: string | null }): ReactNode {
  const asked = useQuery({ ...calls(run ?? ''), enabled: run !== null })
  if (run === null || asked.data === undefined || asked.data.length === 0) return null
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Model calls of the session">
      <table>
        <thead><tr><th scope="col">wire call</th><th scope="col">asked</th><th scope="col">served</th><th scope="col">tokens</th><th scope="col">took</th><th scope="col">when</th></tr></thead>
        <tbody>{asked.data.slice(-20).toReversed().map((call, index) => <tr key={index}><td><Mark outcome={call.outcome === 'answered' ? 'pass' : 'block'} word={call.outcome} /></td><td><Text>{call.requestedModel}</Text></td><td><Text>{call.servedModel ?? 'none'}</Text></td><td className="number">{call.usage === null ? '–' : `${call.usage.inputTokens.toLocaleString('en')} → ${call.usage.outputTokens.toLocaleString('en')}`}</td><td className="number">{span(call.durationMs)}</td><td><When at={call.startedAt} /></td></tr>)}</tbody>
      </table>
    </div>
  )
}

function Queue({ id, session }: { readonly id: string; readonly session: Session }): ReactNode {
  if (session.queue.length === 0) return null
  return <><h3 className="soft">Waits in the queue</h3><ol className="activity queue" aria-label="Queue">{session.queue.map((message) => <Waiting key={message.id} id={id} message={message} />)}</ol></>
}

function Waiting({ id, message }: { readonly id: string; readonly message: Session['queue'][number] }): ReactNode {
  const client = useQueryClient()
  const [text, setText] = useState<string>()
  const [fault, setFault] = useState<unknown>(undefined)
  const send = (sent: Promise<unknown>): void => void sent.then(() => { setText(undefined); setFault(undefined); void client.invalidateQueries({ queryKey: ['ticket', id] }) }, setFault)
  const place = `/tickets/${id}/queue/${message.id}`
  return (
    <li data-queued={message.id}>
      {text === undefined ? <p className="prose"><Text>{message.text}</Text></p> : <textarea aria-label="Words of the message" rows={3} value={text} onChange={(event) => setText(event.target.value)} />}
      <p className="acts">
        {text === undefined ? <button type="button" onClick={() => setText(message.text)}>Edit</button> : <button type="button" disabled={text.trim() === ''} onClick={() => send(act('PATCH', place, { text }))}>Keep</button>}
        <button type="button" className="danger" onClick={() => send(act('DELETE', place))}>Remove</button>
      </p>
      {fault === undefined ? null : <Fault error={fault} />}
    </li>
  )
}

/** A message into the session. To a busy one it is sent only if it may wait: nothing is typed into a turn that runs. */
function Say({ id, attached, busy }: { readonly id: string; readonly attached: boolean; readonly busy: boolean }): ReactNode {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [fault, setFault] = useState<unknown>(undefined)
  const send = (onBusy: 'refuse' | 'queue'): void => {
    if (text.trim() === '') return
    act('POST', `/tickets/${id}/messages`, { text: text.trim(), onBusy }).then(() => { setText(''); setFault(undefined); void client.invalidateQueries({ queryKey: ['ticket', id] }) }, setFault)
  }
  return (
    <form className="say" onSubmit={(event) => { event.preventDefault(); send('refuse') }}>
      <textarea aria-label="Message to the session" rows={2} value={text} disabled={!attached} onChange={(event) => setText(event.target.value)} placeholder={attached ? 'a message to the session' : 'no session is attached'} />
      <span className="acts"><button type="submit" disabled={!attached || text.trim() === ''}>Send</button>{busy && <button type="button" disabled={text.trim() === ''} onClick={() => send('queue')}>Queue</button>}</span>
      {fault === undefined ? null : <Fault error={fault} />}
    </form>
  )
}

/** What the session printed. It is shown and never read: no state follows from it. */
function Raw({ id, attach }: { readonly id: string; readonly attach: readonly string[] | null }): ReactNode {
  const [open, setOpen] = useState(false)
  const asked = useQuery({ ...transcript(id), enabled: open })
  return (
    <details className="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Raw console</summary>
      <p className="soft" data-never-decides>For people to look at; no decision is ever made from it.{attach !== null && <> Attach on the server: <code><Text>{attach.join(' ')}</Text></code></>}</p>
      {open && <Answer of={asked} rows={6}>{(told) => (told.withheld !== null ? <p><Mark outcome="block" word="withheld" /> <Text>{told.withheld}</Text></p> : told.content === '' ? <Empty what="It has printed nothing." first="What it prints appears here." /> : <Suspense fallback={<Skeleton rows={6} />}><Terminal content={told.content} truncated={told.truncated} /></Suspense>)}</Answer>}
    </details>
  )
}

const MODES = ['HEADLESS', 'INTERACTIVE'] as const

/** A fresh session through every gate, with a profile that somebody chooses: none is taken by itself. */
export function StartSession({ id, after }: { readonly id: string; after(): void }): ReactNode {
  const [open, setOpen] = useState(false)
  return <><button type="button" onClick={() => setOpen(true)}>Start session</button>{open && <StartDialog id={id} after={after} close={() => setOpen(false)} />}</>
}

function StartDialog({ id, after, close }: { readonly id: string; after(): void; close(): void }): ReactNode {
  const known = useQuery(profiles)
  const [profile, setProfile] = useState('')
  const [mode, setMode] = useState('')
  const [fault, setFault] = useState<unknown>(undefined)
  const start = (): void => void act('POST', `/tickets/${id}/start-session`, { profile, mode }).then(() => { close(); after() }, setFault)
  return (
    <Dialog title={`Start a session for ${id}`} close={close}>
      <p>The ticket is claimed for you, and a fresh session passes every gate before a message enters it.</p>
      <form onSubmit={(event) => { event.preventDefault(); start() }}>
        <label>Profile <select value={profile} required onChange={(event) => setProfile(event.target.value)}><option value="">choose</option>{known.data?.profiles.map((row) => <option key={row.profile} value={row.profile}>{plain(row.profile)}</option>)}</select></label>
        <label>Mode <select value={mode} required onChange={(event) => setMode(event.target.value)}><option value="">choose</option>{MODES.map((each) => <option key={each}>{each}</option>)}</select></label>
        {fault === undefined ? null : <Fault error={fault} />}
        <p className="acts"><button type="button" onClick={close}>Leave it</button><button type="submit" className="primary" disabled={profile === '' || mode === ''}>Start</button></p>
      </form>
    </Dialog>
  )
}
