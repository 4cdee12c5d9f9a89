import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { answeredBy, type Stage, stage, type StageOptions } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Ledger, LedgerWrite } from './index.ts'

const REVIEWED = {
  taskClasses: { change: { completion: 'product', probes: ['tests'], review: { required: ['ada'], families: 1, authority: { name: 'board', people: ['J. Doe'] } } } },
  reviewers: { ada: { kind: 'command', command: ['review'], timeout: '5s', family: 'claude' } },
}
const failing: StageOptions['probe'] = (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', summary: 'exited 1', payload: { ...record.payload, exit_code: 1 } } : record)
const stateOf = async (made: Stage): Promise<string | undefined> => (await made.ledger.list()).find((run) => run.kind === 'task')?.state
const rowsOf = async (made: Stage, runId: string): Promise<number | undefined> => (await made.ledger.history(runId))?.entries.length

/** A run whose process is gone from the write on that `at` names: the store takes nothing more of it, and its files stay. */
async function interrupted(context: TestContext, at: (write: LedgerWrite) => boolean, options: StageOptions = {}): Promise<{ made: Stage; runId: string }> {
  const made: Stage = await stage(context, {
    ...options,
    world: (world) => {
      let gone = false
      return {
        ledger: {
          ...bound(world.ledger),
          append: async (write) => {
            gone ||= at(write)
            if (gone) throw new PortcullisError('store_failed', { asked: 'a', found: 'the process was killed', remedy: 'r' })
            return world.ledger.append(write)
          },
        },
        createDirectory: (runId) => ({ ...world.createDirectory(runId), dropScratch: () => undefined }),
      }
    },
  })
  await assert.rejects(made.run(), { code: 'store_failed' })
  const [run] = await made.ledger.list()
  assert.ok(run !== undefined)
  return { made, runId: run.runId }
}
const bound = (ledger: Ledger): Ledger => ({
  begin: (run) => ledger.begin(run), append: (write) => ledger.append(write), history: (runId) => ledger.history(runId), list: () => ledger.list(),
  rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most), charged: (account) => ledger.charged(account), close: () => ledger.close(),
})
const isVerdictOf = (gate: string) => (write: LedgerWrite): boolean => write.verdict?.gate === gate
const isEvidence = (type: string) => (write: LedgerWrite): boolean => write.evidence?.some((statement) => statement.predicateType.includes(type)) === true

verifies('ACC-29 ACC-31 ACC-33 MC-120', 'a run that has ended is told again byte for byte, and nothing of it is decided or written again', async (t) => {
  for (const options of [{}, { probe: failing }, { records: [] }] as const) {
    const made = await stage(t, options)
    const { json, report } = await made.run()
    const [rows, acts] = [await rowsOf(made, report.run_id), made.acts.length]
    openRunDirectory(made.directory, report.run_id).remove('report.json')
    const again = await made.resume(report.run_id)
    assert.deepEqual([again.json, again.resumed, await rowsOf(made, report.run_id), made.acts.length], [json, false, rows, acts])
    assert.deepEqual((await made.verify(report.run_id)).problems, [], 'the report that was missing is there again')
  }
})

verifies('ACC-22 ACC-15 ACC-23', 'a completion that was interrupted goes through the same gate again: all its probes run anew, and it ends as they say', async (t) => {
  for (const [probe, expected, reason] of [[undefined, 'accepted', null], [failing, 'failed', 'probe_failed']] as const) {
    for (const at of [isVerdictOf('acceptance'), isEvidence('artefacts'), isVerdictOf('report')]) {
      const { made, runId } = await interrupted(t, at, probe === undefined ? {} : { probe })
      assert.equal(await stateOf(made), 'started')
      const before = made.acts.filter((act) => act.startsWith('probe')).length
      const { report, resumed } = await made.resume(runId, { ledger: made.ledger })
      assert.deepEqual([resumed, await stateOf(made), report.reason], [true, expected, reason])
      // A failure of the work that stands in the ledger already is not tried again: only new work can change it.
      const stood = probe !== undefined && at !== undefined && made.acts.filter((act) => act.startsWith('probe')).length === before
      if (!stood) assert.deepEqual(made.acts.slice(-3).map((act) => act.split(' @')[0]), ['probe untouched', 'probe fake', 'probe result'])
      assert.deepEqual((await made.verify(runId)).problems, [])
    }
  }
})

