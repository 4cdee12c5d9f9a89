import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PORTCULLIS, runProgram } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, scenario } from '../e2e/scenario.ts'

const check = ['admit', 'check', 'pi_scripted', '--purpose', 'ticket'] as const

test('a revoked record admits nothing from now on, stays to be read, and is revoked once', async (t) => {
  const made = await scenario(t)
  assert.equal((await made.portcullis(check)).code, 0)
  const revoked = await made.portcullis(['admit', 'revoke', 'scripted/coder-1'])
  assert.equal(revoked.code, 0, revoked.stderr)
  assert.match(revoked.stdout, /scripted--coder-1\.json is revoked/)
  const record: unknown = JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8'))
  assert.partialDeepStrictEqual(record, { status: 'revoked', model: 'coder-1' })
  const refused = await made.portcullis(check)
  assert.equal(refused.code, 3)
  assert.match(refused.stdout, /not_admitted/)
  const { result, report } = await runTask(made)
  assert.deepEqual([result.code, report.status, report.reason, made.provider.requests().length], [3, 'blocked', 'not_admitted', 0])
  assert.match((await made.portcullis(['admit', 'revoke', 'scripted/coder-1'])).stdout, /did not admit, and is left as it is/)
  const other = await made.portcullis(['admit', 'revoke', 'scripted/coder-2'])
  assert.equal(other.code, 2)
  assert.match(other.stderr, /no record of this pair/)
})

test('where nobody can answer, admit create says at once what is missing and writes nothing', async (t) => {
  const made = await scenario(t)
  const { code, stderr } = await made.portcullis(['admit', 'create', 'scripted/coder-7', '--runtime', 'pi'])
  assert.equal(code, 2)
  assert.match(stderr, /nothing given for --stage .*--approved-by .*--expires .*--expects /)
  assert.equal(existsSync(join(made.directory, 'admissions/scripted--coder-7.json')), false)
})

const terminals = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '')
const needsTerminal = { skip: terminals ? false : 'needs `script` of util-linux (package bsdutils) to give a program a terminal' }

test('at a terminal admit create asks for each field, again for an empty answer, and writes the record', needsTerminal, async (t) => {
  const made = await scenario(t)
  const answers = ['pi', '', 'work', 'J. Doe, change 4711', new Date(Date.now() + 86_400_000).toISOString(), 'every call served by this pair']
  const typed = await onTerminal(made.directory, 'admit create scripted/coder-7', answers)
  assert.match(typed, /It admits runtime pi for stage work from now on/)
  assert.equal(typed.split('the stages it may be used for').length - 1, 2)
  const record: unknown = JSON.parse(readFileSync(join(made.directory, 'admissions/scripted--coder-7.json'), 'utf8'))
  assert.partialDeepStrictEqual(record, { status: 'admitted', provider: 'scripted', model: 'coder-7', runtime: 'pi', stages: ['work'], approval_source: 'J. Doe, change 4711', evidence_expectations: ['every call served by this pair'] })
  const left = await onTerminal(made.directory, 'admit create scripted/coder-8', ['pi'])
  assert.match(left, /Nothing was written/)
  assert.equal(existsSync(join(made.directory, 'admissions/scripted--coder-8.json')), false)
})

/** Runs the command on a terminal of its own, with these lines typed into it, and gives what the terminal showed. */
async function onTerminal(directory: string, command: string, lines: readonly string[]): Promise<string> {
  // The end of what is typed ends the input, as Ctrl-D does.
  const typed = lines.map((line) => `${line}\n`).join('')
  const { stdout, stderr } = await runProgram('/bin/sh', ['-c', 'printf %s "$TYPED" | script -qec "$COMMAND" /dev/null'], { cwd: directory, env: { TYPED: typed, COMMAND: `'${process.execPath}' '${PORTCULLIS}' ${command}`, TERM: 'xterm' } })
  assert.equal(stderr, '')
  return stdout
}

