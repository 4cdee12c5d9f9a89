import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { canonicalJson, sha256 } from '../contract/canonical.ts'
import { readHistory, type RunHistory, type VerifiedRun, verifyRun } from './index.ts'

type Body = Record<string, unknown>
const bodyOf = (text: string): Body => JSON.parse(text) as Body

interface Kept {
  readonly made: Stage
  readonly history: RunHistory
  readonly verify: (history: RunHistory) => VerifiedRun
  /** What is found of an attacked history, beside the files that then differ. */
  readonly found: (history: RunHistory) => string[]
}

async function kept(t: Parameters<typeof stage>[0], made: Stage): Promise<Kept> {
  const { report } = await made.run()
  const { history } = await readHistory(made.world, report.run_id)
  const verify = (attacked: RunHistory): VerifiedRun => verifyRun(attacked, openRunDirectory(made.directory, report.run_id))
  assert.deepEqual(verify(history).problems, [])
  return { made, history, verify, found: (attacked) => [...new Set(verify(attacked).problems.map((problem) => problem.code).filter((code) => !code.startsWith('file_')))] }
}

/**
 * The history after an attacker changed bodies and made everything fit again: digests of rows, the digests of evidence in
 * the verdicts, and the chain. What is left to find is what the statements say about each other.
 */
function forged(history: RunHistory, change: (body: Body) => Body | undefined): RunHistory {
  const renamed = new Map<string, string>()
  let previous: string | null = null
  const entries = history.entries.flatMap((entry) => {
    const changed = change(bodyOf(entry.body))
    if (changed === undefined) return []
    let body = changed
    if (entry.kind === 'verdict') body = { ...body, previous, evidence: (body['evidence'] as string[]).map((digest) => renamed.get(digest) ?? digest) }
    const text = canonicalJson(body)
    renamed.set(entry.digest, sha256(text))
    if (entry.kind === 'verdict') previous = sha256(text)
    return [{ ...entry, body: text, digest: sha256(text) }]
  })
  return { ...history, entries }
}

const isEvidence = (body: Body, type: string): boolean => body['predicateType'] === `https://portcullis.dev/evidence/${type}/v1`
const facts = (body: Body): Body => body['predicate'] as Body
/** Changes the facts of one kind of evidence. */
const withFacts = (type: string, change: (facts: Body) => Body) => (body: Body): Body => (isEvidence(body, type) ? { ...body, predicate: change(facts(body)) } : body)

verifies('EVD-10', 'the digest, the form and the kind of each row are checked', async (t) => {
  const { history, found, verify } = await kept(t, await stage(t))
  const replaced = (at: number, change: Partial<RunHistory['entries'][number]>): RunHistory => ({ ...history, entries: history.entries.map((entry, index) => (index === at ? { ...entry, ...change } : entry)) })
  const event = history.entries.findIndex((entry) => entry.kind === 'event')
  const text = history.entries[event]?.body ?? ''
  assert.ok(found(replaced(event, { digest: '0'.repeat(64) })).includes('row_changed'))
  assert.ok(found(replaced(event, { body: `${text} `, digest: sha256(`${text} `) })).includes('row_changed'))
  assert.ok(found(replaced(event, { body: '{', digest: sha256('{') })).includes('row_changed'))
  for (const change of [{ body: '{}', digest: sha256('{}') }, { kind: 'evidence' as const }, { kind: 'verdict' as const }]) {
    assert.ok(verify(replaced(event, change)).problems.some(({ code, where }) => code === 'row_malformed' && where === `row ${event + 1} (${change.kind ?? 'event'})`))
  }
  assert.ok(found(forged(history, (body) => (isEvidence(body, 'artefacts') ? { ...body, predicateType: 'https://example.com/x' } : body))).includes('evidence_invalid'))
  assert.ok(found(forged(history, withFacts('agent-exit', () => ({})))).includes('evidence_invalid'))
})

