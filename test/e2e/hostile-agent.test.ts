import assert from 'node:assert/strict'
import { verifies } from '../verifies.ts'
import { runsOf, scenario } from './scenario.ts'

/** What an agent that shares our user can do to the store of its own run. */
const LEDGER_ATTACKS: readonly (readonly [what: string, found: RegExp, ...sql: string[]])[] = [
  [
    'turns its failure into a pass by a trigger', /the run is accepted, written was failed \(probe_failed\)/,
    'DROP TRIGGER run_end_is_final; DROP TRIGGER run_accepted_needs_gates',
    `CREATE TRIGGER mine AFTER UPDATE ON run WHEN NEW.state = 'failed' BEGIN UPDATE run SET state = 'accepted', reason = NULL WHERE run_id = NEW.run_id; END`,
  ],
  ['puts a row between those of its run', /row \d+ is not the one that was written/, `INSERT INTO entry (run_id, kind, digest, body) SELECT run_id, kind, digest, body FROM entry WHERE kind = 'event' LIMIT 1`],
  ['rewrites what was asked of it', /row \d+ is not the one that was written/, 'DROP TRIGGER entry_is_final', `UPDATE entry SET body = replace(body, 'All tests of the repository pass', 'README.md exists')`],
]

for (const [what, found, ...sql] of LEDGER_ATTACKS) {
  verifies('EVD-04 ACC-08', `an agent that ${what} gets no report, and no exit code of a pass`, async (t) => {
    const made = await scenario(t, { agent: 'rewires.mjs', agentArguments: sql })
    const result = await made.portcullis(['run', 'task.yaml', '--json'])
    const { error } = JSON.parse(result.stdout) as { error?: { code: string; found: string } }
    assert.deepEqual([result.code, error?.code], [1, 'store_tampered'], result.stdout.slice(0, 500))
    assert.match(error?.found ?? '', found)
    const [runId = ''] = runsOf(made)
    for (const command of ['verify', 'report']) assert.notEqual((await made.portcullis([command, runId])).code, 0, command)
  })
}