verifies('ACC-25', 'a failed probe stands after an interruption; a runner that crashed is asked again', async (t) => {
  const failed = await interrupted(t, isEvidence('artefacts'), { probe: failing })
  const count = failed.made.acts.length
  assert.equal((await failed.made.resume(failed.runId, { ledger: failed.made.ledger })).report.reason, 'probe_failed')
  assert.equal(failed.made.acts.length, count, 'no probe was run again')
  let crashes = true
  const crashed = await interrupted(t, isEvidence('artefacts'), {
    probe: (_request, record) => {
      if (crashes) throw new TypeError('broken')
      return record
    },
  })
  crashes = false
  assert.equal((await crashed.made.resume(crashed.runId, { ledger: crashed.made.ledger })).report.status, 'pass')
})

test('a run whose work was never pinned is closed as interrupted, with what is missing', async (t) => {
  for (const [at, status] of [[isVerdictOf('health'), 'blocked'], [isEvidence('agent-exit'), 'fail'], [isEvidence('completion'), 'fail']] as const) {
    const { made, runId } = await interrupted(t, at)
    const { report } = await made.resume(runId, { ledger: made.ledger })
    assert.deepEqual([report.status, report.reason], [status, 'interrupted'])
    assert.match(report.refusal?.found ?? '', /before its agent had ended and its work was pinned/)
    assert.deepEqual((await made.verify(runId)).problems, [])
  }
})

verifies('ACC-23', 'work, untouched copy, task or log that is not what was pinned is never judged in its place', async (t) => {
  const cases: readonly (readonly [string, (made: Stage, runId: string) => Parameters<Stage['resume']>[1], string])[] = [
    ['work', (made) => ({ workspaces: { ...made.world.workspaces, digest: (path) => (path.endsWith('workspace') ? Promise.resolve('9'.repeat(64)) : made.world.workspaces.digest(path)) } }), 'work_not_pinned'],
    ['untouched copy', (made) => ({ workspaces: { ...made.world.workspaces, digest: (path) => (path.endsWith('untouched') ? Promise.resolve('9'.repeat(64)) : made.world.workspaces.digest(path)) } }), 'interrupted'],
    ['task', (made, runId) => (openRunDirectory(made.directory, runId).write('kept/task.json', '{}'), {}), 'evidence_invalid'],
    ['other task', (made, runId) => (openRunDirectory(made.directory, runId).write('kept/task.json', (openRunDirectory(made.directory, runId).read('kept/task.json') ?? assert.fail()).toString().replace('The tests pass', 'Nothing')), {}), 'evidence_invalid'],
    ['log', (made, runId) => (openRunDirectory(made.directory, runId).write('staging/agent.stdout.log', 'another'), {}), 'evidence_invalid'],
    ['stranger', (made, runId) => (openRunDirectory(made.directory, runId).write('review.json', '{"verdict":"PASS"}'), {}), 'evidence_invalid'],
  ]
  for (const [what, change, reason] of cases) {
    const { made, runId } = await interrupted(t, isVerdictOf('acceptance'))
    const { report } = await made.resume(runId, { ledger: made.ledger, ...change(made, runId) })
    assert.deepEqual([report.status, report.reason], ['fail', reason], what)
  }
})

test('a run that still goes on, or was begun with other probes, is not taken up', async (t) => {
  const { made, runId } = await interrupted(t, isVerdictOf('acceptance'))
  await assert.rejects(made.resume(runId, { ledger: made.ledger, isRunning: () => true }), { code: 'usage' })
  const probes = { tests: { ...made.world.configuration.probes['tests'], command: ['node', '--other'] } }
  await assert.rejects(made.resume(runId, { ledger: made.ledger, configuration: { ...made.world.configuration, probes } as Stage['world']['configuration'] }), { code: 'usage' })
  assert.equal(await stateOf(made), 'started')
})

