import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { act, type Answers } from '../api.ts'
import { doctor, drill } from '../questions.ts'
import { Answer, Card, Empty, Fault, Mark, type Outcome, Refusal, span, StateMark, Text, When } from '../ui.tsx'

export const Checks = (): ReactNode => <div className="page"><h1>Checks</h1><Drill /><Doctor /></div>

type Line = NonNullable<Answers['showDrill']['last']>['answer']['profiles'][number]['lines'][number]
const WAYS: Readonly<Record<Line['verdict'], readonly [Outcome, string, number]>> = { open: ['block', 'OPEN', 0], 'not-proven': ['unknown', 'not proven', 1], closed: ['pass', 'closed', 2], 'not-applicable': ['abstain', 'does not apply', 3] }
const SOON = '7d'

/** Sends once, and says what came of it. */
function useSend(path: string, body: unknown, key: string): { readonly send: () => void; readonly sent: boolean; readonly fault: unknown } {
  const client = useQueryClient()
  const [sent, setSent] = useState(false)
  const [fault, setFault] = useState<unknown>(undefined)
  const send = (): void => {
    setSent(true)
    setFault(undefined)
    act('POST', path, body).then(() => client.invalidateQueries({ queryKey: [key] }), setFault).finally(() => setSent(false))
  }
  return { send, sent, fault }
}

/** Every way in, open ones first: a drill that was cut off closed nothing. */
function Drill(): ReactNode {
  const asked = useQuery(drill)
  const { send, sent, fault } = useSend('/drill', {}, 'drill')
  const running = asked.data?.running ?? null
  return (
    <Card title="Drill" side={<button type="button" disabled={sent || running !== null || asked.data === undefined} onClick={send}>{asked.data?.last === null ? 'Run the drill' : 'Run again'}</button>}>
      {fault === undefined ? null : <Fault error={fault} />}
      {running !== null && <p role="status"><Mark outcome="running" word="goes on" /> {running.tried} tried, {running.open} open; began <When at={running.began_at} />, by <Text>{running.asked_by}</Text></p>}
      {asked.data?.fault != null && <p><Mark outcome="block" word="gave no result" /> <Text>{asked.data.fault}</Text></p>}
      <Answer of={asked} rows={6}>{({ last, tampered }) => (tampered !== null ? <Tampered check="drill" found={tampered} /> : last === null ? <Empty what="No drill has run here yet." first="It tries every way in on scratch copies of your configuration, and spends no token." /> : <Drilled last={last} />)}</Answer>
    </Card>
  )
}

/** A result that anybody may have written is none: it is not shown, and said to be so. */
const Tampered = ({ check, found }: { readonly check: string; readonly found: string }): ReactNode => <Refusal title="The last result was changed" code="store_tampered" asked={`the last result of the ${check}, as the ledger names it`} found={found} remedy="Find out who wrote it: no server of this ledger did. Then run it again." />

function Drilled({ last: { answer, ended_at, asked_by } }: { readonly last: NonNullable<Answers['showDrill']['last']> }): ReactNode {
  return (
    <>
      <p className="verdict" data-holds={answer.exit_code === 0}><Mark outcome={answer.exit_code === 0 ? 'pass' : 'block'} word={answer.open > 0 ? `${answer.open} open` : answer.exit_code === 0 ? 'none open' : 'not proven'} /><span>{answer.closed} closed, {answer.not_proven} not proven, {answer.not_applicable} do not apply; in {span(answer.elapsed_ms)}, ended <When at={ended_at} />, asked by <Text>{asked_by}</Text></span></p>
      {answer.profiles.map(({ profile, model, control, lines }) => (
        <section key={profile} aria-label={profile} className="ways">
          <h3><Text>{profile}</Text> <span className="soft"><Text>{model}</Text></span> {control.accepted ? <Mark outcome="pass" word="an honest run is accepted" /> : <Mark outcome="block" word="an honest run is refused" />}{control.accepted ? null : <span className="soft"> <Text>{control.message}</Text></span>}</h3>
          <ul className="lines ways-in">{lines.toSorted((one, other) => WAYS[one.verdict][2] - WAYS[other.verdict][2]).map((line) => (
            <li key={line.attack} data-way={line.verdict}><div><Mark outcome={WAYS[line.verdict][0]} word={WAYS[line.verdict][1]} /><span className="stage"><Text>{line.title}</Text></span><span className="grow">{line.verdict === 'closed' ? <Text>{line.found?.message}</Text> : <Text>{line.because.join('; ')}</Text>}{line.verdict === 'open' && <p className="why">tried <Text>{line.tried}</Text>; expected <Text>{`${line.expected.reason} by ${line.expected.by}`}</Text></p>}</span><span className="soft number">{span(line.elapsed_ms)}</span></div></li>
          ))}</ul>
        </section>
      ))}
    </>
  )
}

type Row = NonNullable<Answers['showDoctor']['last']>['answer']['rows'][number]
const URGENCY: Readonly<Record<Row['status'], number>> = { missing: 0, warning: 1, ok: 2, unneeded: 3 }

function Doctor(): ReactNode {
  const asked = useQuery(doctor)
  const { send, sent, fault } = useSend('/doctor', { soon: SOON }, 'doctor')
  return (
    <Card title="Doctor" side={<button type="button" disabled={sent || asked.data === undefined} onClick={send}>{sent ? 'Looking…' : asked.data?.last === null ? 'Ask the doctor' : 'Ask again'}</button>}>
      {fault === undefined ? null : <Fault error={fault} />}
      <Answer of={asked} rows={6}>{({ last, tampered }) => (tampered !== null ? <Tampered check="doctor" found={tampered} /> : last === null ? <Empty what="The doctor was never asked here." first="It says what is installed, admitted, reachable and expiring, and starts no agent." /> : (
        <>
          <p className="verdict" data-holds={last.answer.exit_code === 0}><Mark outcome={last.answer.exit_code === 0 ? 'pass' : 'block'} word={last.answer.missing === 0 ? 'nothing is missing' : `${last.answer.missing} missing`} /><span>{last.answer.warnings} to look at; asked <When at={last.ended_at} />, by <Text>{last.asked_by}</Text></span></p>
          <ul className="lines doctor">{last.answer.rows.toSorted((one, other) => URGENCY[one.status] - URGENCY[other.status]).map((row) => (
            <li key={`${row.area} ${row.name} ${row.needed_for}`} data-status={row.status}><div><StateMark state={row.status} /><span className="soft stage">{row.area}</span><span className="stage"><Text>{row.name}</Text></span><span className="grow"><Text>{row.found}</Text>{row.remedy !== null && <p className="why"><span className="soft">do</span> <Text>{row.remedy}</Text></p>}</span><span className="soft"><Text>{row.needed_for}</Text></span></div></li>
          ))}</ul>
        </>
      ))}</Answer>
    </Card>
  )
}
