import { type ReactNode, useId, useState } from 'react'
import { act } from './api.ts'
import type { TicketRow } from './questions.ts'
import { Mark, type Outcome, Reasoned, When } from './ui.tsx'

const NEXT_OUTCOMES: Readonly<Record<TicketRow['next_action']['code'], readonly [Outcome, string]>> = { operator: ['waiting', 'operator'], wait: ['running', 'wait'], retry: ['unknown', 'retry'], closed: ['abstain', 'closed'] }

/** What has to happen next: a code of the server, never free text. */
export function NextMark({ next }: { readonly next: TicketRow['next_action'] }): ReactNode {
  const [outcome, word] = NEXT_OUTCOMES[next.code]
  return <span><Mark outcome={outcome} word={word} />{next.at !== null && <> <When at={next.at} /></>}</span>
}

const LEVELS: Readonly<Record<TicketRow['priority'], number>> = { low: 1, medium: 2, high: 3, urgent: 4 }

/** Bars and a word: how urgent it is does not hang on a colour. */
export const Priority = ({ of }: { readonly of: TicketRow['priority'] }): ReactNode => (
  <span className={`priority ${of}`}><svg viewBox="0 0 14 10" width="14" height="10" aria-hidden="true">{[1, 2, 3, 4].map((level) => <rect key={level} x={(level - 1) * 3.6} y={10 - level * 2.4} width="2.6" height={level * 2.4} className={level <= LEVELS[of] ? 'on' : 'off'} />)}</svg>{of}</span>
)

/** Moves a ticket by hand: only where the server says that it may go, and with a reason. */
export function MoveTicket({ id, state, moves, close, after }: { readonly id: string; readonly state: string; readonly moves: readonly string[]; close(): void; after(): void }): ReactNode {
  const [to, setTo] = useState(moves[0] ?? '')
  const field = useId()
  return (
    <Reasoned label="Move" title={`Move ${id}`} close={close} after={after} act={(reason) => act('POST', `/tickets/${id}/move`, { to, reason })} consequence={<>It is {state.replaceAll('_', ' ')} now. {to === 'closed' ? 'Closed by hand is declined: its work does not count as accepted, and it cannot be opened again.' : 'The move stands in its history with your name and reason.'}</>}>
      <label htmlFor={field}>To</label>
      <select id={field} value={to} onChange={(event) => setTo(event.target.value)} data-moves>{moves.map((move) => <option key={move} value={move}>{move.replaceAll('_', ' ')}</option>)}</select>
    </Reasoned>
  )
}
