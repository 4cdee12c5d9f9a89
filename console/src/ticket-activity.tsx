import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { act } from './api.ts'
import { type TicketEvent, ticketEvents } from './questions.ts'
import { Answer, Card, Empty, Fault, Mark, type Outcome, Text, When } from './ui.tsx'

const WRONG = new Set<string>(['message_refused', 'signal_refused', 'closing_refused', 'start_refused', 'rejected'])
const GOOD = new Set<string>(['closed', 'turn_delivered'])
const shapeOf = ({ kind }: TicketEvent): Outcome => (WRONG.has(kind) ? 'block' : GOOD.has(kind) ? 'pass' : 'abstain')

/** Everything that ever changed it, newest first, with who did it, as which kind, by which credential. */
export function Activity({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(ticketEvents(id))
  return (
    <Card title="Activity" side={<span className="soft">observed by Portcullis itself, newest first</span>}>
      <CommentBox id={id} />
      <Answer of={asked} rows={6}>{(events) => {
        const seen = events.filter(({ origin }) => origin === 'observed')
        return seen.length === 0 ? <Empty what="Nothing was observed yet." first="Each change stands here by itself." /> : <ol className="activity">{seen.toReversed().map((event) => <Row key={event.sequence} event={event} />)}</ol>
      }}</Answer>
    </Card>
  )
}

/** What another system said and Portcullis did not see: apart, and with who said it. */
export function Mirrored({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(ticketEvents(id))
  return (
    <Card title="Mirrored in" side={<span className="soft">said by another system; not observed here</span>}>
      <Answer of={asked} rows={2}>{(events) => {
        const said = events.filter(({ origin }) => origin === 'mirrored')
        return said.length === 0 ? <p className="soft">Nothing: every fact of this page was observed by Portcullis.</p> : <ol className="activity hearsay">{said.toReversed().map((event) => <Row key={event.sequence} event={event} />)}</ol>
      }}</Answer>
    </Card>
  )
}

function Row({ event }: { readonly event: TicketEvent }): ReactNode {
  const { from, to, item, verdict } = event.data
  return (
    <li data-event={event.kind} data-origin={event.origin}>
      <p className="event-head"><Mark outcome={shapeOf(event)} word={event.kind.replaceAll('_', ' ')} />{typeof from === 'string' && typeof to === 'string' && <span className="soft"><Text>{`${from} → ${to}`}</Text></span>}{typeof item === 'number' && typeof verdict === 'string' && <span className="soft">item {item}: <Text>{verdict}</Text></span>}<span title={`by ${event.actor.holder}`}><Text>{event.actor.id}</Text> <span className="soft">{event.actor.kind}</span></span><span className="soft number"><When at={event.at} /></span></p>
      {event.text !== null && <p className="prose"><Text>{event.text}</Text></p>}
    </li>
  )
}

function CommentBox({ id }: { readonly id: string }): ReactNode {
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [fault, setFault] = useState<unknown>(undefined)
  const say = (): void => {
    if (text.trim() === '') return
    act('POST', `/tickets/${id}/comments`, { text: text.trim() }).then(() => { setText(''); setFault(undefined); void client.invalidateQueries({ queryKey: ['ticket', id] }) }, setFault)
  }
  return (
    <form className="say" onSubmit={(event) => { event.preventDefault(); say() }}>
      <textarea aria-label="Comment" rows={2} maxLength={20_000} value={text} onChange={(event) => setText(event.target.value)} placeholder="a comment for people; no agent reads it" />
      <button type="submit" disabled={text.trim() === ''}>Comment</button>
      {fault === undefined ? null : <Fault error={fault} />}
    </form>
  )
}
