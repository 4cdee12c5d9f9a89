import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { differences } from '../agent-parts.tsx'
import type { Answers } from '../api.ts'
import { admissions, agents, health, overview, type Run, runs, type TicketRow, verdicts, waitingTickets } from '../questions.ts'
import { Answer, Card, Empty, Mark, Reason, Skeleton, StateMark, Text, useNow, When } from '../ui.tsx'

type Agent = Answers['listAgents']['agents'][number]

const DAY_MS = 86_400_000
const MOST = 8

/** Is anything open or stuck? */
export function Gatehouse(): ReactNode {
  return (
    <div className="page">
      <h1 className="hidden">Gatehouse</h1>
      <StageBar />
      <div className="columns"><Needs /><LiveRuns /></div>
    </div>
  )
}

function StageBar(): ReactNode {
  const asked = useQuery(overview)
  return (
    <Card title="The nine gates" side={<span className="soft">last 24 hours</span>}>
      <Answer of={asked} rows={2}>{({ gates }) => (
        <ol className="stages">{gates.map(({ gate, pass, block, abstain }) => (
          <li key={gate} className={block > 0 ? 'blocked' : pass > 0 ? 'passed' : 'quiet'}>
            <span className="stage">{gate}</span>
            <span className="counts">
              {pass + block + abstain === 0 ? <Mark outcome="abstain" word="nothing asked" /> : pass > 0 && <Mark outcome="pass" word={`${pass} passed`} />}
              {block > 0 && <Mark outcome="block" word={`${block} blocked`} />}
              {abstain > 0 && <Mark outcome="abstain" word={`${abstain} abstained`} />}
            </span>
          </li>
        ))}</ol>
      )}</Answer>
    </Card>
  )
}

/** Books and licences are never closed; what an agent does stands on its own page. */
const NO_WORK: ReadonlySet<string> = new Set(['tickets', 'acts', 'agent', 'wire'])
const QUIET_AGENT: ReadonlySet<unknown> = new Set([null, 'offline', 'removed', 'draining'])

/** Everything that waits for a person, each with the one thing to do. What could not be asked is said: silence is no good news. */
function Needs(): ReactNode {
  const current = useNow()
  const asked = useQuery(runs)
  const others = { records: useQuery(admissions), tickets: useQuery(waitingTickets), agents: useQuery(agents), profiles: useQuery(health) }
  const unknown = Object.entries(others).filter(([, { data, error }]) => data === undefined && error !== null).map(([name]) => name)
  return (
    <Card title="Needs a person now">
      <Answer of={asked}>{(all) => {
        if (Object.values(others).some(({ data, error }) => data === undefined && error === null)) return <Skeleton />
        const waiting = all.filter((run) => run.state === 'waiting')
        const stuck = all.filter((run) => run.kind !== 'approval' && run.kind !== 'agent' && run.kind !== 'probe' && (run.state === 'blocked' || run.state === 'failed') && run.endedAt !== null && current - Date.parse(run.endedAt) < DAY_MS)
        const groups = [...Map.groupBy(stuck, (run) => `${run.taskId} ${run.state} ${run.reason}`).values()]
        const ending = others.records.data?.admissions.filter(({ expiry, problems }) => expiry === 'expired' || expiry === 'soon' || problems.length > 0) ?? []
        const unfit = others.agents.data?.agents.filter((agent) => !agent.routable && !QUIET_AGENT.has(agent.state)) ?? []
        const unhealthy = others.profiles.data?.profiles.filter(({ health: state }) => state === 'unhealthy') ?? []
        const asking = others.tickets.data?.rows ?? []
        const unread = others.tickets.data?.more ?? []
        if (unknown.length === 0 && unread.length === 0 && asking.length + waiting.length + stuck.length + ending.length + unfit.length + unhealthy.length === 0) return <Empty what="Nothing waits for you." first="Questions, runs that are blocked or wait, agents that are not who they should be, and records that end within a week, stand here." />
        return (
          <ul className="needs">
            {unknown.length > 0 && <li><Mark outcome="unknown" word="unknown" /><div>Could not be asked: {unknown.join(', ')}. What of them waits for you is not known.</div><span /></li>}
            {asking.slice(0, MOST).map((ticket) => <NeedOfTicket key={ticket.id} ticket={ticket} />)}
            {asking.length > MOST && <li><span /><span className="soft">{asking.length - MOST} more tickets</span><Link to="/tickets" search={{ next: 'operator' }} className="button">All</Link></li>}
            {unread.length > 0 && <li><Mark outcome="unknown" word="unknown" /><span>Of the tickets in {unread.join(', ')} only the newest 500 were looked at.</span><Link to="/tickets" search={{ next: 'operator' }} className="button">All</Link></li>}
            {waiting.map((run) => <NeedOfRun key={run.runId} run={run} action="Decide" />)}
            {unfit.slice(0, MOST).map((agent) => <NeedOfAgent key={agent.name} agent={agent} />)}
            {unfit.length > MOST && <li><span /><span className="soft">{unfit.length - MOST} more agents</span><Link to="/agents" search={{ state: 'wrong' }} className="button">All</Link></li>}
            {groups.slice(0, MOST).map(([run, ...before]) => run !== undefined && <NeedOfRun key={run.runId} run={run} action="See why" before={before.length} />)}
            {groups.length > MOST && <li><span /><span className="soft">{groups.length - MOST} more kinds that are blocked or failed</span><Link to="/runs" search={{ state: 'stuck' }} className="button">All</Link></li>}
            {ending.map((record) => (
              <li key={record.path} data-need="record">
                <Mark outcome={record.expiry === 'expired' || record.problems.length > 0 ? 'block' : 'waiting'} word={record.problems.length > 0 ? 'invalid' : record.expiry === 'soon' ? 'expires' : 'expired'} />
                <div><strong><Text>{record.pair ?? record.path}</Text></strong> {record.problems.length > 0 ? <Text>{record.problems[0]}</Text> : <>admission record ends <When at={record.expiresAt} /></>}</div>
                <Link to="/models" className="button" data-row>Review</Link>
              </li>
            ))}
            {unhealthy.slice(0, MOST).map((profile) => <NeedOfProfile key={profile.profile} profile={profile} />)}
          </ul>
        )
      }}</Answer>
    </Card>
  )
}