verifies('ADM-D9', 'a decision is written down, and admits nothing: without a record the pair is missing_admission', async (t) => {
  const made = await scenario(t)
  const decide = (status: string, kind: string, ...more: readonly string[]) =>
    made.portcullis(['decide', '--status', status, '--class', kind, '--pair', 'scripted/coder-1', '--approved-by', 'a test', '--credential-class', 'no-secret', '--network-class', 'loopback', '--review', '2036-01-01T00:00:00Z', ...more])
  const decided = await decide('external_provider_approved', 'external_anthropic', '--evidence', 'run:20260601T013918Z-r1-string-slugify-1')
  assert.equal(decided.code, 0, decided.stderr)
  assert.deepEqual(readdirSync(join(made.directory, 'decisions')), ['scripted--coder-1.json'])
  rmSync(join(made.directory, RECORD))
  const refused = await made.portcullis(check)
  assert.equal(refused.code, 3)
  assert.match(refused.stdout, /missing_admission/)
  const again = await decide('not_decided', 'local_case_compatible')
  assert.equal(again.code, 2)
  assert.match(again.stderr, /A file is there already/)
  const copied = await decide('not_decided', 'local_case_compatible', '--evidence', '{"status":"pass"}')
  assert.match(copied.stderr, /evidence_sources/)
})

verifies('ADM-D10', 'an external provider is blocked with its record in force, until people decide; the end of the decision blocks it again', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['networkClasses', 'loopback', 'external'], true)
  const before = await runTask(made)
  assert.deepEqual([before.result.code, before.report.reason, before.report.process_started, made.provider.requests().length], [3, 'not_admitted', false, 0])
  assert.match((await made.portcullis(check)).stdout, /not_admitted[^]*no decision in decisions\/ approves scripted\/coder-1/)
  assert.equal((await made.portcullis(['tokens', 'create', '--kind', 'run', '--profile', 'pi_scripted', '--purpose', 'ticket', '--expires', '1h', '--json'])).code, 3)
  const decided = await made.portcullis(['decide', '--status', 'external_provider_approved', '--class', 'external_openai_codex', '--pair', 'scripted/coder-1', '--approved-by', 'a test', '--credential-class', 'no-secret', '--network-class', 'loopback', '--review', '2036-01-01T00:00:00Z'])
  assert.equal(decided.code, 0, decided.stderr)
  const approved = await runTask(made)
  assert.deepEqual([approved.report.status, approved.report.model.network?.external, approved.report.model.network?.external_record?.path], ['pass', true, 'decisions/scripted--coder-1.json'])
  made.set('decisions/scripted--coder-1.json', ['review_trigger'], '2026-01-01')
  assert.match((await made.portcullis(check)).stdout, /not_admitted[^]*it ended at 2026-01-01/)
})

verifies('ADM-A15 ADM-A16', 'a purpose says which stage its runs are: one pair is admitted for two stages at once, and never for those that no record covers', async (t) => {
  const made = await scenario(t)
  for (const stage of ['stage-2', 'core-promotion']) made.set(CONFIGURATION, ['purposes', stage], { needs: ['acceptance'], stage })
  made.set(CONFIGURATION, [...PROFILE, 'purposes'], ['ticket', 'stage-2', 'core-promotion'])
  const asked = async (purpose: string) => (({ result, report }) => [result.code, report.status, report.reason, report.model.stage, report.process_started])(await runTask(made, ['--purpose', purpose]))
  assert.deepEqual(await asked('stage-2'), [3, 'blocked', 'not_admitted', 'stage-2', false])
  const create = (stage: string) => made.portcullis(['admit', 'create', 'scripted/coder-1', '--runtime', 'command', '--stage', stage, '--approved-by', 'a test', '--expires', '2036-01-01T00:00:00Z', '--expects', 'a pass'])
  const created = await create('stage-2')
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stdout, /scripted--coder-1@command\+stage-2\.json/)
  assert.deepEqual(await asked('stage-2'), [0, 'pass', null, 'stage-2', true])
  assert.deepEqual(await asked('ticket'), [0, 'pass', null, 'work', true])
  assert.deepEqual(await asked('core-promotion'), [3, 'blocked', 'not_admitted', 'core-promotion', false])
  assert.equal((await create('core-promotion')).code, 2)
})
