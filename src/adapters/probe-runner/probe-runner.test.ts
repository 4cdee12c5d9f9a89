import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { DEFINITIONS, PASSED_PAYLOADS } from '../../../test/helpers/probe-samples.ts'
import { NOTHING_APPROVED } from '../../../test/helpers/probed.ts'
import { verifies } from '../../../test/verifies.ts'
import { systemClock } from '../../contract/clock.ts'
import { type HeadlessRunPayload, ProbeRecord, ProbeRecordEvidence, type ProbeRequest, recordStatement } from '../../gates/acceptance/index.ts'
import { definitionDigest, type HeadlessRunProbe, type ProbeDefinition } from '../../gates/catalog/index.ts'
import { processIdentity } from '../process/index.ts'
import { workspaceDigest } from '../workspace/index.ts'
import { createProbeRunner, probeRunnerOf } from './index.ts'

const RUN = '20261120T213918Z-r1-string-slugify-1'
const SECRET = 'sk-test-0123456789abcdefghij'
const environment = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', HOME: '/root', MODE: 'strict', HOLDER: `Bearer ${SECRET}`, OTHER_API_KEY: 'not-known-to-us' }
const runner = createProbeRunner({ secrets: () => [SECRET], clock: systemClock, browser: undefined, approvals: NOTHING_APPROVED })

type Definition = Partial<HeadlessRunProbe> & Pick<HeadlessRunProbe, 'command'>
const definitionOf = (definition: Definition): ProbeDefinition => ({ kind: 'headless_run', timeout: '20s', expect: { exitCode: 0 }, ...definition })
const script = (source: string): HeadlessRunProbe['command'] => [process.execPath, '-e', source]

function workspaceOf(context: TestContext, files: Readonly<Record<string, string>> = { 'a.txt': 'one\n' }): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-probed-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

async function requestOf(workspace: string, definition: Definition, change: Partial<ProbeRequest> = {}): Promise<ProbeRequest> {
  const subjectDigest = change.subjectDigest ?? (await workspaceDigest(workspace))
  return { name: 'tests', definition: definitionOf(definition), phase: 'result', subjectDigest, workspace, environment, runId: RUN, attempt: 1, taskClass: 'change', signal: new AbortController().signal, keep: (name) => name, ...change }
}

const run = async (workspace: string, definition: Definition, change: Partial<ProbeRequest> = {}): Promise<ProbeRecord & { payload: HeadlessRunPayload }> => {
  const record = await runner.run(await requestOf(workspace, definition, change))
  assert.deepEqual(ProbeRecordEvidence.read(JSON.parse(JSON.stringify(recordStatement(record))))?.predicate, record, 'a record can be stored and read back')
  return record as ProbeRecord & { payload: HeadlessRunPayload }
}

verifies('ACC-42', 'a command passes only with the expected exit code, and its end, output and duration are recorded', async (context) => {
  const workspace = workspaceOf(context)
  const passed = await run(workspace, { command: ['sh', '-c', 'cat a.txt; echo no >&2'] })
  assert.deepEqual([passed.status, passed.payload.exit_code, passed.payload.signal, passed.payload.leaked, passed.changed_workspace], ['passed', 0, null, false, false])
  assert.deepEqual(passed.payload.stdout, { head: 'one\n', tail: '', bytes: 4, sha256: createHash('sha256').update('one\n').digest('hex'), truncated: false })
  assert.equal(passed.payload.stderr?.head, 'no\n')
  assert.match(passed.summary, /^exited 0 in \d+ ms$/)
  assert.ok(passed.duration_ms > 0)
  const failed = await run(workspace, { command: ['sh', '-c', 'exit 3'] })
  assert.deepEqual([failed.status, failed.payload.exit_code], ['failed', 3])
  assert.match(failed.summary, /^exited 3 where 0 was expected, after/)
  assert.equal((await run(workspace, { command: ['sh', '-c', 'exit 3'], expect: { exitCode: 3 } })).status, 'passed')
  assert.equal((await run(workspace, { command: ['sh', '-c', 'cat a.txt'], expect: { exitCode: 3 } })).status, 'failed')
  const killed = await run(workspace, { command: ['sh', '-c', 'kill -SEGV $$'] })
  assert.deepEqual([killed.status, killed.payload.exit_code, killed.payload.signal], ['failed', null, 'SIGSEGV'])
})

