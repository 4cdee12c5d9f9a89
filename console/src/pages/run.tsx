import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { act, type Answers, Refused } from '../api.ts'
import { Diff } from '../diff.tsx'
import { Pictures } from '../pictures.tsx'
import { Proof } from '../proof.tsx'
import { type Call, calls, patch, report, run as runQuestion, verdicts } from '../questions.ts'
import { Answer, Card, Confirm, Digest, Empty, Mark, type Outcome, Refusal, span, StateMark, Text, When } from '../ui.tsx'

type View = Answers['showRun']
type Chain = Answers['listVerdicts']['verdicts']
type Report = Answers['showReport']

export function RunPage({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(runQuestion(id))
  return <div className="page"><Answer of={asked} rows={8}>{(view) => <RunOf view={view} />}</Answer></div>
}

function RunOf({ view }: { readonly view: View }): ReactNode {
  const { run } = view
  const chain = useQuery(verdicts(run.runId))
  // Only a run that has ended has a report; asking before would show a refusal that is none.
  const told = useQuery({ ...report(run.runId), enabled: run.kind === 'task' && run.endedAt !== null, retry: false })
  const client = useQueryClient()
  const stopped = chain.data?.verdicts.findLast(({ verdict }) => verdict.outcome === 'block')?.verdict
  return (
    <>
      <div className="title">
        <StateMark state={run.state} /><h1><Text>{run.taskId}</Text></h1><code className="soft">{run.runId}</code><span className="soft">{run.kind}</span>
        <span className="acts">
          <Link to="/verify" search={{ run: run.runId }} className="button">Verify</Link>
          {view.running && <Confirm label="Cancel run" title={`Cancel run ${run.runId}`} consequence="Its agent is ended and the run fails. The ledger names you." act={(reason) => act('POST', `/runs/${run.runId}/cancel`, { reason })} after={() => void client.invalidateQueries({ queryKey: ['run', run.runId] })} />}
        </span>
      </div>
      {stopped?.outcome === 'block' && <Refusal title={`${run.state} at ${stopped.gate}`} code={stopped.reason} asked={stopped.asked} found={stopped.found} remedy={stopped.remedy} />}
      <Facts view={view} report={told.data} />
      <Card title="Verdicts" side={<span className="soft">each names the one before it</span>}><Answer of={chain}>{(data) => <Timeline chain={data.verdicts} startedAt={run.startedAt} />}</Answer></Card>
      <Wire id={run.runId} startedAt={run.startedAt} />
      {told.data !== undefined && <Proof id={run.runId} report={told.data} />}
      {run.kind === 'task' && <Pictures id={run.runId} ended={run.endedAt !== null} />}
      {run.kind === 'task' && run.endedAt !== null && <Patch id={run.runId} />}
      {told.data !== undefined && <Files id={run.runId} />}
      {told.error instanceof Refused && told.error.problem.code !== 'nothing_stored' && <Refusal title={told.error.problem.title} code={told.error.problem.code} asked={told.error.problem.asked} found={told.error.problem.found} remedy={told.error.problem.remedy} />}
    </>
  )
}

function Facts({ view: { run }, report: told }: { readonly view: View; readonly report: Report | undefined }): ReactNode {
  const rows: readonly (readonly [string, ReactNode])[] = [
    ['started', <When at={run.startedAt} />],
    [run.endedAt === null ? 'goes on' : 'took', run.endedAt === null ? <Mark outcome="running" word="live" /> : span(Date.parse(run.endedAt) - Date.parse(run.startedAt))],
    ...(told === undefined ? [] : ([
      ['profile', <Text>{told.profile}</Text>],
      ['agent', <Text>{told.agent === null ? null : `${told.agent.name} ${told.agent.version ?? ''}`}</Text>],
      ['model asked', <Text>{told.model?.requested}</Text>],
      ['model admitted', <Text>{told.model?.admitted}</Text>],
      ['model served', <strong><Text>{told.model === null || told.model.served.length === 0 ? 'none' : told.model.served.join(', ')}</Text></strong>],
      ['isolation', <Text>{told.isolation === null ? null : `${told.isolation.reached ?? 'not reached'}, ${told.isolation.required ?? 'none'} required`}</Text>],
    ] as const)),
  ]
  return <dl className="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
}

function Timeline({ chain, startedAt }: { readonly chain: Chain; readonly startedAt: string }): ReactNode {
  if (chain.length === 0) return <Empty what="No gate has decided yet." first="The first verdict appears here by itself." />
  return (
    <ol className="timeline">{chain.map(({ verdict, digest }, index) => {
      const before = chain[index - 1]
      const took = Date.parse(verdict.decidedAt) - Date.parse(before?.verdict.decidedAt ?? startedAt)
      const linked = verdict.previous === (before?.digest ?? null)
      return (
        <li key={digest} className={verdict.outcome}>
          <span className="stage">{verdict.gate}</span><Mark outcome={verdict.outcome} />
          <span className="grow"><Text>{verdict.message}</Text></span>
          {linked ? null : <Mark outcome="block" word="chain broken" />}
          <span className="soft number" title={verdict.decidedAt}>{span(took)}</span><Digest value={digest} />
        </li>
      )
    })}</ol>
  )
}

const CALL_OUTCOMES: Readonly<Record<Call['outcome'], Outcome>> = { answered: 'pass', refused: 'block', failed: 'block' }

function Wire({ id, startedAt }: { readonly id: string; readonly startedAt: string }): ReactNode {
  const asked = useQuery(calls(id))
  return (
    <Card title="Model calls" side={<span className="soft">what the wire saw</span>}>
      <Answer of={asked}>{(all) => {
        if (all.length === 0) return <Empty what="The wire saw no call." first="Nothing was asked of a model in this run." />
        const begin = Math.min(Date.parse(startedAt), ...all.map((call) => Date.parse(call.startedAt)))
        const end = Math.max(...all.map((call) => Date.parse(call.startedAt) + call.durationMs))
        const percent = (milliseconds: number): number => (100 * milliseconds) / Math.max(1, end - begin)
        return (
          <div className="scroll" tabIndex={0} role="group" aria-label="Model calls">
            <table className="calls">
              <thead><tr><th scope="col">#</th><th scope="col">outcome</th><th scope="col">asked</th><th scope="col">served</th><th scope="col">tokens</th><th scope="col">cost</th><th scope="col">time</th><th scope="col" className="chart">when</th></tr></thead>
              <tbody>{all.map((call, index) => (
                <tr key={index}>
                  <td>{call.number}</td>
                  <td><Mark outcome={CALL_OUTCOMES[call.outcome]} word={call.outcome} />{call.purpose === 'health' && <span className="soft"> health</span>}</td>
                  <td><Text>{call.requestedModel}</Text></td>
                  <td>{call.servedModel === null ? <span className="soft">none</span> : <Text>{call.servedModel}</Text>}{call.reason !== null && <p className="why"><Text>{call.detail ?? call.reason}</Text></p>}</td>
                  <td className="number">{call.usage === null ? '–' : `${call.usage.inputTokens.toLocaleString('en')} → ${call.usage.outputTokens.toLocaleString('en')}`}</td>
                  <td className="number">{call.costUsd === null ? <span title="no price is configured for this model">unknown</span> : `$${call.costUsd.toFixed(4)}`}</td>
                  <td className="number">{span(call.durationMs)}</td>
                  <td className="chart"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect x={percent(Date.parse(call.startedAt) - begin)} width={Math.max(0.6, percent(call.durationMs))} y="1" height="6" className={CALL_OUTCOMES[call.outcome]} /></svg></td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        )
      }}</Answer>
    </Card>
  )
}

function Patch({ id }: { readonly id: string }): ReactNode {
  const asked = useQuery(patch(id))
  return <Card title="Patch"><Answer of={asked}>{(text) => (text === null || text === '' ? <Empty what="The agent changed nothing." first="A run that was blocked before its agent started has no patch." /> : <Diff patch={text} />)}</Answer></Card>
}

const FILES = [['report', 'report.json'], ['report.md', 'report.md'], ['trace', 'trace.jsonl'], ['bundle', 'run.intoto.jsonl'], ['patch', 'workspace.patch']] as const
const Files = ({ id }: { readonly id: string }): ReactNode => <Card title="Files"><p className="files">{FILES.map(([path, name]) => <a key={path} href={`/runs/${id}/${path}`} download={`${id}-${name}`}>{name}</a>)}</p></Card>
