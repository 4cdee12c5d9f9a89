import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Answers } from './api.ts'
import { probeOutputs } from './questions.ts'
import { Card, Digest, Empty, Fault, Mark, type Outcome, plain, Text } from './ui.tsx'

type Report = Answers['showReport']
type Printed = Answers['listProbeOutputs']['probes'][number]

const PROBE_OUTCOMES: Readonly<Record<string, Outcome>> = { passed: 'pass', failed: 'block', met: 'pass', not_met: 'block' }

/** On what was not worked on, a probe must fail: one that passes there proves nothing. */
function ProbeMark({ phase, status }: { readonly phase: string; readonly status: string }): ReactNode {
  const mustFail = phase === 'untouched' || phase === 'fake'
  if (mustFail && status === 'failed') return <Mark outcome="pass" word="failed, as it must" />
  if (mustFail && status === 'passed') return <Mark outcome="block" word="passed, proves nothing" />
  return <Mark outcome={PROBE_OUTCOMES[status] ?? 'unknown'} word={status} />
}

/** What was judged item by item, with what each probe printed, and the comparison with what is reached without the agent. */
export function Proof({ id, report: { acceptance, baseline } }: { readonly id: string; readonly report: Report }): ReactNode {
  const asked = useQuery(probeOutputs(id))
  const printed = new Map(asked.data?.probes.map((probe) => [`sha256:${probe.evidence}`, probe]))
  return (
    <Card title="Acceptance" side={baseline === null ? null : <span className="soft">against the baseline: <Text>{baseline.comparison}</Text></span>}>
      {acceptance.length === 0 ? <Empty what="No item was judged." first="The run ended before its work was." /> : (
        <ul className="items">{acceptance.map((item) => (
          <li key={item.id}>
            <p><Mark outcome={PROBE_OUTCOMES[item.status] ?? 'unknown'} word={item.status.replaceAll('_', ' ')} /> <Text>{item.text}</Text></p>
            <ul className="lines">{item.runtime_probe_evidence.map((probe, index) => <li key={index}><div><span className="soft stage"><Text>{probe.phase}</Text></span><ProbeMark phase={probe.phase} status={probe.status} /><code><Text>{probe.probe}</Text></code><span className="grow"><Text>{probe.summary}</Text></span>{probe.evidence === null ? null : <Digest value={probe.evidence} />}</div><Output of={printed.get(probe.evidence)} /></li>)}</ul>
          </li>
        ))}</ul>
      )}
      {asked.error !== null && <Fault error={asked.error} />}
      {baseline !== null && <Comparison checks={baseline.checks} />}
    </Card>
  )
}

/** The beginning and the end of what a probe printed; one that printed nothing shows nothing. */
function Output({ of }: { readonly of: Printed | undefined }): ReactNode {
  const parts = ([['stdout', of?.stdout], ['stderr', of?.stderr]] as const).flatMap(([name, preview]) => (preview == null || preview.bytes === 0 ? [] : [{ name, preview }]))
  if (of === undefined || parts.length === 0) return null
  return (
    <details className="output" data-output={`${of.probe} ${of.phase}`}>
      <summary>what it printed <span className="soft">{parts.map(({ name, preview }) => `${name} ${preview.bytes.toLocaleString('en')} bytes`).join(', ')}</span></summary>
      {parts.map(({ name, preview }) => <pre key={name} tabIndex={0} role="group" aria-label={`${name} of ${plain(of.probe)}`}>{plain(preview.truncated ? `${preview.head}\n[…]\n${preview.tail}` : `${preview.head}${preview.tail}`)}</pre>)}
    </details>
  )
}

/** Check by check: what doing nothing achieves beside what the agent did. */
function Comparison({ checks }: { readonly checks: NonNullable<Report['baseline']>['checks'] }): ReactNode {
  if (checks.length === 0) return null
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Comparison with the baseline">
      <table className="comparison">
        <thead><tr><th scope="col">check</th><th scope="col">untouched</th><th scope="col">fake backend</th><th scope="col">reference</th><th scope="col">result</th><th scope="col">better</th></tr></thead>
        <tbody>{checks.map(({ check, untouched, fake, reference, result, better }) => (
          <tr key={check} data-better={better}><th scope="row"><Text>{check}</Text></th>{[untouched, fake, reference, result].map((status, index) => <td key={index}>{status === null ? <span className="soft">–</span> : <Text>{status.replaceAll('_', ' ')}</Text>}</td>)}<td>{better ? <Mark outcome="pass" word="yes" /> : <Mark outcome="block" word="no" />}</td></tr>
        ))}</tbody>
      </table>
    </div>
  )
}

