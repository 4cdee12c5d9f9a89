import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { checkBundle } from '../../console/src/verify-bundle.ts'
import { createKey, openSigner, trustedKeys } from '../adapters/keys/index.ts'
import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { BUNDLE_FILE, openNote, printEnvelopes, proveRun, readHistory, sealEnvelope, signCheckpoint, type Signer, statementsOf, type Trust, verifyBundle } from './index.ts'

interface Made {
  readonly made: Stage
  readonly text: string
  readonly lines: readonly string[]
  readonly trust: Trust
  readonly found: (text: string, anchors?: readonly string[]) => string[]
}

async function bundled(t: TestContext, made: Stage): Promise<Made> {
  const { directory } = await made.run()
  const text = directory.read(BUNDLE_FILE)?.toString() ?? ''
  const trust: Trust = { keys: trustedKeys(join(made.directory, 'keys')), anchors: [] }
  const attacks: { readonly text: string; readonly holds: boolean }[] = []
  const found = (attacked: string, anchors: readonly string[] = []): string[] => {
    const codes = [...new Set(verifyBundle(attacked, { ...trust, anchors }).problems.map((problem) => problem.code))]
    // Whether a file of the run says what the rows say is the one thing that a browser does not make again.
    if (anchors.length === 0 && codes.join() !== 'file_changed' && codes.join() !== 'file_changed,statement_not_reproduced') attacks.push({ text: attacked, holds: codes.length === 0 })
    return codes
  }
  assert.deepEqual(found(text), [])
  // Every bundle that is judged here is judged by the console as well, with WebCrypto.
  t.after(async () => {
    const keys = trust.keys.map(({ keyId, algorithm, key }) => ({ key_id: keyId, algorithm, pem: key.export({ type: 'spki', format: 'pem' }).toString() }))
    for (const [index, attack] of attacks.entries()) {
      const told = await checkBundle(attack.text, keys)
      assert.equal(told.holds, attack.holds, `bundle ${index + 1} in the console: ${JSON.stringify([told.problems, told.rows.filter(({ problems }) => problems.length > 0)])}`)
    }
  })
  return { made, text, lines: text.split('\n').slice(0, -1), trust, found }
}

const Sealed = z.object({ payload: z.string() })
type Body = Record<string, unknown>
const payloadOf = (line: string): Body => JSON.parse(Buffer.from(Sealed.parse(JSON.parse(line)).payload, 'base64').toString()) as Body
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const predicateOf = (payload: Body | undefined): Body => (payload?.['predicate'] ?? {}) as Body
const propertiesOf = (payload: Body | undefined): string[] => z.object({ properties: z.array(z.string()) }).parse(predicateOf(payload)).properties
/** Lines that whoever holds a key signed after changing what they say. */
const resealed = (lines: readonly string[], signer: Signer, change: (payload: Body, index: number) => Body = (payload) => payload): string =>
  printEnvelopes(lines.map((line, index) => sealEnvelope(canonicalJson(change(payloadOf(line), index)), signer)))

/** A key that nobody trusts. */
function stranger(t: TestContext): Signer {
  const directory = join(temporaryDirectory(t), 'keys')
  createKey(directory, { algorithm: 'ecdsa-p256', privateKeyFile: undefined, at: new Date() })
  return openSigner(directory)
}

verifies('EVD-06 EVD-08', 'a run leaves one envelope a line: manifest, rows, probes, served model and summary, each about the workspace and the manifest', async (t) => {
  const { made, lines, trust } = await bundled(t, await stage(t))
  const payloads = lines.map(payloadOf)
  const types = payloads.map((payload) => String(payload['predicateType']))
  const [run] = await made.ledger.list()
  const rows = (await made.ledger.history(run?.runId ?? ''))?.entries ?? []
  assert.deepEqual(types, ['https://portcullis.dev/attestation/run/v1', ...rows.map(() => 'https://portcullis.dev/attestation/ledger-row/v1'), 'https://in-toto.io/attestation/test-result/v0.1', 'https://in-toto.io/attestation/scai/v0.3', 'https://in-toto.io/attestation/svr/v0.2'])
  for (const payload of payloads) assert.deepEqual(payload['subject'], [{ name: 'workspace', digest: { sha256: 'a'.repeat(64) } }, { name: `manifest of ${run?.runId}`, digest: { sha256: digestOf(payloads[0]?.['predicate']) } }])
  for (const line of lines) assert.match(line, new RegExp(`^{"payload":"[A-Za-z0-9+/]+=*","payloadType":"application/vnd\\.in-toto\\+json","signatures":\\[{"keyid":"${trust.keys[0]?.keyId}","sig":"[A-Za-z0-9+/]+=*"}\\]}$`))
  const { configuration, ...tests } = z.looseObject({ configuration: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string().length(64) }) })) }).parse(predicateOf(payloads.at(-3)))
  assert.deepEqual([configuration.map(({ name }) => name), tests], [['tests'], { result: 'PASSED', passedTests: ['tests'], warnedTests: [], failedTests: [] }])
  const { attributes } = z.object({ attributes: z.array(z.looseObject({ attribute: z.string(), conditions: z.unknown() })) }).parse(predicateOf(payloads.at(-2)))
  assert.deepEqual([attributes[0]?.attribute, attributes[0]?.conditions], ['SERVED_MODEL_IS_ADMITTED_MODEL', { provider: 'scripted', admittedModel: 'coder-1', servedModels: ['coder-1'], modelCalls: 1 }])
  assert.deepEqual(propertiesOf(payloads.at(-1)).slice(-2), ['PORTCULLIS_GATE_REPORT_PASSED', 'PORTCULLIS_RUN_ACCEPTED'])
})

