import assert from 'node:assert/strict'
import { CONFIGURATION, recordFor, stage, type Stage, type StageOptions } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { canonicalJson, sha256 } from '../contract/canonical.ts'
import { type Ledger, probeProfile, verifyRun, type WorkItem, workItemOf } from './index.ts'

const record = recordFor('coder-1')
const forStage2 = { ...record, record: { ...record.record, stages: ['stage-2'] } as never }
const STAGE_2: StageOptions = { configuration: { purposes: { ...CONFIGURATION.purposes, ticket: { needs: ['acceptance'], stage: 'stage-2' } } }, records: [forStage2] }
const SEARCH = { pair: { provider: 'scripted', model: 'coder-1' }, runtime: 'command', stage: 'stage-2' }

const standing = (made: Stage, search: Partial<typeof SEARCH> = {}, ledger: Ledger = made.ledger): Promise<WorkItem> => workItemOf(ledger, { ...SEARCH, ...search }, (history) => Promise.resolve(verifyRun(history, openRunDirectory(made.directory, history.run.runId))))

async function blocked(made: Stage, because: RegExp, search: Partial<typeof SEARCH> = {}, ledger?: Ledger): Promise<void> {
  const item = await standing(made, search, ledger)
  assert.ok(item.status === 'blocked', JSON.stringify(item))
  assert.match([item.found, ...item.considered.map((each) => each.because)].join('; '), because)
}

verifies('ADM-B4', 'a work item stays blocked until a pass report of the admitted pair, agent and stage exists, and is unblocked by it', async (t) => {
  assert.equal((await workItemOf(undefined, SEARCH, () => assert.fail('there is no run'))).status, 'blocked')
  const made = await stage(t, STAGE_2)
  // The record is written and the gate admits: nothing has been shown yet.
  await blocked(made, /no run asked for it/)
  const { report } = await made.run()
  assert.equal(report.status, 'pass')
  const item = await standing(made)
  assert.deepEqual(item, { status: 'unblocked', run_id: report.run_id, ended_at: report.ended_at })
  await blocked(made, /no run asked for it/, { stage: 'work' })
  await blocked(made, /no run asked for it/, { runtime: 'case' })
  await blocked(made, /no run asked for it/, { pair: { provider: 'scripted', model: 'coder-2' } })
})

verifies('ADM-B4 ADM-B5', 'a process that was reached, a gate that passed or a run that did nothing unblocks nothing', async (t) => {
  const idle = await stage(t, STAGE_2)
  idle.agent.work = async () => (await idle.grants.at(-1)?.ask(), { claimedStatus: 'completed', claim: 'Pipeline completed successfully' })
  const { report } = await idle.run()
  assert.deepEqual([report.process_started, report.model.admission_status, report.exit?.claimed_status], [true, 'admitted', 'completed'])
  await blocked(idle, /it is failed \(done_without_change\)/)
  const refused = await stage(t, { ...STAGE_2, records: [] })
  await refused.run()
  await blocked(refused, /it is blocked \(missing_admission\)/)
  const ordinary = await stage(t)
  assert.equal((await ordinary.run()).report.status, 'pass')
  await blocked(ordinary, /no run asked for it/)
  assert.equal((await probeProfile(ordinary.world, 'p', 'preflight')).healthy, true)
  await blocked(ordinary, /a probe, which has no report/, { stage: 'work' }, onlyKind(ordinary.ledger, 'probe'))
})

verifies('ADM-B3', 'only what the ledger holds counts: a report that was put into the directory, or a run that does not verify, unblocks nothing', async (t) => {
  const made = await stage(t, STAGE_2)
  made.agent.work = async () => ({ claimedStatus: 'completed', claim: 'done' })
  const failed = await made.run()
  assert.equal(failed.report.status, 'fail')
  failed.directory.write('report.json', failed.json.replace('"status": "fail"', '"status": "pass"'))
  await blocked(made, /it is failed/)
  const good = await stage(t, STAGE_2)
  const passed = await good.run()
  const stored = passed.directory.read('report.json')
  assert.ok(stored !== undefined)
  passed.directory.write('report.json', 'changed')
  await blocked(good, /does not verify: file_changed at report\.json/)
  passed.directory.write('report.json', stored)
  assert.equal((await standing(good)).status, 'unblocked')
  await blocked(good, /does not verify: /, {}, rewritten(good.ledger))
  // A failed run whose state somebody set to accepted is not one either.
  await blocked(made, /does not verify: state_unjustified/, {}, { ...plain(made.ledger), list: async () => (await made.ledger.list()).map((run) => ({ ...run, state: 'accepted' as const, reason: null })), history: async (runId) => {
    const history = await made.ledger.history(runId)
    return history === undefined ? undefined : { ...history, run: { ...history.run, state: 'accepted' as const, reason: null } }
  } })
})

const plain = (ledger: Ledger): Ledger => ({
  begin: (run) => ledger.begin(run),
  append: (write) => ledger.append(write),
  history: (runId) => ledger.history(runId),
  list: () => ledger.list(),
  charged: (account) => ledger.charged(account),
  rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most),
  close: () => ledger.close(),
})

const onlyKind = (ledger: Ledger, kind: 'probe'): Ledger => ({ ...plain(ledger), list: async () => (await ledger.list()).filter((run) => run.kind === kind) })

/** The ledger with the fake backend's work rewritten, and the row's digest made to fit. */
const rewritten = (ledger: Ledger): Ledger => ({
  ...plain(ledger),
  history: async (runId) => {
    const history = await ledger.history(runId)
    if (history === undefined) return undefined
    const entries = history.entries.map((entry) => {
      if (!entry.body.includes('evidence/fake-work/v1')) return entry
      const body = JSON.parse(entry.body) as { predicate: Record<string, unknown> }
      const text = canonicalJson({ ...body, predicate: { ...body.predicate, files_changed: 3 } })
      return { ...entry, body: text, digest: sha256(text) }
    })
    return { ...history, entries }
  },
})
