import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { act } from '../api.ts'
import { access, acts, tokens } from '../questions.ts'
import { Answer, Card, Confirm, Empty, Mark, type Outcome, plain, Reason, Text, When } from '../ui.tsx'

const STATES: Readonly<Record<string, Outcome>> = { live: 'pass', expired: 'abstain', revoked: 'block', closed: 'abstain' }

export function Access(): ReactNode {
  return <div className="page"><h1>Access</h1><Tokens /><Acts /><Decisions /></div>
}

function Tokens(): ReactNode {
  const asked = useQuery(tokens)
  const client = useQueryClient()
  return (
    <Card title="Tokens" side={<code className="soft">npx portcullis tokens create</code>}>
      <Answer of={asked}>{({ access: given }) => (
        <div className="scroll" tabIndex={0} role="group" aria-label="Tokens">
          <table>
            <thead><tr><th scope="col">holder</th><th scope="col">kind</th><th scope="col">state</th><th scope="col">last use</th><th scope="col">ends</th><th scope="col"><span className="hidden">act</span></th></tr></thead>
            <tbody>{given.map((token) => (
              <tr key={token.id}>
                <th scope="row"><Text>{token.name}</Text></th><td>{token.kind}</td><td><Mark outcome={STATES[token.state] ?? 'unknown'} word={token.state} /></td>
                <td>{token.lastUsedAt === null ? <span className="soft">never</span> : <When at={token.lastUsedAt} />}</td><td><When at={token.expiresAt} /></td>
                <td>{token.state === 'live' && <Confirm label="Revoke" title={`Revoke the token of ${token.name}`} consequence="It opens nothing from the next request on, and cannot be put in force again. Sessions made with it end. The ledger names you." act={(reason) => act('POST', `/tokens/${token.id}/revoke`, { reason })} after={() => void client.invalidateQueries()} />}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}</Answer>
    </Card>
  )
}

function Decisions(): ReactNode {
  const asked = useQuery(access)
  const names = new Map(useQuery(tokens).data?.access.map(({ id, name }) => [id, name]))
  return (
    <Card title="Decisions about access" side={<span className="soft">the last hundred, newest first</span>}>
      <Answer of={asked}>{({ decisions }) => (decisions.length === 0 ? <Empty what="None yet." first="Each request leaves one." /> : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Decisions">
          <table>
            <thead><tr><th scope="col">when</th><th scope="col">decided</th><th scope="col">request</th><th scope="col">holder</th><th scope="col">from</th></tr></thead>
            <tbody>{decisions.map((each) => (
              <tr key={each.position}><td><When at={each.at} /></td><td>{each.permitted ? <Mark outcome="pass" word="let in" /> : <Mark outcome="block" word={(each.denial ?? 'refused').replaceAll('_', ' ')} />}</td><td><code><Text>{`${each.method} ${each.route}`}</Text></code></td><td><span title={each.holder === null ? undefined : plain(each.holder)}><Text>{each.holder === null ? null : (names.get(each.holder) ?? each.holder)}</Text></span> <span className="soft">{each.kind}</span></td><td><Text>{each.address}</Text></td></tr>
            ))}</tbody>
          </table>
        </div>
      ))}</Answer>
    </Card>
  )
}

const CAME = { done: 'pass', refused: 'block', failed: 'block' } as const satisfies Record<string, Outcome>

function Acts(): ReactNode {
  const asked = useInfiniteQuery(acts)
  return (
    <Card title="What people did" side={<span className="soft">in the chain, newest first</span>}>
      <Answer of={{ ...asked, data: asked.data?.pages.flatMap((page) => page.acts) }}>{(rows) => (rows.length === 0 ? <Empty what="Nothing that cannot be taken back." first="Whoever stops, restarts or revokes something stands here, with the reason." /> : (
        <div className="scroll" tabIndex={0} role="group" aria-label="What people did">
          <table>
            <thead><tr><th scope="col">when</th><th scope="col">who</th><th scope="col">did</th><th scope="col">to</th><th scope="col">because</th><th scope="col">came of it</th></tr></thead>
            <tbody>{rows.map((row) => <tr key={row.position}><td><When at={row.at} /></td><th scope="row"><Text>{row.actor}</Text> <span className="soft">{row.kind}</span></th><td>{row.act.replaceAll('_', ' ')}</td><td><code><Text>{row.object}</Text></code></td><td>{row.reason === null ? <span className="soft">no reason given</span> : <Text>{row.reason}</Text>}</td><td>{row.outcome === null ? <Mark outcome="unknown" word="not known" /> : <><Mark outcome={CAME[row.outcome.outcome]} word={row.outcome.outcome} /> <Reason code={row.outcome.code} /></>}</td></tr>)}</tbody>
          </table>
        </div>
      ))}</Answer>
      {asked.hasNextPage && <p className="acts"><button type="button" disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>Earlier ones</button></p>}
    </Card>
  )
}
