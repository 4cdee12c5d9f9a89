import assert from 'node:assert/strict'
import { stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { canonicalJson, sha256 } from '../contract/canonical.ts'
import { FORMAT, formatOf } from './format.ts'
import { type RunHistory, verifyRun } from './index.ts'
import { RULEBOOK } from './rulebook.ts'
import { showRun } from './show.ts'
import { verifyHistory } from './verify-chain.ts'

/** The history as another version would have written it: the number in its opening is another, or is not there. */
function inForm(history: RunHistory, format: number | undefined): RunHistory {
  const entries = history.entries.map((entry) => {
    if (!entry.body.includes('evidence/run/v1')) return entry
    const body = JSON.parse(entry.body) as { predicate: { versions: Record<string, unknown> } }
    delete body.predicate.versions['format']
    if (format !== undefined) body.predicate.versions['format'] = format
    const text = canonicalJson(body)
    return { ...entry, body: text, digest: sha256(text) }
  })
  return { ...history, entries }
}

verifies('ACC-34', 'a run in another form loads, says in which, and is neither proven nor called tampered with, whatever became of it', async (t) => {
  for (const honest of [true, false]) {
    const made = await stage(t)
    if (!honest) made.agent.work = async () => ({ claimedStatus: 'completed', claim: 'done' })
    const { report, directory } = await made.run()
    assert.deepEqual([report.status, report.versions.format], [honest ? 'pass' : 'fail', FORMAT])
    const history = (await made.ledger.history(report.run_id)) ?? assert.fail()
    assert.deepEqual(verifyRun(history, directory).problems, [])
    assert.deepEqual(verifyRun(inForm(history, FORMAT), directory).problems, [])
    for (const form of [undefined, 1, FORMAT + 1]) {
      const older = inForm(history, form)
      assert.deepEqual(formatOf(older), { format: form ?? 1, version: '0' })
      const { problems } = verifyRun(older, directory)
      assert.deepEqual(problems.map(({ code }) => code), ['format_other'])
      const shown = showRun(older, verifyHistory(older, RULEBOOK).read, [])
      assert.deepEqual([shown.format, shown.format_read, shown.state, shown.report], [form ?? 1, FORMAT, history.run.state, null])
      assert.deepEqual(shown.gates.map(({ gate, outcome }) => [gate, outcome]), report.gates.map(({ gate, outcome }) => [gate, outcome]), 'the verdicts stand as they were given')
      // What was changed is said beside it.
      const changed = { ...older, entries: older.entries.map((entry, index) => (index === 4 ? { ...entry, body: `${entry.body} ` } : entry)) }
      assert.deepEqual(verifyRun(changed, directory).problems.map(({ code }) => code), ['row_changed', 'format_other'])
    }
  }
})