verifies('MC-113 ACC-56', 'a run that nobody decided waits: it is told as blocked, never closes by itself, and goes on from its pinned work', async (t) => {
  let verdict: 'ABSTAIN' | 'PASS' | 'FAIL' = 'ABSTAIN'
  for (const [next, expected] of [['PASS', 'accepted'], ['FAIL', 'failed']] as const) {
    verdict = 'ABSTAIN'
    const made = await stage(t, { configuration: REVIEWED, review: (request) => answeredBy(request, { verdict, reason: 'as I see it' }) })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason, report.terminal_state.human_input_required, await stateOf(made)], ['blocked', 'review_waiting', true, 'waiting'])
    assert.match(report.summary, /^Waiting: review_waiting\. The work waits for board: /)
    const again = await made.resume(report.run_id)
    assert.deepEqual([again.report.reason, await stateOf(made)], ['review_waiting', 'waiting'])
    verdict = next
    const ended = await made.resume(report.run_id)
    assert.deepEqual([await stateOf(made), ended.report.reviews.map((review) => review.verdict)], [expected, ['ABSTAIN', 'ABSTAIN', next]])
    assert.deepEqual((await made.verify(report.run_id)).problems, [])
    assert.equal((await made.resume(report.run_id)).resumed, false)
  }
})

verifies('ACC-66', 'a reviewer that has decided about a head is not asked again about it', async (t) => {
  let asked = 0
  const both = { ...REVIEWED, taskClasses: { change: { completion: 'product', probes: ['tests'], review: { ...REVIEWED.taskClasses.change.review, required: ['ada', 'bob'], families: 2 } } }, reviewers: { ...REVIEWED.reviewers, bob: { ...REVIEWED.reviewers.ada, family: 'gpt' } } }
  const made = await stage(t, {
    configuration: both,
    review: (request) => {
      if (request.name === 'ada') asked += 1
      return answeredBy(request, request.name === 'bob' ? { verdict: 'ABSTAIN' } : {})
    },
  })
  const { report } = await made.run()
  await made.resume(report.run_id)
  assert.equal(asked, 1)
})

verifies('ACC-20 ACC-39', 'one function writes the final state of a task, and only the two ways through the acceptance gate call it', () => {
  const source = join(import.meta.dirname, '..')
  const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts')).map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }))
  assert.deepEqual(files.filter(({ text }) => /\bfinishRun\(/.test(text)).map(({ file }) => file).sort(), ['engine/finish.ts', 'engine/resume.ts', 'engine/run-task.ts'])
  const writers = files.flatMap(({ file, text }) => [...text.matchAll(/state: \{ to: ([^,]+),/g)].map(([, to]) => `${file} ${to}`)).sort()
  // Runs of agents that live on are no tasks, and the type of what ends them has no other state.
  assert.match(files.find(({ file }) => file === 'engine/agents/host.ts')?.text ?? '', /^type NotKept = 'failed' \| 'blocked'$[^]*const state: NotKept = [^]*const state: NotKept = /m)
  assert.deepEqual(writers.filter((writer) => !/ '(?:started|waiting|blocked|checked|closed|recorded)'$/.test(writer)), ['engine/agents/host.ts state', 'engine/agents/host.ts state', 'engine/finish.ts last.state'])
  const doors = files.filter(({ file, text }) => file !== 'engine/steps/acceptance.ts' && /\bdecideAcceptance\(/.test(text)).map(({ file }) => file).sort()
  assert.deepEqual(doors, ['engine/resume.ts', 'engine/run-task.ts'])
  // Whoever ends a task goes through app.ts or src/app/: no surface composes a run of its own.
  assert.deepEqual(files.filter(({ text }) => /\b(?:runTask|resumeRun)\(/.test(text)).map(({ file }) => file).filter((file) => !/^(?:engine|app)[/.]/.test(file)), [])
})
