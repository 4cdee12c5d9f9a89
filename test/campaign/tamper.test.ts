import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { openRunDirectory } from '../../src/adapters/run-directory/index.ts'
import { canonicalJson, digestOf, sha256 } from '../../src/contract/canonical.ts'
import { type LedgerEntry, type Problem, type RunHistory, verifyRun } from '../../src/engine/index.ts'
import { verifies } from '../verifies.ts'
import { runTask, type Scenario, scenario } from '../e2e/scenario.ts'

/** A body as an attacker reads and writes it. */
type Body = Record<string, unknown>
interface Kept {
  readonly made: Scenario
  readonly history: RunHistory
  readonly verify: (history: RunHistory) => readonly Problem[]
}

/** One real run, kept for all attacks on its history. */
async function keptRun(t: Parameters<typeof scenario>[0], agent?: string): Promise<Kept> {
  const made = await scenario(t, agent === undefined ? {} : { agent })
  const { report } = await runTask(made)
  const ledger = await openLedger(join(made.directory, '.portcullis/ledger.db'))
  const history = await ledger.history(report.run_id)
  await ledger.close()
  assert.ok(history !== undefined)
  const directory = openRunDirectory(join(made.directory, '.portcullis'), report.run_id)
  // The files differ whenever the history does; what is asked here is whether the history itself shows the attack.
  return { made, history, verify: (attacked) => verifyRun(attacked, directory).problems.filter((problem) => !problem.code.startsWith('file_')) }
}

const bodyOf = (entry: LedgerEntry | undefined): Body => JSON.parse(entry?.body ?? 'null') as Body
const entryOf = (entry: LedgerEntry, body: unknown): LedgerEntry => ({ ...entry, body: canonicalJson(body), digest: sha256(canonicalJson(body)) })
const codes = (problems: readonly Problem[]): string[] => [...new Set(problems.map((problem) => problem.code))]

/** The history with one row rewritten, its digest made to fit again. */
function rewrite(history: RunHistory, find: (body: Body, entry: LedgerEntry) => boolean, change: (body: Body) => Body): RunHistory {
  const index = history.entries.findIndex((entry) => find(bodyOf(entry), entry))
  assert.ok(index >= 0, 'no such row')
  return { ...history, entries: history.entries.map((entry, at) => (at === index ? entryOf(entry, change(bodyOf(entry))) : entry)) }
}

const isVerdict = (gate: string) => (body: Body, entry: LedgerEntry): boolean => entry.kind === 'verdict' && body['gate'] === gate
const isEvidence = (type: string) => (body: Body, entry: LedgerEntry): boolean => entry.kind === 'evidence' && String(body['predicateType']).includes(`/${type}/`)

test('attacks on the history of a run, with every digest of a row made to fit', async (t) => {
  const { made, history, verify } = await keptRun(t)
  assert.deepEqual(verify(history), [])

  const attacks: [name: string, attacked: RunHistory, code: string][] = [
    ['facts changed', rewrite(history, isEvidence('admission'), (body) => ({ ...body, predicate: { ...(body['predicate'] as Body), runtime: 'other' } })), 'evidence_missing'],
    ['facts that no longer validate', rewrite(history, isEvidence('admission'), (body) => ({ ...body, predicate: {} })), 'evidence_invalid'],
    ['evidence of a kind nobody knows', rewrite(history, isEvidence('artefacts'), (body) => ({ ...body, predicateType: 'https://example.com/other' })), 'evidence_invalid'],
    ['a verdict with another message', rewrite(history, isVerdict('health'), (body) => ({ ...body, message: 'answered' })), 'verdict_not_reproduced'],
    ['a verdict that lasts longer', rewrite(history, isVerdict('admission'), (body) => ({ ...body, expiresAt: '2999-01-01T00:00:00.000Z' })), 'verdict_not_reproduced'],
    ['a verdict of another run', rewrite(history, isVerdict('wire'), (body) => ({ ...body, runId: '20200101T000000Z-other-1' })), 'chain_broken'],
    ['a verdict that is no verdict', rewrite(history, isVerdict('wire'), (body) => ({ ...body, outcome: 'maybe' })), 'row_malformed'],
    ['a verdict removed', without(history, isVerdict('readiness')), 'chain_broken'],
    ['the last verdict removed', without(history, isVerdict('report')), 'state_unjustified'],
    ['two verdicts swapped', swapped(history, isVerdict('catalog'), isVerdict('admission')), 'chain_broken'],
    ['a verdict told twice', { ...history, entries: [...history.entries, ...history.entries.filter((entry) => isVerdict('wire')(bodyOf(entry), entry))] }, 'chain_broken'],
    ['a model call removed', without(history, (body, entry) => isEvidence('model-call')(body, entry) && (body['predicate'] as Body)['purpose'] === 'agent'), 'facts_contradict_evidence'],
    ['a probe record removed', without(history, isEvidence('acceptance-probe')), 'evidence_missing'],
    ['what the agent changed, told otherwise', rewrite(history, isEvidence('workspace'), (body) => ({ ...body, predicate: { ...(body['predicate'] as Body), files: [] } })), 'row_changed'],
    ['how the agent ended, told otherwise', rewrite(history, isEvidence('agent-exit'), (body) => ({ ...body, predicate: { ...(body['predicate'] as Body), claim: 'all is well' } })), 'row_changed'],
    ['an event told otherwise', rewrite(history, (body) => body['type'] === 'process_started', (body) => ({ ...body, data: { ...(body['data'] as Body), version: '9.9.9' } })), 'row_changed'],
    ['a row added at the end', { ...history, entries: [...history.entries, ...history.entries.filter((entry) => bodyOf(entry)['type'] === 'run_opened')] }, 'row_changed'],
    ['the last event told otherwise', rewrite(history, (body) => body['type'] === 'run_ended', (body) => ({ ...body, data: { state: 'failed', reason: 'probe_failed' } })), 'state_unjustified'],
    ['a second start', { ...history, entries: [...history.entries, ...history.entries.filter((entry) => bodyOf(entry)['type'] === 'process_started')] }, 'state_unjustified'],
    ['a digest that does not fit', { ...history, entries: history.entries.map((entry, index) => (index === 3 ? { ...entry, digest: '0'.repeat(64) } : entry)) }, 'row_changed'],
    ['a body that is not canonical', { ...history, entries: history.entries.map((entry, index) => (index === 3 ? { ...entry, body: ` ${entry.body}`, digest: sha256(` ${entry.body}`) } : entry)) }, 'row_changed'],
    ['a run said to be unfinished', { ...history, run: { ...history.run, state: 'started', endedAt: null } }, 'run_unfinished'],
  ]
  for (const [name, attacked, code] of attacks) assert.ok(codes(verify(attacked)).includes(code), `${name}: ${codes(verify(attacked)).join(', ') || 'nothing found'}, expected ${code}`)

  const runId = history.run.runId
  const directory = join(made.directory, '.portcullis/runs', runId)
  writeFileSync(join(directory, 'report.md'), 'All is well.')
  rmSync(join(directory, 'trace.jsonl'))
  writeFileSync(join(directory, 'backend/extra.txt'), 'me too')
  const problems = (JSON.parse((await made.portcullis(['verify', runId, '--json'])).stdout) as { problems: Problem[] }).problems
  assert.deepEqual(problems.map(({ code, where }) => `${code} ${where}`).toSorted((a, b) => a.localeCompare(b)), ['file_changed backend/extra.txt', 'file_changed report.md', 'file_missing trace.jsonl'])
})