test('an expected output is looked for in what is kept of it', async (context) => {
  const workspace = workspaceOf(context)
  const command = ['sh', '-c', 'echo first; cat a.txt']
  const passed = await run(workspace, { command, expect: { exitCode: 0, stdout: '^one$' } })
  assert.deepEqual([passed.status, passed.payload.stdout_matched], ['passed', true])
  const failed = await run(workspace, { command, expect: { exitCode: 0, stdout: '^two$' } })
  assert.deepEqual([failed.status, failed.payload.stdout_matched, failed.payload.exit_code], ['failed', false, 0])
  const long = await run(workspace, { command: script(`process.stdout.write('x\\n'.repeat(500000) + 'the end')`), expect: { exitCode: 0, stdout: 'the end$' } })
  assert.equal(long.status, 'passed')
  const endless = await run(workspace, { command: script(`process.stdout.write('a'.repeat(60000) + '!')`), expect: { exitCode: 0, stdout: '(a*a*a*)+$' } })
  assert.deepEqual([endless.status, endless.payload.error], ['error', 'expression not matched in time'])
})

verifies('ACC-07', 'a record names what it is about', async (context) => {
  const workspace = workspaceOf(context)
  const record = await run(workspace, { command: ['cat', 'a.txt'] }, { attempt: 3, phase: 'untouched' })
  assert.deepEqual(
    [record.probe, record.kind, record.phase, record.run_id, record.attempt, record.task_class, record.definition_digest, record.subject_digest, record.runner_version],
    ['tests', 'headless_run', 'untouched', RUN, 3, 'change', definitionDigest(definitionOf({ command: ['cat', 'a.txt'] })), await workspaceDigest(workspace), 'probe-runner/1'],
  )
  assert.ok(Date.parse(record.ended_at) >= Date.parse(record.started_at))
})

verifies('ACC-44', 'at its limit a probe ends with all its descendants, also one that left its session', async (context) => {
  const workspace = workspaceOf(context, { 'child.sh': `trap '' TERM; echo $$ > "$1"; while :; do sleep 0.2; done` })
  const pids = mkdtempSync(join(tmpdir(), 'portcullis-pids-'))
  context.after(() => rmSync(pids, { recursive: true, force: true }))
  const command = ['sh', '-c', `sh child.sh ${pids}/child & (setsid sh child.sh ${pids}/daemon >/dev/null 2>&1 &); trap '' TERM; while :; do sleep 0.2; done`]
  const startedAt = performance.now()
  const record = await run(workspace, { command, timeout: '700ms' })
  assert.ok(performance.now() - startedAt < 2_700)
  assert.deepEqual([record.status, record.summary], ['timed_out', 'did not end within 700ms'])
  for (const name of ['child', 'daemon']) assert.equal(processIdentity(Number(readFileSync(join(pids, name), 'utf8'))), undefined, name)
})

test('a cancelled probe is recorded as cancelled, with its processes gone', async (context) => {
  const workspace = workspaceOf(context)
  const file = join(workspaceOf(context, {}), 'pid')
  const cancel = new AbortController()
  const running = run(workspace, { command: ['sh', '-c', `echo $$ > ${file}; exec sleep 60`] }, { signal: cancel.signal })
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await wait(10)
  cancel.abort()
  const record = await running
  assert.equal(record.status, 'cancelled')
  assert.equal(processIdentity(Number(readFileSync(file, 'utf8'))), undefined)
  assert.equal((await run(workspace, { command: ['cat', 'a.txt'] }, { signal: cancel.signal })).summary, 'was not begun: the run was cancelled')
})

verifies('ACC-45', 'a command that exits 0 and leaves a child at the pipe is judged by its exit, and flagged', async (context) => {
  const startedAt = performance.now()
  const record = await run(workspaceOf(context), { command: ['sh', '-c', 'sleep 60 & exit 0'] })
  assert.deepEqual([record.status, record.payload.leaked], ['passed', true])
  assert.ok(performance.now() - startedAt < 5_000)
})

