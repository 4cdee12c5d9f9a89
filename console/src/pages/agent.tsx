import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { differences, FIELDS, Ready, same } from '../agent-parts.tsx'
import { act, type Answers } from '../api.ts'
import { agent as agentQuestion } from '../questions.ts'
import { Answer, Card, Confirm, Digest, Empty, Mark, type Outcome, plain, Reason, span, StateMark, Text, useNow, When } from '../ui.tsx'

type Shown = Answers['showAgent']
type Step = Shown['history']['steps'][number]

export function AgentPage({ name }: { readonly name: string }): ReactNode {
  const asked = useQuery(agentQuestion(name))
  return <div className="page"><Answer of={asked} rows={8}>{(shown) => <AgentOf shown={shown} />}</Answer></div>
}

function AgentOf({ shown }: { readonly shown: Shown }): ReactNode {
  const wrong = differences(shown)
  return (
    <>
      <div className="title">
        {shown.state === null ? <Mark outcome="abstain" word="never started" /> : <StateMark state={shown.state} />}<h1><Text>{shown.name}</Text></h1><Reason code={shown.reason?.toLowerCase()} /><Ready agent={shown} />
        <Acts shown={shown} />
      </div>
      {shown.message !== null && shown.message !== '' && <p className="status-line"><span><Text>{shown.message}</Text></span></p>}
      <dl className="facts">
        <div><dt>deployment</dt><dd><Text>{shown.deployment}</Text></dd></div>
        <div><dt>generation</dt><dd>{shown.generation ?? '–'} <span className="soft">{shown.path?.replaceAll('_', ' ')}</span></dd></div>
        <div><dt>stage</dt><dd>{shown.stage ?? '–'}</dd></div>
        <div><dt>proof ends</dt><dd><When at={shown.proven_until} /></dd></div>
        <div><dt>heartbeat</dt><dd><When at={shown.heartbeat_at} /></dd></div>
        <div><dt>changed</dt><dd><When at={shown.changed_at} /></dd></div>
        <div><dt>run</dt><dd>{shown.run_id === null ? '–' : <Link to="/runs/$run" params={{ run: shown.run_id }}>verdicts</Link>}</dd></div>
      </dl>
      <div className="columns">
        <Sides shown={shown} wrong={wrong.length} />
        <Conditions shown={shown} />
      </div>
      <History steps={shown.history.steps} />
    </>
  )
}

const LIVE: readonly unknown[] = ['online', 'degraded', 'provisioning']

/** Each through the gate: a generation that begins has to prove itself, and nothing here raises anybody. */
function Acts({ shown }: { readonly shown: Shown }): ReactNode {
  const client = useQueryClient()
  const after = (): void => void client.invalidateQueries({ queryKey: ['agents'] })
  const send = (word: 'start' | 'restart' | 'wake' | 'drain' | 'stop') => (reason: string): Promise<unknown> => act('POST', `/agents/${encodeURIComponent(shown.name)}/${word}`, { reason })
  const live = LIVE.includes(shown.state)
  const { name } = shown
  return (
    <span className="acts">
      {live && <Confirm label="Drain" title={`Drain agent ${name}`} consequence="It gets no new message, and is ended when its last answer is out." act={send('drain')} after={after} />}
      {(live || shown.state === 'draining') && <Confirm label="Stop" title={`Stop agent ${name}`} consequence="Its process and its licence end at once; an answer that is under way is cut off." act={send('stop')} after={after} />}
      {live && <Confirm label="Restart" title={`Restart agent ${name}`} consequence="This generation ends. A new one begins with the seed that was proven last, and is asked nothing until it has proven itself." act={send('restart')} after={after} />}
      {shown.state === 'offline' && <Confirm label="Wake" title={`Wake agent ${name}`} consequence="A new generation begins with the seed that was proven last, and is asked nothing until it has proven itself." act={send('wake')} after={after} />}
      {(shown.state === null || shown.state === 'failed' || shown.state === 'removed') && <Confirm label="Start" title={`Start agent ${name}`} consequence="A new generation begins, and is asked nothing until it has proven itself." act={send('start')} after={after} />}
    </span>
  )
}

