import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Answers } from './api.ts'
import { aliases, health } from './questions.ts'
import { Answer, Card, Empty, Mark, type Outcome, Reason, Text, When } from './ui.tsx'

type AliasRow = Answers['listAliases']['aliases'][number]
type Candidate = AliasRow['candidates'][number]
const STATES = {
  chosen: ['pass', 'chosen'], asked_first: ['waiting', 'would be asked'], passed_over: ['block', 'passed over'], stops: ['block', 'stops here'], reserve: ['abstain', 'in reserve'], not_reached: ['abstain', 'not reached'],
} as const satisfies Record<Candidate['state'], readonly [Outcome, string]>

/** What each alias means now, and why: its candidates in the order in which a run would meet them. */
export function Aliases(): ReactNode {
  const asked = useQuery(aliases)
  return (
    <Card title="Aliases" side={<span className="soft">the candidates as a run would meet them now</span>}>
      <Answer of={asked}>{({ aliases: rows, unused }) => (rows.length === 0 && unused.length === 0 ? <p className="soft">No alias is configured: every profile names its exact model. One under <code>aliases</code> in portcullis.yaml moves profiles from model to model.</p> : (
        <>
          {merged(rows).map(({ row, purposes }) => <Alias key={`${row.profile} ${row.purpose}`} row={row} purposes={purposes} />)}
          {unused.length > 0 && <p className="soft">No profile leads to {unused.map((name, index) => <span key={name}>{index === 0 ? null : ', '}<Text>{name}</Text></span>)}.</p>}
        </>
      ))}</Answer>
    </Card>
  )
}

/** A profile means the same for most of its purposes: those that do stand once. */
function merged(rows: readonly AliasRow[]): readonly { readonly row: AliasRow; readonly purposes: readonly string[] }[] {
  const groups = Map.groupBy(rows, (row) => JSON.stringify({ ...row, purpose: null }))
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [{ row: group[0], purposes: group.map(({ purpose }) => purpose) }]))
}

function Alias({ row: { alias, profile, overridden, on_unhealthy: onUnhealthy, resolves_to: pair, candidates, refusal }, purposes }: { readonly row: AliasRow; readonly purposes: readonly string[] }): ReactNode {
  return (
    <section className="alias" aria-label={`${alias} for ${profile}, ${purposes.join(', ')}`} data-alias={alias} data-resolves={pair ?? ''}>
      <h3><Text>{alias}</Text> <span className="soft">→</span> {pair === null ? <Mark outcome="block" word="nothing" /> : <code><Text>{pair}</Text></code>}
        <span className="soft">for <Text>{profile}</Text>, <Text>{purposes.join(', ')}</Text>{overridden && ', by aliases.json'}{onUnhealthy !== null && candidates.length > 1 && (onUnhealthy === 'next-admitted' ? '; one that does not answer is passed over' : '; one that does not answer blocks the run')}</span></h3>
      {refusal !== null && candidates.length === 0 && <p className="why"><Reason code={refusal.reason} /> <Text>{refusal.found}</Text>. <span className="soft">do</span> <Text>{refusal.remedy}</Text></p>}
      <ol className="lines">{candidates.map((candidate) => (
        <li key={candidate.pair} data-candidate={candidate.pair} data-state={candidate.state}><div>
          <Mark outcome={STATES[candidate.state][0]} word={STATES[candidate.state][1]} /><code className="stage"><Text>{candidate.pair}</Text></code>
          <span className="grow"><Reason code={candidate.reason} /> <Text>{candidate.why}</Text>{candidate.steps.length > 1 && <span className="soft"> by <Text>{candidate.steps.join(' → ')}</Text></span>}</span>
          {candidate.asked_at !== null && candidate.run_id !== null && <span className="soft">asked <Link to="/runs/$run" params={{ run: candidate.run_id }}><When at={candidate.asked_at} /></Link></span>}
        </div></li>
      ))}</ol>
    </section>
  )
}

const HEALTH: Readonly<Record<string, Outcome>> = { healthy: 'pass', unhealthy: 'block', unknown: 'unknown', going_on: 'running' }

/** How each profile answered its last probes; the newest stands first. */
export function Health(): ReactNode {
  const asked = useQuery(health)
  return (
    <Card title="Health" side={<span className="soft">of each profile, by real calls; the newest first</span>}>
      <Answer of={asked}>{({ profiles: rows }) => (rows.length === 0 ? <Empty what="No profile is configured." first="Name one in portcullis.yaml." /> : (
        <ul className="lines health">{rows.map(({ profile, health: now, reason, probed_at: at, history }) => (
          <li key={profile} data-profile={profile} data-health={now}><div>
            <Mark outcome={HEALTH[now] ?? 'unknown'} word={now} /><span className="stage"><Text>{profile}</Text></span>
            <ol className="probes" aria-label={`Probes of ${profile}`}>{history.map((probe) => (
              <li key={probe.run_id} data-found={probe.found}><Link to="/runs/$run" params={{ run: probe.run_id }} title={`${probe.at}: ${probe.found.replaceAll('_', ' ')}${probe.reason === null ? '' : `, ${probe.reason.replaceAll('_', ' ')}`}${probe.as_today ? '' : '; the profile meant something else then'}`}><Mark outcome={HEALTH[probe.found] ?? 'unknown'} word={probe.found.replaceAll('_', ' ')} /></Link></li>
            ))}</ol>
            <span className="grow"><Reason code={reason} /></span><span className="soft">{at === null ? 'never asked' : <When at={at} />}</span>
          </div></li>
        ))}</ul>
      ))}</Answer>
    </Card>
  )
}
