import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { differences, Ready } from '../agent-parts.tsx'
import type { Answers } from '../api.ts'
import { agents } from '../questions.ts'
import { Answer, Card, Choice, Empty, Mark, Reason, StateMark, Text, When } from '../ui.tsx'

type Fleet = Answers['listAgents']
export type AgentRow = Fleet['agents'][number]
const STATES = ['online', 'provisioning', 'degraded', 'failed', 'draining', 'offline', 'removed', 'wrong'] as const

export const agentsSearch = ({ state, text }: Record<string, unknown>): { readonly state?: string; readonly text?: string } => ({
  ...(typeof state === 'string' && (STATES as readonly string[]).includes(state) ? { state } : {}),
  ...(typeof text === 'string' && text !== '' ? { text: text.slice(0, 200) } : {}),
})

const fits = (agent: AgentRow, { state, text }: ReturnType<typeof agentsSearch>): boolean =>
  (state === undefined || (state === 'wrong' ? agent.state === 'failed' || differences(agent).length > 0 : agent.state === state)) && (text === undefined || `${agent.name} ${agent.deployment} ${agent.reason ?? ''}`.toLowerCase().includes(text.toLowerCase()))

export function Agents(): ReactNode {
  const search = useSearch({ from: '/agents' })
  const navigate = useNavigate({ from: '/agents' })
  const asked = useQuery(agents)
  const change = (changed: Record<string, string>): void => void navigate({ search: (before) => agentsSearch({ ...before, ...changed }), replace: true })
  return (
    <div className="page">
      <div className="filters">
        <h1>Agents</h1>
        <input type="search" aria-label="Search agents" placeholder="name, deployment or reason" value={search.text ?? ''} onChange={(event) => change({ text: event.target.value })} />
        <Choice label="State" value={search.state} options={STATES} choose={(state) => change({ state })} />
      </div>
      <Answer of={asked} rows={8}>{(fleet) => (fleet.agents.length === 0 ? <Empty what="No agent that lives on is described." first={<>Describe one under <code>agents</code> in portcullis.yaml: examples/concierge shows how.</>} /> : <Listed fleet={fleet} search={search} />)}</Answer>
    </div>
  )
}

/** Who is not the one that was meant stands first; among equals by name. */
const rank = (agent: AgentRow): number => (differences(agent).length > 0 ? 0 : agent.state === 'failed' ? 1 : agent.routable ? 3 : 2)
const MOST_AGENTS = 300

function Listed({ fleet, search }: { readonly fleet: Fleet; readonly search: ReturnType<typeof agentsSearch> }): ReactNode {
  const rows = fleet.agents.filter((agent) => fits(agent, search)).toSorted((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name))
  return (
    <>
      <dl className="facts">{fleet.deployments.map(({ deployment, total, healthy, unready }) => <div key={deployment}><dt><Text>{deployment}</Text></dt><dd><Mark outcome={unready === 0 ? 'pass' : 'block'} word={`${healthy} of ${total} may be asked`} /></dd></div>)}</dl>
      {rows.length === 0 ? <Empty what="No agent fits these filters." first="Choose another state, or search for something else." /> : (
        <Card title="Who each must be, and who was seen" side={<span className="soft">{rows.length.toLocaleString('en')} of {fleet.agents.length.toLocaleString('en')}</span>}>
          <div className="scroll" tabIndex={0} role="group" aria-label="Agents">
            <table className="agents">
              <thead><tr><th scope="col">agent</th><th scope="col">state</th><th scope="col">expected</th><th scope="col">observed</th><th scope="col">model</th><th scope="col">tools</th><th scope="col">proof ends</th><th scope="col">generation</th></tr></thead>
              <tbody>{rows.slice(0, MOST_AGENTS).map((agent) => <Row key={agent.name} agent={agent} />)}</tbody>
            </table>
          </div>
          {rows.length > MOST_AGENTS && <p className="soft lead">{(rows.length - MOST_AGENTS).toLocaleString('en')} more: search for a name or a deployment.</p>}
        </Card>
      )}
    </>
  )
}

function Row({ agent }: { readonly agent: AgentRow }): ReactNode {
  const { expected, observed } = agent
  const wrong = differences(agent)
  return (
    <tr data-agent={agent.name}>
      <th scope="row"><Link to="/agents/$agent" params={{ agent: agent.name }} data-row><Text>{agent.name}</Text></Link><p className="why soft"><Text>{agent.deployment}</Text></p></th>
      <td>{agent.state === null ? <Mark outcome="abstain" word="never started" /> : <StateMark state={agent.state} />} <Reason code={agent.reason?.toLowerCase()} /><p className="why"><Ready agent={agent} /></p></td>
      <td><Text>{expected === null ? null : `${expected.name} ${expected.version ?? ''}`}</Text></td>
      <td>{observed === null ? <span className="soft">nobody was seen</span> : <><Text>{`${observed.name} ${observed.version ?? ''}`}</Text>{wrong.length > 0 && <p className="why"><Mark outcome="block" word={`differs: ${wrong.join(', ')}`} /></p>}</>}</td>
      <td><Text>{observed?.model ?? expected?.model}</Text></td>
      <td><Text>{observed === null ? (expected?.tools.length === 0 ? 'none' : expected?.tools.join(', ')) : observed.tools.length === 0 ? 'none' : observed.tools.join(', ')}</Text></td>
      <td><When at={agent.proven_until} /></td>
      <td className="number">{agent.generation ?? '–'} <span className="soft">{agent.path?.replaceAll('_', ' ')}</span></td>
    </tr>
  )
}