function Sides({ shown: { expected, observed }, wrong }: { readonly shown: Shown; readonly wrong: number }): ReactNode {
  const show = (value: string | readonly string[] | null | undefined): ReactNode => (typeof value === 'string' && value.startsWith('sha256:') ? <Digest value={value} /> : <Text>{typeof value === 'string' ? value : value === null || value === undefined ? null : value.length === 0 ? 'none' : value.join(', ')}</Text>)
  return (
    <Card title="Expected and observed" side={observed === null ? <Mark outcome="unknown" word="nobody was seen" /> : wrong > 0 ? <Mark outcome="block" word="not who it should be" /> : null}>
      <div className="scroll" tabIndex={0} role="group" aria-label="Expected and observed">
        <table className="sides">
          <thead><tr><th scope="col"><span className="hidden">field</span></th><th scope="col">expected</th><th scope="col">observed</th><th scope="col"><span className="hidden">same</span></th></tr></thead>
          <tbody>{FIELDS.map((field) => {
            const equal = same(field, expected, observed)
            return <tr key={field} data-field={field}><th scope="row">{field}</th><td>{show(expected?.[field])}</td><td>{show(observed?.[field])}</td><td>{equal === undefined ? <Mark outcome="unknown" word="not known" /> : equal ? <Mark outcome="pass" word="same" /> : <Mark outcome="block" word="differs" />}</td></tr>
          })}</tbody>
        </table>
      </div>
    </Card>
  )
}

const STATUS: Readonly<Record<string, readonly [Outcome, string]>> = { True: ['pass', 'true'], False: ['block', 'false'], Unknown: ['unknown', 'unknown'] }

function Conditions({ shown: { conditions } }: { readonly shown: Shown }): ReactNode {
  return (
    <Card title="Conditions" side={<span className="soft">since its last change each</span>}>
      {conditions.length === 0 ? <Empty what="Nothing was looked at yet." first="Its first generation writes them." /> : (
        <ul className="lines conditions">{conditions.map((condition) => {
          const [outcome, word] = STATUS[condition.status] ?? ['unknown', condition.status]
          return <li key={condition.type} data-condition={condition.type}><div><span className="stage">{condition.type}</span><Mark outcome={outcome} word={word} /><span className="grow"><code className="soft"><Text>{condition.reason}</Text></code> <Text>{condition.message}</Text></span><span className="soft number" title={`seen in generation ${condition.observedGeneration}`}>g{condition.observedGeneration} · <When at={condition.lastTransitionTime} /></span></div></li>
        })}</ul>
      )}
    </Card>
  )
}

const MOST_STEPS = 200

function History({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  return (
    <Card title="History" side={<span className="soft">{steps.length} steps, none left out</span>}>
      {steps.length === 0 ? <Empty what="It was never started." first="Start it above; every step stands here." /> : (
        <>
          <Strip steps={steps} />
          <ol className="activity">{steps.toReversed().slice(0, MOST_STEPS).map((step) => (
            <li key={step.position}><p className="event-head"><span className="soft number">{step.generation}</span><StateMark state={step.to} /><Reason code={step.reason} /><span className="soft">{step.path.replaceAll('_', ' ')}, {step.stage}</span><span className="soft number"><When at={step.at} /></span></p>{step.message !== '' && <p className="prose"><Text>{step.message}</Text></p>}</li>
          ))}</ol>
        </>
      )}
    </Card>
  )
}

/** Its states over time, the last ones at the right; how long each lasted is told on hover. */
function Strip({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  const now = useNow()
  const shown = steps.slice(-60)
  const begin = Date.parse(shown[0]?.at ?? '')
  const whole = Math.max(1, now - begin)
  return (
    <svg className="strip" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`States of the last ${span(whole)}`}>
      {shown.map((step, index) => {
        const from = Date.parse(step.at)
        const to = Date.parse(shown[index + 1]?.at ?? new Date(now).toISOString())
        return <rect key={step.position} x={(100 * (from - begin)) / whole} width={Math.max(0.4, (100 * (to - from)) / whole)} y="0" height="10" className={`state-${step.to}`}><title>{plain(`${step.to} for ${span(to - from)}, from ${step.at}`)}</title></rect>
      })}
    </svg>
  )
}
