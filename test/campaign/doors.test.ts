import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openApp } from '../../src/index.ts'
import { runCommands } from '../helpers/run-commands.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

/** Each command must exit with its code, as text and as JSON: a script reads the code, whatever it asked to be printed. */
async function exits(made: Scenario, expected: readonly (readonly [code: number, ...args: string[]])[]): Promise<void> {
  const commands = expected.flatMap(([, ...args]) => [args, [...args, '--json']])
  const answers = await runCommands(commands, { cwd: made.directory, env: made.env })
  assert.deepEqual(answers.map(({ code }, index) => `${code} ${commands[index]?.join(' ')}`), expected.flatMap(([code, ...args]) => [`${code} ${args.join(' ')}`, `${code} ${args.join(' ')} --json`]))
}

const CHECK = ['admit', 'check', 'pi_scripted', '--purpose', 'ticket'] as const

test('resolve, admit check and run exit 0 only for what is allowed, as text and as JSON', async (t) => {
  const made = await scenario(t)
  made.write('other.json', '{}')
  await exits(made, [
    [0, 'resolve', 'pi_scripted', '--purpose', 'ticket'],
    [0, ...CHECK],
    // The exception of the preflight is for probes alone.
    [3, 'resolve', 'pi_scripted', '--purpose', 'preflight'],
    [3, 'resolve', 'nobody', '--purpose', 'ticket'],
    [3, 'admit', 'check', 'nobody', '--purpose', 'ticket'],
    // The named record is the one that counts.
    [3, ...CHECK, '--admission', 'other.json'],
  ])
  rmSync(join(made.directory, RECORD))
  await exits(made, [[3, ...CHECK], [3, 'run', 'task.yaml']])
  const { case_model_admission_status: status } = JSON.parse((await made.portcullis([...CHECK, '--json'])).stdout) as Record<string, unknown>
  assert.equal(status, 'missing_admission')
})

verifies('MC-105', 'probe exits 0 only if every asked profile is healthy, whichever is not, as text and as JSON', async (t) => {
  const made = await scenario(t)
  await exits(made, [
    [0, 'probe', '--profile', 'pi_scripted'],
    [3, 'probe', '--profile', 'pi_scripted', 'nobody'],
    [3, 'probe', '--profile', 'nobody', 'pi_scripted'],
    // Nothing was asked, so nothing is healthy.
    [2, 'probe'],
  ])
  made.remove(CONFIGURATION, ['purposes', 'preflight'])
  await exits(made, [[2, 'probe', '--all']])
})

test('a probe that is cancelled does not report the profiles it did not ask', async (t) => {
  const made = await scenario(t)
  const app = await openApp({ cwd: made.directory, configurationPath: undefined, stateDirectory: undefined, environment: {}, homeDirectory: made.directory, clock: () => new Date() })
  try {
    await assert.rejects(app.probe({ profiles: 'all', cancelled: AbortSignal.abort() }, () => undefined), { code: 'usage', found: 'cancelled after 0 of 1' })
  } finally {
    await app.close()
  }
  assert.equal(made.provider.requests().length, 0)
})

verifies('EVD-10', 'verify and report exit 3 for a run that was changed in the store, as text and as JSON, and nothing is written from it', async (t) => {
  const made = await scenario(t)
  rmSync(join(made.directory, RECORD))
  const { report, runDirectory } = await runTask(made)
  await exits(made, [[0, 'verify', report.run_id], [0, 'report', report.run_id]])
  const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'))
  database.exec("DROP TRIGGER run_end_is_final; DROP TRIGGER run_blocked_was_open; UPDATE run SET reason = 'provider_timeout'")
  database.close()
  rmSync(join(runDirectory, 'report.json'))
  await exits(made, [[3, 'verify', report.run_id], [3, 'report', report.run_id, '--write']])
  const verified = JSON.parse((await made.portcullis(['verify', report.run_id, '--json'])).stdout) as { verified: boolean; problems: { code: string; where: string }[] }
  assert.equal(verified.verified, false)
  assert.ok(verified.problems.some(({ code }) => code === 'state_unjustified'))
  assert.ok(verified.problems.some(({ code, where }) => code === 'file_missing' && where === 'report.json'), 'report --write put nothing back')
})

test('a fault, a wrong call and a run that nobody knows never exit 0', async (t) => {
  const made = await scenario(t)
  // The ledger cannot be created where a file stands.
  made.write('blocked', '')
  await exits(made, [
    [2, 'verify', '20261120T213918Z-x-9'],
    [2, 'report', '20261120T213918Z-x-9'],
    [2, 'run', 'absent.yaml'],
    [2, 'run'],
    [2, 'unheard-of'],
    // No purpose is assumed.
    [2, 'resolve', 'pi_scripted'],
    [1, 'run', 'task.yaml', '--state', 'blocked/state'],
  ])
  const { error } = JSON.parse((await made.portcullis(['run', 'absent.yaml', '--json'])).stdout) as { error: { code: string; remedy: string } }
  assert.equal(error.code, 'file_missing')
  made.set(CONFIGURATION, [...PROFILE, 'limits'], {})
  await exits(made, [[2, 'run', 'task.yaml']])
})