function NeedOfTicket({ ticket }: { readonly ticket: TicketRow }): ReactNode {
  return (
    <li data-need="ticket">
      <StateMark state={ticket.state} />
      <div>
        <code>{ticket.id}</code> <strong><Text>{ticket.title}</Text></strong> <Reason code={ticket.reason} /> <span className="soft"><When at={ticket.state_since} /></span>
        {ticket.says !== null && <p className="why"><Text>{ticket.says}</Text></p>}
      </div>
      <Link to="/tickets/$ticket" params={{ ticket: ticket.id }} className="button" data-row aria-label={`${ticket.state === 'question' ? 'Answer' : 'Open'} ${ticket.id}`}>{ticket.state === 'question' ? 'Answer' : 'Open'}</Link>
    </li>
  )
}

function NeedOfAgent({ agent }: { readonly agent: Agent }): ReactNode {
  const wrong = differences(agent)
  return (
    <li data-need="agent">
      <StateMark state={agent.state ?? 'none'} />
      <div>
        <strong><Text>{agent.name}</Text></strong> agent <Reason code={agent.reason?.toLowerCase()} /> <span className="soft"><When at={agent.changed_at} /></span>
        {wrong.length > 0 ? <p className="why"><span className="soft">not who it should be:</span> <Text>{wrong.map((field) => `${field} is ${shortly(agent.observed?.[field])}, expected ${shortly(agent.expected?.[field])}`).join('; ')}</Text></p> : <p className="why"><Text>{agent.message}</Text></p>}
      </div>
      <Link to="/agents/$agent" params={{ agent: agent.name }} className="button" data-row aria-label={`Open agent ${agent.name}`}>Open</Link>
    </li>
  )
}

/** A profile that its last probe found unfit, with what that probe was told. */
function NeedOfProfile({ profile }: { readonly profile: Answers['listProfiles']['profiles'][number] }): ReactNode {
  const chain = useQuery({ ...verdicts(profile.run_id ?? ''), enabled: profile.run_id !== null, staleTime: Infinity })
  return (
    <li data-need="profile">
      <Mark outcome="block" word="unhealthy" />
      <div><strong><Text>{profile.profile}</Text></strong> profile <Reason code={profile.reason} /> <span className="soft">probed <When at={profile.probed_at} /></span><Why chain={chain.data} /></div>
      <Link to="/models" className="button" data-row aria-label={`Review profile ${profile.profile}`}>Review</Link>
    </li>
  )
}

/** What the last gate that did not pass has found, and what to do. */
function Why({ chain }: { readonly chain: Answers['listVerdicts'] | undefined }): ReactNode {
  const last = chain?.verdicts.findLast(({ verdict }) => verdict.outcome !== 'pass')?.verdict
  if (last === undefined) return null
  return <><p className="why"><span className="soft">{last.gate}</span> <Text>{last.outcome === 'block' ? last.found : last.message}</Text></p>{last.outcome === 'block' && <p className="why"><span className="soft">do</span> <Text>{last.remedy}</Text></p>}</>
}

const shortly = (value: string | readonly string[] | null | undefined): string => (typeof value === 'string' ? value.replace(/^sha256:(.{12}).*$/, '$1') : value == null ? 'unknown' : value.length === 0 ? 'none' : value.join(', '))

/** One task that stopped for one reason, however often: the last time stands for those before it. */
function NeedOfRun({ run, action, before = 0 }: { readonly run: Run; readonly action: string; readonly before?: number }): ReactNode {
  const chain = useQuery({ ...verdicts(run.runId), staleTime: Infinity })
  return (
    <li>
      <StateMark state={run.state} />
      <div>
        <strong><Text>{run.taskId}</Text></strong> <Reason code={run.reason} /> <span className="soft"><When at={run.endedAt ?? run.startedAt} />{before > 0 && `, and ${before === 1 ? 'once' : `${before} times`} before`}</span>
        <Why chain={chain.data} />
      </div>
      <Link to="/runs/$run" params={{ run: run.runId }} className="button" data-row aria-label={`${action}: ${run.taskId}`}>{action}</Link>
    </li>
  )
}

function LiveRuns(): ReactNode {
  const asked = useQuery(runs)
  return (
    <Card title="Runs" side={<Link to="/runs">All runs</Link>}>
      <Answer of={asked}>{(every) => {
        const all = every.filter(({ kind }) => !NO_WORK.has(kind))
        const live = all.filter((run) => run.endedAt === null)
        const shown = [...live, ...all.filter((run) => run.endedAt !== null)].slice(0, 12)
        if (shown.length === 0) return <Empty what="No run yet." first={<>Take one through the gates: <code>npx portcullis run task.yaml</code></>} />
        return (
          <>
            <p className="soft lead">{live.length === 0 ? 'None is live; the latest ones:' : `${live.length} live`}</p>
            <ul className="lines">{shown.map((run) => <li key={run.runId}><Link to="/runs/$run" params={{ run: run.runId }} data-row><StateMark state={run.state} /><span className="grow"><Text>{run.taskId}</Text></span><Reason code={run.reason} /><span className="soft"><When at={run.startedAt} /></span></Link></li>)}</ul>
          </>
        )
      }}</Answer>
    </Card>
  )
}