verifies('EVD-02 EVD-10', 'each verdict is judged again from the stored facts: place, order, message, expiry, outcome', async (t) => {
  const { history, found } = await kept(t, await stage(t))
  const change = (gate: string, over: Body) => (body: Body): Body => (body['gate'] === gate ? { ...body, ...over } : body)
  for (const over of [{ message: 'fine' }, { expiresAt: '2999-01-01T00:00:00.000Z' }]) assert.ok(found(forged(history, change('health', over))).includes('verdict_not_reproduced'))
  assert.ok(found(forged(history, change('wire', { sequence: 17 }))).includes('chain_broken'))
  assert.ok(found(forged(history, change('wire', { runId: '20200101T000000Z-x-1' }))).includes('chain_broken'))
  const unchained = { ...history, entries: history.entries.map((entry) => (bodyOf(entry.body)['gate'] === 'report' ? { ...entry, body: canonicalJson({ ...bodyOf(entry.body), previous: 'a'.repeat(64) }), digest: sha256(canonicalJson({ ...bodyOf(entry.body), previous: 'a'.repeat(64) })) } : entry)) }
  assert.ok(found(unchained).includes('chain_broken'))
  assert.ok(found(forged(history, (body) => (isEvidence(body, 'readiness') ? undefined : body))).includes('evidence_missing'))
})