verifies('EVD-08 EVD-09', 'the summary of a failed run names only what passed, and a validly signed bundle of it shows no acceptance', async (t) => {
  const { lines, text, trust } = await bundled(t, await stage(t, { probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', payload: { ...record.payload, exit_code: 1 } } : record) }))
  const payloads = lines.map(payloadOf)
  const properties = propertiesOf(payloads.at(-1))
  assert.ok(properties.includes('PORTCULLIS_GATE_WIRE_PASSED'))
  assert.ok(!properties.includes('PORTCULLIS_GATE_ACCEPTANCE_PASSED') && !properties.includes('PORTCULLIS_RUN_ACCEPTED'))
  assert.equal(predicateOf(payloads.find((payload) => String(payload['predicateType']).includes('test-result')))['result'], 'FAILED')
  assert.equal(verifyBundle(text, trust).told?.history.run.state, 'failed')
})

verifies('EVD-09', 'a bundle from which any line was deleted is refused', async (t) => {
  const { lines, found } = await bundled(t, await stage(t))
  for (const at of lines.keys()) assert.deepEqual(found(joined(lines.filter((_line, index) => index !== at))), [at === lines.length - 1 ? 'tail_truncated' : 'row_removed'], `line ${at + 1}`)
  for (const kept of [0, 1, 2, 5]) assert.equal(found(joined(lines.slice(0, kept))).length, 1, `${kept} lines`)
})

verifies('EVD-04', 'in a bundle each class of tampering has its own code', async (t) => {
  const { made, lines, text, found } = await bundled(t, await stage(t))
  const signer = openSigner(join(made.directory, 'keys'))
  const at = (index: number, line: string): string => joined(lines.map((each, position) => (position === index ? line : each)))
  const changedBody = resealed([lines[4] ?? ''], signer, (payload) => ({ ...payload, predicate: { ...(payload['predicate'] as Body), body: '{}' } })).trim()
  assert.deepEqual(found(at(4, changedBody)), ['row_changed'])
  assert.deepEqual(found(at(4, (lines[4] ?? '').replace('eyJ', 'eyK'))), ['row_changed'])
  assert.deepEqual(found(joined(lines.toSpliced(4, 1))), ['row_removed'])
  assert.deepEqual(found(joined(lines.toSpliced(4, 2, lines[5] ?? '', lines[4] ?? ''))), ['rows_swapped'])
  assert.deepEqual(found(joined(lines.toSpliced(0, 2, lines[1] ?? '', lines[0] ?? ''))), ['rows_swapped'])
  assert.deepEqual(found(joined(lines.toSpliced(4, 0, lines[9] ?? ''))), ['row_inserted'])
  assert.deepEqual(found(joined([...lines, lines[0] ?? ''])), ['row_inserted'])
  assert.deepEqual(found(joined(lines.slice(0, -3))), ['tail_truncated'])
  assert.deepEqual(found(text.slice(0, -1)), ['tail_truncated'])
  assert.deepEqual(found(text.slice(0, -40)), ['tail_truncated'])
  assert.deepEqual(found(resealed(lines, stranger(t))), ['wrong_key'])
  assert.deepEqual(found(at(4, resealed([lines[4] ?? ''], stranger(t)).trim())), ['wrong_key'])
  // Only whoever holds the key can sign a manifest; what it then names is judged all the same.
  const otherFile = resealed(lines, signer, (payload, index) => (index > 0 ? payload : { ...payload, predicate: { ...(payload['predicate'] as Body), files: [{ path: 'report.json', sha256: '0'.repeat(64) }] } }))
  assert.ok(found(otherFile).includes('file_changed'))
})

verifies('EVD-04', 'a bundle shows a fork and a ledger that was put back by the anchors that others kept', async (t) => {
  const { made, text, found, trust } = await bundled(t, await stage(t))
  const other = await bundled(t, await stage(t))
  const anchor = (await made.ledger.head()).note
  assert.deepEqual(found(text, [anchor]), [])
  assert.deepEqual(found(text, [(await other.made.ledger.head()).note]), ['wrong_key'])
  assert.deepEqual(found(text, [anchor.replace('time 20', 'time 19')]), ['signature_invalid'])
  await made.run()
  const later = await made.ledger.head()
  assert.deepEqual(found(text, [later.note]), ['anchor_unproven'])
  const [, first] = await made.ledger.list()
  const { history, read } = await readHistory(made.world, first?.runId ?? '')
  const again = async (from: readonly number[]): Promise<string> => printEnvelopes(statementsOf(history, read, await proveRun(made.ledger, history, 'now', from)).map((statement) => sealEnvelope(statement, openSigner(join(made.directory, 'keys')))))
  assert.deepEqual(found(await again([]), [anchor, later.note]), [])
  assert.equal(trust.anchors.length, 0)
})

verifies('EVD-09', 'no line of another run fits into a bundle, though the same key signed it', async (t) => {
  const made = await stage(t)
  const { lines, found } = await bundled(t, made)
  const { directory } = await made.run()
  const others = (directory.read(BUNDLE_FILE)?.toString() ?? '').split('\n').slice(0, -1)
  for (const back of [1, 2, 3]) assert.notDeepEqual(found(joined(lines.toSpliced(lines.length - back, 1, others.at(-back) ?? ''))), [], `line ${back} from the end`)
  const signer = openSigner(join(made.directory, 'keys'))
  const about = resealed(lines, signer, (payload, index) => (index === lines.length - 1 ? { ...payload, subject: [{ name: 'workspace', digest: { sha256: 'b'.repeat(64) } }] } : payload))
  assert.notDeepEqual(found(about), [])
  const more = resealed(lines, signer, (payload, index) => (index === lines.length - 1 ? { ...payload, predicate: { ...predicateOf(payload), properties: [...propertiesOf(payload), 'PORTCULLIS_EVERYTHING'] } } : payload))
  assert.notDeepEqual(found(more), [])
})

verifies('EVD-07', 'a flipped bit anywhere in a bundle is found', async (t) => {
  const { text, found } = await bundled(t, await stage(t, { records: [] }))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 101) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ ([1, 2, 32][at % 3] ?? 1)
    assert.ok(found(flipped.toString('utf8')).length > 0, `byte ${at}`)
  }
})

verifies('EVD-04 EVD-09', 'who holds the key and not the tree can sign a bundle, and none that verifies', async (t) => {
  const { made, lines, found, trust } = await bundled(t, await stage(t))
  const signer = openSigner(join(made.directory, 'keys'))
  const [run] = await made.ledger.list()
  const { history, read } = await readHistory(made.world, run?.runId ?? '')
  const proof = await proveRun(made.ledger, history, 'end', [])
  const sealed = (statements: readonly string[]): string => printEnvelopes(statements.map((statement) => sealEnvelope(statement, signer)))
  assert.deepEqual(found(sealed(statementsOf(history, read, proof))), [])
  // Another row, with everything else made to fit.
  const entries = history.entries.map((entry) => {
    if (entry.kind !== 'event' || !entry.body.includes('process_started')) return entry
    const body = entry.body.replace('"version":', '"Version":')
    return { ...entry, body, digest: sha256(body) }
  })
  const changed = { ...history, entries }
  assert.notDeepEqual(changed, history)
  assert.ok(found(sealed(statementsOf(changed, read, proof))).includes('row_not_in_tree'))
  // Another end, of which a checkpoint was signed.
  const opened = openNote(history.checkpoint?.note ?? '', trust.keys)
  assert.ok(opened.ok)
  const other = { note: signCheckpoint({ ...opened.checkpoint, root: Buffer.alloc(32, 1) }, signer), keyId: signer.key.keyId }
  assert.ok(found(sealed(statementsOf({ ...history, checkpoint: other }, read, proof))).includes('ledger_forked'))
  assert.ok(found(sealed(statementsOf({ ...history, checkpoint: null }, read, proof))).includes('checkpoint_malformed'))
  assert.ok(found(sealed(statementsOf(history, read, { ...proof, checkpoint: other }))).includes('row_not_in_tree'))
  assert.ok(found(sealed(statementsOf(history, read, { ...proof, checkpoint: { ...proof.checkpoint, keyId: '0'.repeat(64) } }))).includes('wrong_key'))
  // A summary that names more than passed, and a manifest that names that summary.
  const forged = (payload: Body): Body => (String(payload['predicateType']).includes('/svr/') ? { ...payload, predicate: { ...predicateOf(payload), properties: ['PORTCULLIS_EVERYTHING'] } } : payload)
  const summary = forged(payloadOf(lines.at(-1) ?? ''))
  const renamed = resealed(lines, signer, (payload, index) => {
    if (index > 0) return forged(payload)
    const { attestations } = z.object({ attestations: z.array(z.object({ predicateType: z.string(), sha256: z.string() })) }).parse(predicateOf(payload))
    return { ...payload, predicate: { ...predicateOf(payload), attestations: attestations.map((each) => (each.predicateType.includes('/svr/') ? { ...each, sha256: digestOf(summary['predicate']) } : each)) } }
  })
  assert.ok(found(renamed).includes('statement_not_reproduced'))
})
