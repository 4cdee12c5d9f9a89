import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Answers } from '../api.ts'
import { Aliases, Health } from '../model-health.tsx'
import { admissions, profiles } from '../questions.ts'
import { Answer, Card, Empty, Mark, type Outcome, Refusal, Text, When } from '../ui.tsx'

export function Models(): ReactNode {
  return <div className="page"><h1>Models</h1><Aliases /><Health /><Matrix /><Records /></div>
}

type Row = Answers['showMatrix']['profiles'][number]

/** The profile does not list the purpose: a rule that somebody wrote, and nothing to mend. A run that tries is refused all the same. */
const NOT_MEANT = 'runtime_purpose_violation'

function Matrix(): ReactNode {
  const asked = useQuery(profiles)
  return (
    <Card title="Profile and purpose" side={<span className="soft">catalog and admission, asked now</span>}>
      <Answer of={asked}>{({ profiles: rows }) => (rows.length === 0 ? <Empty what="No profile is configured." first="Name one in portcullis.yaml." /> : <><Grid rows={rows} /><Refusals rows={rows} /></>)}</Answer>
    </Card>
  )
}

function Grid({ rows }: { readonly rows: readonly Row[] }): ReactNode {
  const purposes = rows[0]?.purposes.map(({ purpose }) => purpose) ?? []
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Profile and purpose">
      <table className="grid">
        <thead><tr><th scope="col">profile</th><th scope="col">means now</th>{purposes.map((purpose) => <th scope="col" key={purpose}><Text>{purpose}</Text></th>)}</tr></thead>
        <tbody>{rows.map((row) => {
          const resolved = row.purposes.find((each) => each.resolved !== null)
          return (
            <tr key={row.profile}>
              <th scope="row"><Text>{row.profile}</Text><p className="why soft"><Text>{`${row.agent} · isolation ${row.isolation}`}</Text></p></th>
              <td>{resolved === undefined ? <Mark outcome="block" word="nothing" /> : <Text>{resolved.resolved}</Text>}{resolved !== undefined && !resolved.resolved?.endsWith(row.model) && <p className="why soft">first of alias <Text>{row.model}</Text></p>}</td>
              {row.purposes.map((each) => <td key={each.purpose}>{each.permitted ? <Mark outcome="pass" word={each.status.replaceAll('_', ' ')} /> : each.refusal?.reason === NOT_MEANT ? <Mark outcome="abstain" word="not meant for it" /> : <Mark outcome="block" word={(each.refusal?.reason ?? each.status).replaceAll('_', ' ')} />}</td>)}
            </tr>
          )
        })}</tbody>
      </table>
    </div>
  )
}

function Refusals({ rows }: { readonly rows: readonly Row[] }): ReactNode {
  const refused = rows.flatMap((row) => row.purposes.flatMap(({ purpose, refusal }) => (refusal === null || refusal.reason === NOT_MEANT ? [] : [{ profile: row.profile, purpose, ...refusal }])))
  if (refused.length === 0) return null
  return <details className="more"><summary>{refused.length} refused: why, and what to do</summary>{refused.map((each) => <Refusal key={`${each.profile} ${each.purpose}`} title={`${each.profile} for ${each.purpose}`} code={each.reason} asked={each.asked} found={each.found} remedy={each.remedy} />)}</details>
}

const EXPIRY: Readonly<Record<string, Outcome>> = { expired: 'block', soon: 'waiting', later: 'pass', never: 'unknown' }

function Records(): ReactNode {
  const asked = useQuery(admissions)
  return (
    <Card title="Admission records" side={<span className="soft">those that end first at the top</span>}>
      <Answer of={asked}>{({ admissions: rows }) => (rows.length === 0 ? <Empty what="No record: every model is refused." first={<>Have a pair approved: <code>npx portcullis admit create</code></>} /> : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Admission records">
          <table>
            <thead><tr><th scope="col">pair</th><th scope="col">status</th><th scope="col">ends</th><th scope="col">agent</th><th scope="col">stages</th><th scope="col">endpoint</th><th scope="col">file</th></tr></thead>
            <tbody>{rows.map((row) => (
              <tr key={row.path}>
                <th scope="row"><Text>{row.pair ?? 'unreadable'}</Text></th>
                <td>{row.problems.length > 0 ? <><Mark outcome="block" word="invalid" /><p className="why"><Text>{row.problems.join('; ')}</Text></p></> : <Text>{row.status}</Text>}</td>
                <td>{row.expiry === null ? '–' : <Mark outcome={EXPIRY[row.expiry] ?? 'unknown'} word={row.expiry} />} {row.expiresAt === null ? null : <When at={row.expiresAt} />}</td>
                <td><Text>{row.runtime ?? 'any'}</Text></td><td><Text>{row.stages.length === 0 ? 'none' : row.stages.join(', ')}</Text></td><td>{row.endpointBound ? 'bound' : 'not bound'}</td><td><code><Text>{row.path}</Text></code></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      ))}</Answer>
    </Card>
  )
}