verifies('EVD-02 EVD-10', 'facts, verdict and chain rewritten together are found by the evidence they contradict', async (t) => {
  const { history, verify } = await keptRun(t)
  // The attacker makes the wire's facts say that nobody was refused a better model: one call less, everything after it re-chained.
  const facts = history.entries.find((entry) => isEvidence('wire')(bodyOf(entry), entry))
  assert.ok(facts !== undefined)
  const predicate = bodyOf(facts)['predicate'] as { calls: Body[] } & Body
  const forged = { ...bodyOf(facts), predicate: { ...predicate, calls: predicate.calls.map((call) => ({ ...call, number: 7 })) } }
  let entries = history.entries.map((entry) => (entry === facts ? entryOf(entry, forged) : entry))
  let previous: string | null = null
  entries = entries.map((entry) => {
    if (entry.kind !== 'verdict') return entry
    const body = bodyOf(entry)
    const evidence = (body['evidence'] as string[]).map((digest) => (digest === facts.digest ? digestOf(forged) : digest))
    const next = entryOf(entry, { ...body, evidence, previous })
    previous = next.digest
    return next
  })
  assert.deepEqual(codes(verify({ ...history, entries })), ['facts_contradict_evidence', 'row_changed'])
})

verifies('ACC-08 ACC-03', 'a failed run whose state is set to accepted does not verify, and neither does one whose probe is edited to a pass', async (t) => {
  const { history, verify } = await keptRun(t, 'idles.mjs')
  assert.equal(history.run.state, 'failed')
  assert.ok(codes(verify({ ...history, run: { ...history.run, state: 'accepted', reason: null } })).includes('state_unjustified'))
  const isFailure = (body: Body, entry: LedgerEntry): boolean => isEvidence('acceptance-probe')(body, entry) && (body['predicate'] as Body)['phase'] === 'result'
  const edited = rewrite(history, isFailure, (body) => ({ ...body, predicate: { ...(body['predicate'] as Body), status: 'passed' } }))
  // A pass whose payload shows another exit code is no record at all; one that were consistent would be missing from the verdict.
  assert.ok(codes(verify(edited)).includes('evidence_invalid'))
  assert.ok(codes(verify(edited)).includes('evidence_missing'))
})

function without(history: RunHistory, find: (body: Body, entry: LedgerEntry) => boolean): RunHistory {
  const index = history.entries.findIndex((entry) => find(bodyOf(entry), entry))
  assert.ok(index >= 0, 'no such row')
  return { ...history, entries: history.entries.filter((_entry, at) => at !== index) }
}

function swapped(history: RunHistory, first: (body: Body, entry: LedgerEntry) => boolean, second: (body: Body, entry: LedgerEntry) => boolean): RunHistory {
  const a = history.entries.findIndex((entry) => first(bodyOf(entry), entry))
  const b = history.entries.findIndex((entry) => second(bodyOf(entry), entry))
  return { ...history, entries: history.entries.map((entry, index) => (index === a ? history.entries[b] : index === b ? history.entries[a] : entry) ?? entry) }
}