verifies('ACC-46', 'a missing program, an unreadable folder and output that is no text are errors on record, not crashes or passes', async (context) => {
  const workspace = workspaceOf(context)
  const missing = await run(workspace, { command: ['no-such-program-anywhere'] })
  assert.deepEqual([missing.status, missing.payload.error, missing.payload.exit_code], ['error', 'ENOENT', null])
  assert.equal((await run(workspace, { command: ['./a.txt'] })).payload.error, 'EACCES')
  const absent = await run(join(workspace, 'absent'), { command: ['cat', 'a.txt'] }, { subjectDigest: 'a'.repeat(64) })
  assert.deepEqual([absent.status, absent.summary], ['error', 'was not begun: the workspace could not be read (ENOENT)'])
  assert.equal((await run(join(workspace, 'a.txt'), { command: ['cat'] }, { subjectDigest: 'a'.repeat(64) })).status, 'error')
  for (const stream of ['stdout', 'stderr']) {
    const binary = await run(workspace, { command: script(`process.${stream}.write(Buffer.from([0x6f, 0x6b, 0xff, 0xfe]))`) })
    assert.deepEqual([binary.status, binary.payload.error, binary.payload.exit_code], ['error', 'output not UTF-8', 0])
  }
  assert.equal((await run(workspace, { command: script(`process.stdout.write('é€😀'.repeat(50000))`) })).status, 'passed')
})

verifies('ACC-47', 'of a long output the ends are kept, and all of it is counted and digested', async (context) => {
  const record = await run(workspaceOf(context), { command: script(`process.stdout.write('begin' + 'x'.repeat(1000000) + 'end')`) })
  const text = `begin${'x'.repeat(1_000_000)}end`
  assert.deepEqual([record.payload.stdout?.bytes, record.payload.stdout?.truncated, record.payload.stdout?.sha256], [text.length, true, createHash('sha256').update(text).digest('hex')])
  assert.match(record.payload.stdout?.head ?? '', /^begin/)
  assert.match(record.payload.stdout?.tail ?? '', /end$/)
  assert.ok((record.payload.stdout?.head.length ?? 0) <= 4_096)
})

verifies('ACC-48', 'a probe sees the listed variables only, and never one that is or holds a credential', async (context) => {
  const workspace = workspaceOf(context)
  const record = await run(workspace, { command: ['env'], environment: ['MODE', 'HOLDER', 'OTHER_API_KEY', 'ABSENT'], expect: { exitCode: 0, stdout: '^MODE=strict$' } })
  assert.equal(record.status, 'passed')
  const names = (record.payload.stdout?.head ?? '').split('\n').flatMap((line) => line.split('=')[0] || []).sort()
  assert.deepEqual(names, ['HOME', 'LANG', 'MODE', 'PATH', 'PORTCULLIS_PROCESS', 'TMPDIR'])
  assert.deepEqual(record.payload.environment, ['HOME', 'LANG', 'MODE', 'PATH', 'TMPDIR'])
  assert.deepEqual(record.payload.environment_withheld, ['HOLDER', 'OTHER_API_KEY'])
  assert.doesNotMatch(record.payload.stdout?.head ?? '', /^HOME=\/root$/m)
})

