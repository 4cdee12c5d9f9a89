import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { getText } from '../api.ts'
import { keys as keysQuestion } from '../questions.ts'
import { Card, Digest, Empty, Fault, Mark, Skeleton, Text } from '../ui.tsx'
import { type Checked, checkBundle, type PublicKey, sha256Hex } from '../verify-bundle.ts'

export const verifySearch = ({ run }: Record<string, unknown>): { readonly run?: string } => (typeof run === 'string' && /^[\w.-]{1,200}$/.test(run) ? { run } : {})

/** Of the files that a bundle names, those that the server gives out. */
const SERVED: Readonly<Record<string, string>> = { 'report.json': 'report', 'report.md': 'report.md', 'trace.jsonl': 'trace', 'backend/workspace.patch': 'patch' }
interface Bundle { readonly name: string; readonly text: string; readonly run: string | undefined }

export function Verify(): ReactNode {
  const { run } = useSearch({ from: '/verify' })
  const known = useQuery(keysQuestion)
  const [bundle, setBundle] = useState<Bundle>()
  const [pem, setPem] = useState('')
  const [fault, setFault] = useState<unknown>(undefined)
  useEffect(() => {
    if (run === undefined) return
    const left = new AbortController()
    getText(`/runs/${run}/bundle`, left.signal).then((text) => setBundle({ name: `run ${run}`, text: text ?? '', run }), (error: unknown) => left.signal.aborted || setFault(error))
    return () => left.abort()
  }, [run])
  const take = (file: File | undefined): void => {
    if (file !== undefined) void file.text().then((text) => setBundle({ name: file.name, text, run: undefined }), setFault)
  }
  const keys: readonly PublicKey[] | undefined = pem.trim() === '' ? known.data?.keys : [{ key_id: '', algorithm: 'ecdsa-p256', pem: `${pem.trim()}\n` }]
  return (
    <div className="page">
      <h1>Verify</h1>
      <Card title="A bundle" side={<span className="soft">checked in this browser, by WebCrypto</span>}>
        <label className="drop" onDragOver={(event) => event.preventDefault()} onDrop={(event) => { event.preventDefault(); take(event.dataTransfer.files[0]) }}>
          Drop a run.intoto.jsonl here, or choose it: <input type="file" accept=".jsonl,application/json" onChange={(event) => take(event.target.files?.[0])} />
        </label>
        <details className="more"><summary>Believe another key than those of this server</summary><label htmlFor="pem">Public key, PEM, from somebody you trust</label><textarea id="pem" rows={4} spellCheck={false} value={pem} onChange={(event) => setPem(event.target.value)} /></details>
      </Card>
      {fault === undefined ? null : <Fault error={fault} />}
      {bundle === undefined ? <Empty what="Nothing to check yet." first="Drop a bundle above, or open a run and choose Verify." /> : keys === undefined ? (known.error === null ? <Skeleton /> : <Fault error={known.error} />) : <Result key={`${bundle.name} ${pem}`} bundle={bundle} keys={keys} />}
    </div>
  )
}

interface FileCheck { readonly path: string; readonly found: 'same' | 'changed' | 'not served' | 'missing' }

function Result({ bundle, keys }: { readonly bundle: Bundle; readonly keys: readonly PublicKey[] }): ReactNode {
  const [checked, setChecked] = useState<Checked>()
  const [files, setFiles] = useState<readonly FileCheck[]>([])
  const [fault, setFault] = useState<unknown>(undefined)
  useEffect(() => {
    let left = false
    const check = async (): Promise<void> => {
      const result = await checkBundle(bundle.text, keys)
      const compared = bundle.run === undefined ? [] : await Promise.all(result.files.map((file) => compare(bundle.run ?? '', file)))
      if (left) return
      setFiles(compared)
      setChecked(result)
    }
    check().catch((error: unknown) => void (left || setFault(error)))
    return () => { left = true }
  }, [bundle, keys])
  if (fault !== undefined) return <Fault error={fault} />
  if (checked === undefined) return <Skeleton rows={8} />
  const holds = checked.holds && files.every(({ found }) => found === 'same' || found === 'not served')
  const wrong = checked.rows.filter(({ problems }) => problems.length > 0).length
  return (
    <>
      <div className="verdict" role="status" data-holds={holds}>
        <Mark outcome={holds ? 'pass' : 'block'} word={holds ? 'It holds' : 'It does not hold'} />
        <span><Text>{checked.runId === '' ? bundle.name : checked.runId}</Text>: {checked.state === '' ? 'no state' : <>recorded as <strong>{checked.state}</strong></>}, {checked.rows.length} lines, {checked.verdicts} verdicts{wrong > 0 ? `, ${wrong} wrong` : ''}</span>
      </div>
      {holds && <p className="soft">Checked here: signatures, content, order, and the place of each row in the signed ledger. Whether the gates would decide the same again is checked with this file by <code>npx portcullis verify</code>.</p>}
      {checked.problems.map((problem) => <p key={problem} className="wrong"><Mark outcome="block" word="whole" /> <Text>{problem}</Text></p>)}
      {files.length > 0 && <Card title="Files"><ul className="lines">{files.map(({ path, found }) => <li key={path}><div><Mark outcome={found === 'same' ? 'pass' : found === 'not served' ? 'abstain' : 'block'} word={found} /><code><Text>{path}</Text></code></div></li>)}</ul></Card>}
      <Card title="Lines" side={<span className="soft">signature, digest, chain, place in the signed tree</span>}>
        <ol className="timeline">{checked.rows.toSorted((one, other) => Number(other.problems.length > 0) - Number(one.problems.length > 0)).map(({ line, what, digest, problems }) => (
          <li key={line} className={problems.length > 0 ? 'block' : 'pass'}>
            <span className="number soft">{line}</span><Mark outcome={problems.length === 0 ? 'pass' : 'block'} word={problems.length === 0 ? 'holds' : 'wrong'} />
            <span className="grow"><Text>{what}</Text>{problems.map((problem) => <p key={problem} className="why"><Text>{problem}</Text></p>)}</span><Digest value={digest} />
          </li>
        ))}</ol>
      </Card>
    </>
  )
}

async function compare(run: string, { path, sha256 }: { readonly path: string; readonly sha256: string }): Promise<FileCheck> {
  const served = SERVED[path]
  if (served === undefined) return { path, found: 'not served' }
  const answer = await fetch(`/runs/${run}/${served}`, { cache: 'no-store' })
  if (!answer.ok) return { path, found: 'missing' }
  return { path, found: (await sha256Hex(new Uint8Array(await answer.arrayBuffer()))) === sha256 ? 'same' : 'changed' }
}