verifies('EVD-10 ACC-08', 'a block that is rewritten as a pass is found, and so is a probe that is', async (t) => {
  const { history, found } = await kept(t, await stage(t, { probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', payload: { ...record.payload, exit_code: 1 } } : record) }))
  const pass = forged(history, (body) => {
    if (body['gate'] !== 'acceptance') return body
    const { reason: _reason, asked: _asked, found: _found, remedy: _remedy, ...rest } = body
    return { ...rest, outcome: 'pass', expiresAt: '2999-01-01T00:00:00.000Z' }
  })
  assert.ok(found({ ...pass, run: { ...history.run, state: 'accepted', reason: null } }).includes('verdict_not_reproduced'))
  const probe = forged(history, withFacts('acceptance-probe', (fields) => (fields['phase'] === 'result' ? { ...fields, status: 'passed', payload: { ...(fields['payload'] as Body), exit_code: 0 } } : fields)))
  assert.ok(found(probe).includes('verdict_not_reproduced'))
})

verifies('EVD-10', 'facts that say something else than what was observed first-hand are found, however well everything else was made to fit', async (t) => {
  const { history, found } = await kept(t, await stage(t))
  const asking = await stage(t)
  const { work } = asking.agent
  asking.agent.work = async () => (await asking.grants[1]?.ask(), work())
  const twice = await kept(t, asking)
  const attacks: [name: string, attacked: RunHistory][] = [
    ['a call renumbered', forged(history, withFacts('wire', (fields) => ({ ...fields, calls: (fields['calls'] as Body[]).map((call) => ({ ...call, number: 9 })) })))],
    ['a call served otherwise', forged(history, withFacts('model-call', (fields) => (fields['purpose'] === 'agent' ? { ...fields, servedModel: 'cheaper-1' } : fields)))],
    ['a call left out', forged(history, (body) => (isEvidence(body, 'model-call') && facts(body)['purpose'] === 'agent' ? undefined : body))],
    ['a probe of other length', forged(history, withFacts('acceptance', (fields) => {
      const records = fields['records'] as { result: Body[] }
      return { ...fields, records: { ...records, result: records.result.map((record) => ({ ...record, duration_ms: 99 })) } }
    }))],
    ['a call that was not judged', forged(twice.history, withFacts('wire', (fields) => ({ ...fields, calls: (fields['calls'] as Body[]).slice(1) })))],
    ['the call of the health probe left out', forged(history, (body) => (isEvidence(body, 'model-call') && facts(body)['purpose'] === 'health' ? undefined : body))],
    ['another call of the health probe', forged(history, withFacts('model-call', (fields) => (fields['purpose'] === 'health' ? { ...fields, servedModel: 'cheaper-1' } : fields)))],
    ['another exit', forged(history, withFacts('agent-exit', (fields) => ({ ...fields, code: 1 })))],
    ['an agent that was ended at its limit', forged(history, withFacts('agent-exit', (fields) => ({ ...fields, timedOut: 'total' })))],
    ['an agent that said it failed', forged(history, withFacts('agent-exit', (fields) => ({ ...fields, claimedStatus: 'failed' })))],
    ['another workspace', forged(history, withFacts('workspace', (fields) => ({ ...fields, after: 'd'.repeat(64) })))],
    ['a workspace without a change', forged(history, withFacts('workspace', (fields) => ({ ...fields, filesChanged: 0 })))],
    ['another fake backend', forged(history, withFacts('fake-work', (fields) => ({ ...fields, files_changed: 1 })))],
    ['a fake backend left out', forged(history, (body) => (isEvidence(body, 'fake-work') ? undefined : body))],
    ['a fake backend that passed', forged(history, withFacts('acceptance-probe', (fields) => (fields['phase'] === 'fake' ? { ...fields, status: 'passed', payload: { ...(fields['payload'] as Body), exit_code: 0 } } : fields)))],
    ['another prompt delivered', forged(history, withFacts('delivery', (fields) => ({ ...fields, promptDigest: 'd'.repeat(64) })))],
  ]
  for (const [name, attacked] of attacks) assert.ok(found(attacked).includes('facts_contradict_evidence') || found(attacked).includes('evidence_missing'), `${name}: ${found(attacked).join(', ') || 'nothing found'}`)
})

verifies('ACC-03', 'the state of a run must follow from its verdicts, and be the one that its last event says', async (t) => {
  const accepted = await kept(t, await stage(t))
  const blocked = await kept(t, await stage(t, { records: [] }))
  const failed = await kept(t, await stage(t, { probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', payload: { ...record.payload, exit_code: 1 } } : record) }))
  const attacks: [name: string, of: Kept, run: Partial<RunHistory['run']>, code: string][] = [
    ['a failed run accepted', failed, { state: 'accepted', reason: null }, 'state_unjustified'],
    ['a blocked run accepted', blocked, { state: 'accepted', reason: null }, 'state_unjustified'],
    ['a failed run blocked', failed, { state: 'blocked' }, 'state_unjustified'],
    ['a failed run without a reason', failed, { reason: null }, 'state_unjustified'],
    ['an accepted run with a reason', accepted, { reason: 'probe_failed' }, 'state_unjustified'],
    ['an accepted run open again', accepted, { state: 'started', endedAt: null }, 'run_unfinished'],
    ['another reason', failed, { reason: 'provider_timeout' }, 'state_unjustified'],
    ['a blocked run failed', blocked, { state: 'failed' }, 'state_unjustified'],
    ['a failed run said to be a healthy probe', failed, { kind: 'probe', state: 'checked', reason: null }, 'state_unjustified'],
    ['an accepted run said to be a probe', accepted, { kind: 'probe' }, 'state_unjustified'],
  ]
  for (const [name, of, run, code] of attacks) assert.ok(of.found({ ...of.history, run: { ...of.history.run, ...run } }).includes(code), `${name}: ${of.found({ ...of.history, run: { ...of.history.run, ...run } }).join(', ') || 'nothing found'}`)
  // The event of the end is made to fit: then the verdicts must not.
  const ended = (of: Kept, run: Partial<RunHistory['run']>): RunHistory => {
    const { state, reason } = { ...of.history.run, ...run }
    return { ...forged(of.history, (body) => (body['type'] === 'run_ended' ? { ...body, data: { state, reason } } : body)), run: { ...of.history.run, ...run } }
  }
  for (const [name, of, run] of [
    ['a failed run accepted', failed, { state: 'accepted', reason: null }],
    ['a blocked run accepted', blocked, { state: 'accepted', reason: null }],
    ['a failed run blocked', failed, { state: 'blocked' }],
    ['a failed run without a reason', failed, { reason: null }],
    ['an accepted run with a reason', accepted, { reason: 'probe_failed' }],
  ] as const) assert.ok(of.found(ended(of, run)).includes('state_unjustified'), name)
  const again = accepted.history.entries.filter((entry) => bodyOf(entry.body)['type'] === 'run_ended')
  assert.ok(accepted.found({ ...accepted.history, entries: [...accepted.history.entries, ...again] }).includes('state_unjustified'))
  assert.ok(accepted.found({ ...accepted.history, entries: accepted.history.entries.filter((entry) => !again.includes(entry)) }).includes('state_unjustified'))
  const twice = { ...accepted.history, entries: [...accepted.history.entries, ...accepted.history.entries.filter((entry) => bodyOf(entry.body)['type'] === 'process_started')] }
  assert.ok(accepted.found(twice).includes('state_unjustified'))
})

test('each file of a run is compared: changed, missing and additional ones are named', async (t) => {
  const { made, history, verify } = await kept(t, await stage(t, { patch: '+work\n' }))
  const { files } = verify(history)
  assert.equal(files, 7)
  const directory = openRunDirectory(made.directory, history.run.runId)
  for (const name of ['report.json', 'report.md', 'trace.jsonl', 'run.intoto.jsonl', 'backend/agent.stdout.log', 'backend/agent.stderr.log', 'backend/workspace.patch']) {
    const before = directory.read(name)
    assert.ok(before !== undefined, name)
    directory.write(name, 'changed')
    assert.deepEqual(verify(history).problems.map(({ code, where }) => [code, where]), [['file_changed', name]])
    const gone = { files: () => directory.files().filter((file) => file.name !== name), read: (asked: string) => (asked === name ? undefined : directory.read(asked)) }
    assert.deepEqual(verifyRun(history, gone).problems.map(({ code, where }) => [code, where]), [['file_missing', name]])
    directory.write(name, before)
  }
  directory.write('backend/more.txt', 'x')
  assert.deepEqual(verify(history).problems.map(({ code, where }) => [code, where]), [['file_changed', 'backend/more.txt']])
})

test('a history that cannot be rendered is a problem, not a crash and not a pass', async (t) => {
  const { history, found } = await kept(t, await stage(t))
  assert.ok(found(forged(history, (body) => (isEvidence(body, 'run') ? undefined : body))).includes('row_malformed'))
})

verifies('EVD-12', 'a trace that was torn off is told from one that was changed, with how much of it is whole', async (t) => {
  const { made, history, verify } = await kept(t, await stage(t))
  const directory = openRunDirectory(made.directory, history.run.runId)
  const trace = directory.read('trace.jsonl') ?? Buffer.alloc(0)
  const found = (content: Buffer): string[] => {
    directory.write('trace.jsonl', content)
    return verify(history).problems.map((problem) => `${problem.code} ${/(\d+) of \d+ lines/.exec(problem.found)?.[1] ?? ''}`)
  }
  const firstLine = trace.indexOf('\n') + 1
  for (const [length, lines] of [[0, 0], [firstLine - 1, 0], [firstLine, 1], [firstLine + 5, 1], [trace.length - 1, history.entries.length - 1]] as const) assert.deepEqual(found(trace.subarray(0, length)), [`file_torn ${lines}`], `${length} bytes`)
  assert.deepEqual(found(Buffer.concat([trace.subarray(0, 9), Buffer.from('X'), trace.subarray(10, 40)])), ['file_changed '])
  assert.deepEqual(found(Buffer.concat([trace, Buffer.from('{')])), ['file_changed '])
  assert.deepEqual(found(trace), [])
})