verifies('ACC-48', 'a credential that a probe prints, in any form or across the edge of a preview, is in no record', async (context) => {
  const workspace = workspaceOf(context, { key: SECRET })
  const print = (source: string): Promise<ProbeRecord> => run(workspace, { command: script(`const key = require('fs').readFileSync('key', 'utf8'); ${source}`) })
  const outputs = [
    'console.log(key); console.error(key)',
    `console.log(Buffer.from(key).toString('base64'), encodeURIComponent(key), Buffer.from(key).toString('hex'))`,
    ...[4096 - 1, 4096 - 14, 4096 - 27].map((before) => `process.stdout.write('x'.repeat(${before}) + key + 'y'.repeat(${before}))`),
    ...[4096 - 1, 4096 + 10, 4264 - 3, 4264 - 20].map((before) => `process.stdout.write('x'.repeat(${before}) + key + 'z'.repeat(300000) + key + 'y'.repeat(${before}))`),
  ]
  for (const output of outputs) {
    const text = JSON.stringify(await print(output))
    for (let at = 0; at + 8 <= SECRET.length; at++) assert.equal(text.includes(SECRET.slice(at, at + 8)), false, `${output} shows ${SECRET.slice(at, at + 8)}`)
    for (const form of [Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')]) assert.equal(text.includes(form), false)
  }
  const inCommand = await run(workspace, { command: ['sh', '-c', `touch ran; echo ${SECRET}`] })
  assert.deepEqual([inCommand.status, inCommand.payload.error, JSON.stringify(inCommand).includes(SECRET)], ['error', 'credential in command', false])
  assert.equal(existsSync(join(workspace, 'ran')), false)
})

verifies('ACC-49', 'a probe that changes the workspace is flagged and does not pass; one that may write does so on a copy', async (context) => {
  const workspace = workspaceOf(context)
  const copied = await run(workspace, { command: ['sh', '-c', 'echo x > new.txt'], allowsWrites: true })
  assert.deepEqual([copied.status, copied.changed_workspace, existsSync(join(workspace, 'new.txt'))], ['passed', true, false])
  const quiet = await run(workspace, { command: ['cat', 'a.txt'], allowsWrites: true })
  assert.deepEqual([quiet.status, quiet.changed_workspace], ['passed', false])
  const sly = workspaceOf(context)
  const through = await run(sly, { command: ['sh', '-c', `echo x > ${sly}/new.txt`], allowsWrites: true })
  assert.deepEqual([through.status, through.changed_workspace], ['failed', true])
  for (const command of ['echo x > new.txt', 'chmod +x a.txt', 'mkdir empty', 'rm a.txt']) {
    const other = workspaceOf(context)
    const record = await run(other, { command: ['sh', '-c', command] })
    assert.deepEqual([record.status, record.changed_workspace], ['failed', true], command)
    assert.match(record.summary, /and changed the workspace$/)
  }
})

test('a workspace that is not the one to be judged is not looked at', async (context) => {
  const workspace = workspaceOf(context)
  const record = await run(workspace, { command: ['sh', '-c', 'echo x > ran'] }, { subjectDigest: 'a'.repeat(64) })
  assert.deepEqual([record.status, record.summary], ['error', 'was not begun: the workspace is not the one to be judged'])
  assert.equal(existsSync(join(workspace, 'ran')), false)
})

verifies('ACC-11', 'a kind without a runner is recorded as unimplemented, never as passed', async (context) => {
  const record = await probeRunnerOf({ secrets: () => [], clock: systemClock }, {}).run(await requestOf(workspaceOf(context), { command: ['cat', 'a.txt'] }))
  assert.deepEqual([record.status, record.kind, record.summary], ['unimplemented', 'headless_run', 'no runner for probes of kind headless_run is built in'])
})

verifies('ACC-71', 'a new kind takes an entry in the registry, and its records are records', async (context) => {
  const kinds = { render_hash: { run: () => Promise.resolve({ status: 'passed' as const, summary: 'looks as it should', payload: PASSED_PAYLOADS.render_hash }), notBegun: () => ({}) } }
  const record = await probeRunnerOf({ secrets: () => [], clock: systemClock }, kinds).run({ ...(await requestOf(workspaceOf(context), { command: ['x'] })), definition: DEFINITIONS.render_hash })
  assert.deepEqual([record.status, record.payload, ProbeRecord.safeParse(record).success], ['passed', PASSED_PAYLOADS.render_hash, true])
})

verifies('ACC-05 ACC-77', 'two runs on one runner leave nothing to each other', async (context) => {
  const workspace = workspaceOf(context)
  const first = await run(workspace, { command: ['sh', '-c', 'echo first; exit 1'] })
  const second = await run(workspace, { command: ['sh', '-c', 'test -e "$HOME/x" && exit 1; echo second; touch "$HOME/x" "$TMPDIR/x"'] }, { runId: '20261120T213918Z-other-2' })
  const third = await run(workspace, { command: ['sh', '-c', 'test -e "$HOME/x" && exit 1; ls "$TMPDIR"'] }, { runId: '20261120T213918Z-other-3' })
  assert.deepEqual([first.status, second.status, third.status], ['failed', 'passed', 'passed'])
  assert.deepEqual([first.run_id, second.run_id], [RUN, '20261120T213918Z-other-2'])
  assert.deepEqual([second.payload.stdout?.head, third.payload.stdout?.head], ['second\n', ''])
})

test('a fault of the runner itself is thrown, and no record is made up', async (context) => {
  const broken = { headless_run: { run: () => Promise.reject(new TypeError('broken')), notBegun: () => ({}) } }
  await assert.rejects(probeRunnerOf({ secrets: () => [], clock: systemClock }, broken).run(await requestOf(workspaceOf(context), { command: ['x'] })), { name: 'TypeError' })
  const lying = { headless_run: { run: () => Promise.resolve({ status: 'passed' as const, summary: 'trust me', payload: {} }), notBegun: () => ({}) } }
  await assert.rejects(probeRunnerOf({ secrets: () => [], clock: systemClock }, lying).run(await requestOf(workspaceOf(context), { command: ['x'] })), { name: 'ZodError' })
})
