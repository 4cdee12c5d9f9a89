import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { admissions, overview, type Run, runs, verdicts } from '../questions.ts'
import { Answer, Card, Empty, Mark, Reason, StateMark, Text, useNow, When } from '../ui.tsx'

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

function Needs(): ReactNode {
  const current = useNow()
  const asked = useQuery(runs)
  const records = useQuery(admissions)
  return (
    <Card title="Needs a person now">
      <Answer of={asked}>{(all) => {
        const waiting = all.filter((run) => run.state === 'waiting')
        const stuck = all.filter((run) => run.kind !== 'approval' && (run.state === 'blocked' || run.state === 'failed') && run.endedAt !== null && current - Date.parse(run.endedAt) < DAY_MS)
        const groups = [...Map.groupBy(stuck, (run) => `${run.taskId} ${run.state} ${run.reason}`).values()]
        const ending = records.data?.admissions.filter(({ expiry, problems }) => expiry === 'expired' || expiry === 'soon' || problems.length > 0) ?? []
        if (records.data === undefined && records.error !== null) return <Empty what="What expires could not be asked." first="Everything else on this page holds." />
        if (waiting.length + stuck.length + ending.length === 0) return <Empty what="Nothing waits for you." first="Runs that are blocked or wait, and records that end within a week, stand here." />
        return (
          <ul className="needs">
            {waiting.map((run) => <NeedOfRun key={run.runId} run={run} action="Decide" />)}
            {groups.slice(0, MOST).map(([run, ...before]) => run !== undefined && <NeedOfRun key={run.runId} run={run} action="See why" before={before.length} />)}
            {ending.map((record) => (
              <li key={record.path}>
                <Mark outcome={record.expiry === 'expired' || record.problems.length > 0 ? 'block' : 'waiting'} word={record.problems.length > 0 ? 'invalid' : record.expiry === 'soon' ? 'expires' : 'expired'} />
                <div><strong><Text>{record.pair ?? record.path}</Text></strong> {record.problems.length > 0 ? <Text>{record.problems[0]}</Text> : <>admission record ends <When at={record.expiresAt} /></>}</div>
                <Link to="/models" className="button">Review</Link>
              </li>
            ))}
            {groups.length > MOST && <li><span /><span className="soft">{groups.length - MOST} more kinds that are blocked or failed</span><Link to="/runs" search={{ state: 'stuck' }} className="button">All</Link></li>}
          </ul>
        )
      }}</Answer>
    </Card>
  )
}

/** One task that stopped for one reason, however often: the last time stands for those before it. */
function NeedOfRun({ run, action, before = 0 }: { readonly run: Run; readonly action: string; readonly before?: number }): ReactNode {
  const chain = useQuery({ ...verdicts(run.runId), staleTime: Infinity })
  const last = chain.data?.verdicts.findLast(({ verdict }) => verdict.outcome !== 'pass')?.verdict
  return (
    <li>
      <StateMark state={run.state} />
      <div>
        <strong><Text>{run.taskId}</Text></strong> <Reason code={run.reason} /> <span className="soft"><When at={run.endedAt ?? run.startedAt} />{before > 0 && `, and ${before === 1 ? 'once' : `${before} times`} before`}</span>
        {last !== undefined && <p className="why"><span className="soft">{last.gate}</span> <Text>{last.outcome === 'block' ? last.found : last.message}</Text></p>}
        {last?.outcome === 'block' && <p className="why"><span className="soft">do</span> <Text>{last.remedy}</Text></p>}
      </div>
      <Link to="/runs/$run" params={{ run: run.runId }} className="button" data-row aria-label={`${action}: ${run.taskId}`}>{action}</Link>
    </li>
  )
}

function LiveRuns(): ReactNode {
  const asked = useQuery(runs)
  return (
    <Card title="Runs" side={<Link to="/runs">All runs</Link>}>
      <Answer of={asked}>{(all) => {
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
