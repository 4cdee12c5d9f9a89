import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { PortcullisError } from '../contract/errors.ts'
import { reportGate } from '../gates/report/index.ts'
import { trustedKeys } from '../adapters/keys/index.ts'
import { type Ledger, openNote, readHistory, renderRun, storedEnding, type World } from './index.ts'

const KEY = 'provider-key-7f3a9c1e5b2d8046'

/** Every byte that a run left on disk, the ledger included. */
function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n')
}
const filesOf = async (made: Stage): Promise<string[]> => {
  const [run] = await made.ledger.list()
  return readdirSync(join(made.directory, 'runs', run?.runId ?? ''), { recursive: true }).map(String)
}

/** The agent's output holds a credential. It becomes known to the wire when the agent asks. */
const leaks = (made: Stage): void => {
  const { work } = made.agent
  made.agent.work = () => {
    made.secrets.push(KEY)
    return work()
  }
}

verifies('SEC-08', 'a credential in an artefact fails the run, and a redacted copy takes its place', async (t) => {
  const made = await stage(t, { patch: `+const key = '${KEY}'\n` })
  leaks(made)
  const { report, directory } = await made.run()
  assert.deepEqual([report.status, report.reason, report.secret_scan.status, report.gates.at(-1)?.outcome], ['fail', 'secret_leak', 'leak', 'block'])
  assert.equal(directory.read('backend/workspace.redacted.patch')?.toString(), "+const key = '[withheld by portcullis]'\n")
  assert.ok(!everything(made.directory).includes(KEY))
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

verifies('SEC-08', 'a leak is named above every other reason of a failed run', async (t) => {
  const made = await stage(t, { patch: KEY, probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'timed_out', payload: { ...record.payload, exit_code: null, signal: 'SIGKILL' } } : record) })
  leaks(made)
  const { report } = await made.run()
  assert.ok(report.gates.some((gate) => gate.reason === 'probe_timed_out'), JSON.stringify(report.gates.at(-2)))
  assert.deepEqual([report.status, report.reason], ['fail', 'secret_leak'])
})

test('a credential in a form that cannot be cut out withholds the whole artefact', async (t) => {
  const made = await stage(t, { patch: 'x' })
  leaks(made)
  const { scanner } = made.world
  // Redacting does nothing here, as with a form whose bytes are no text.
  const world = { ...made.world, scanner: { ...scanner, scan: (bytes: Buffer) => (bytes.toString() === 'x' ? [{ rule: 'raw', offset: 0, hash: 'h' }] : scanner.scan(bytes)) } }
  Object.assign(made.world, world)
  const { report, directory } = await made.run()
  assert.equal(report.reason, 'secret_leak')
  assert.match(directory.read('backend/workspace.redacted.patch')?.toString() ?? '', /^withheld: /)
})

/** A scanner that fails on an artefact, and works on everything that is small. */
const failingOn = (text: string) => (world: World): Partial<World> => ({
  scanner: { ...world.scanner, scan: (bytes) => {
    if (bytes.toString() === text) throw new Error(`could not read ${text}`)
    return world.scanner.scan(bytes)
  } },
})

verifies('SEC-07', 'an artefact that cannot be scanned fails the run, and is not kept', async (t) => {
  const made = await stage(t, { patch: 'unscannable', world: failingOn('unscannable') })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, report.secret_scan.status], ['fail', 'secret_scan_incomplete', 'incomplete'])
  assert.ok(!everything(made.directory).includes('unscannable'))
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

for (const [name, mark] of [['report.json', '"schema_version": 1'], ['report.md', '\n| '], ['trace.jsonl', '{"at":'], ['backend/provider-model-not-admitted.txt', 'status: missing_admission\nasked']] as const) {
  verifies('ADM-X1 ADM-X4', `a credential in ${name} is a leak, named above what the run was refused for`, async (t) => {
    let reported = false
    const made = await stage(t, { records: [], world: (world) => ({
      ledger: wrapped(world.ledger, (write) => {
        reported ||= write.verdict?.gate === 'report'
      }),
      // Found in the draft; what is appended meanwhile is smaller than any of these and holds no such mark at its start.
      scanner: { ...world.scanner, scan: (bytes) => (!reported && bytes.includes(mark) && (name !== 'trace.jsonl' || bytes.includes('"n":1,')) ? [{ rule: 'raw', offset: 7, hash: 'h' }] : []) },
    }) })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason, report.secret_scan.status], ['blocked', 'secret_leak', 'leak'])
    assert.ok(report.gates.at(-1)?.found?.includes(`${name} (raw at byte 7, #h)`), report.gates.at(-1)?.found ?? '')
  })
}

verifies('ADM-X1', 'every artefact of a run is among what was scanned', async (t) => {
  const made = await stage(t, { patch: '+work' })
  const { read } = await readHistory(made.world, (await made.run()).report.run_id)
  const surfaces = [...read.statements.values()].flatMap((statement) => reportGate.facts.read(statement)?.predicate.surfaces ?? [])
  assert.deepEqual(surfaces.map(({ name, scanned }) => [name, scanned]), ['backend/agent.stdout.log', 'backend/agent.stderr.log', 'backend/workspace.patch', 'task file', 'commits', 'agent/configuration', 'agent/home', 'agent/temporary', 'report.json', 'report.md', 'trace.jsonl'].map((name) => [name, true]))
})

test('a run that could not be scanned keeps the reason it failed for', async (t) => {
  const made = await stage(t, { patch: 'unscannable', world: failingOn('unscannable'), probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', payload: { ...record.payload, exit_code: 1 } } : record) })
  assert.equal((await made.run()).report.reason, 'probe_failed')
})

verifies('SEC-03', 'the final bytes are scanned again: what became known after the draft is not written', async (t) => {
  let reported = false
  const made = await stage(t, { world: (world) => ({
    ledger: wrapped(world.ledger, (write) => {
      reported ||= write.verdict?.gate === 'report'
    }),
    // The title of the task turns out to be a credential once the report gate has passed.
    scanner: { ...world.scanner, scan: (bytes) => (reported && bytes.includes('"title": "T"') ? [{ rule: 'raw', offset: 0, hash: 'h' }] : []) },
  }) })
  await assert.rejects(made.run(), { code: 'secret_withheld' })
  const files = await filesOf(made)
  assert.deepEqual(files.filter((file) => file.startsWith('report.')), [])
  assert.ok(!files.includes('staging') && !files.includes('agent'), files.join(', '))
})

verifies('ADM-X4', 'a credential in what would be stored of the run fails it, and is stored nowhere', async (t) => {
  const made = await stage(t)
  leaks(made)
  made.agent.readiness = (facts) => ({ ...facts, observed: { ...facts.observed, claims: { ...facts.observed.claims, version: KEY } } })
  made.secrets.push(KEY)
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'secret_leak'])
  assert.ok(!everything(made.directory).includes(KEY))
})

verifies('ADM-X4', 'a credential in a call of the wire or in the agent\'s own words is not stored', async (t) => {
  const called = await stage(t)
  const { work } = called.agent
  called.agent.work = async () => {
    called.secrets.push(KEY)
    await assert.rejects(called.grants[1]?.ask({ detail: `your key ${KEY} is wrong` }) ?? Promise.resolve(), { code: 'secret_withheld' })
    return work()
  }
  assert.equal((await called.run()).report.status, 'pass')
  assert.ok(!everything(called.directory).includes(KEY))
  const said = await stage(t)
  said.agent.work = async () => {
    said.secrets.push(KEY)
    await said.grants[1]?.ask()
    said.change()
    return { claimedStatus: 'failed', claim: `I found ${KEY}` }
  }
  assert.equal((await said.run()).report.reason, 'agent_failed')
  assert.ok(!everything(said.directory).includes(KEY))
})

test('raw output does not survive a run, however it ends', async (t) => {
  for (const gate of ['wire', 'report'] as const) {
    const made = await stage(t, { world: (world) => ({ ledger: failing(world.ledger, gate) }) })
    await assert.rejects(made.run(), { code: 'store_failed' })
    const files = await filesOf(made)
    assert.ok(!files.includes('staging') && !files.includes('agent') && !files.includes('untouched'), `${gate}: ${files.join(', ')}`)
    assert.deepEqual((await made.ledger.list()).map((run) => run.state), ['started'], 'nothing is claimed about it')
  }
})

test('a call is recorded only once it is stored', async (t) => {
  const made = await stage(t, { world: (world) => ({ ledger: wrapped(world.ledger, (write) => {
    if (write.verdict === undefined && write.sealed?.some(({ body }) => body.includes('"purpose":"agent"'))) throw new PortcullisError('store_failed', { asked: 'to append', found: 'no space', remedy: 'make some' })
  }) }) })
  const { work } = made.agent
  const outcomes: string[] = []
  made.agent.work = async () => {
    outcomes.push(await work().then(() => 'recorded', (error: { code: string }) => error.code))
    return { claimedStatus: 'completed' }
  }
  assert.equal((await made.run()).report.status, 'fail')
  assert.deepEqual(outcomes, ['store_failed'])
})

test('a fault whose text holds a credential is told without it', async (t) => {
  const fault = (): Promise<never> => Promise.reject(new PortcullisError('tool_missing', { asked: 'git', found: `could not clone https://user:${KEY}@example.com`, remedy: 'install it' }))
  const made = await stage(t, { world: (world) => ({ workspaces: { ...world.workspaces, prepare: fault } }) })
  made.secrets.push(KEY)
  const { report } = await made.run()
  assert.equal(report.reason, 'workspace_unusable')
  assert.match(report.terminal_state.root_cause ?? '', /withheld by portcullis/)
  assert.ok(!everything(made.directory).includes(KEY))
})

test('a ledger that fails once leaves a run without an end: nothing is claimed about it', async (t) => {
  let failed = false
  const made = await stage(t, { world: (world) => ({ ledger: wrapped(world.ledger, (write) => {
    if (failed || write.verdict?.gate !== 'wire') return
    failed = true
    throw new PortcullisError('store_busy', { asked: 'to append', found: 'locked', remedy: 'wait' })
  }) }) })
  await assert.rejects(made.run(), { code: 'store_busy' })
  assert.deepEqual((await made.ledger.list()).map((run) => run.state), ['started'])
})

test('a fault of ours never ends a run as a pass', async (t) => {
  const boom = (): Promise<never> => Promise.reject(new TypeError('boom'))
  const faults: [name: string, change: (world: World) => Partial<World>, status: string, reason: string][] = [
    ['the wire does not open', () => ({ openWire: boom }), 'blocked', 'gate_crashed'],
    ['records cannot be read', () => ({ readAdmissions: boom }), 'blocked', 'gate_crashed'],
    ['the override cannot be read', () => ({ loadOverride: boom }), 'blocked', 'gate_crashed'],
    ['the probe of health fails', () => ({ probeModel: boom }), 'blocked', 'gate_crashed'],
    ['the agent cannot be observed', (world) => ({ launcher: { ...world.launcher, observe: boom } }), 'fail', 'gate_crashed'],
    ['the changes cannot be read', (world) => ({ workspaces: { ...world.workspaces, changes: boom } }), 'fail', 'gate_crashed'],
    ['the probes cannot be run', () => ({ probeRunner: { run: boom } }), 'fail', 'probe_crashed'],
  ]
  await Promise.all(faults.map(async ([name, change, status, reason]) => {
    const made = await stage(t, { world: change })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason], [status, reason], name)
  }))
})

function wrapped(ledger: Ledger, before: (write: Parameters<Ledger['append']>[0]) => void): Ledger {
  return {
    begin: (run) => ledger.begin(run),
    append: async (write) => {
      before(write)
      await ledger.append(write)
    },
    history: (runId) => ledger.history(runId),
    list: () => ledger.list(),
    rowsAfter: (kind, position, most) => ledger.rowsAfter(kind, position, most),
    charged: (account) => ledger.charged(account),
    close: () => ledger.close(),
  }
}

/** A ledger on a disk that is full from the verdict of one gate on. */
function failing(ledger: Ledger, gate: string): Ledger {
  let full = false
  return wrapped(ledger, (write) => {
    full ||= write.verdict?.gate === gate
    if (full) throw new PortcullisError('store_failed', { asked: 'to append', found: 'no space', remedy: 'make some' })
  })
}

test('the directory of a run holds no scratch when it is over', async (t) => {
  const made = await stage(t)
  const { directory } = await made.run()
  for (const place of ['staging', 'agent', 'untouched', 'fake', 'reference']) assert.ok(!existsSync(join(directory.path, place)), place)
})

verifies('EVD-03', 'the report carries the checkpoint that was signed when its run ended, and stays the same when others follow', async (t) => {
  const made = await stage(t)
  const { report, json } = await made.run()
  const keys = trustedKeys(join(made.directory, 'keys'))
  const opened = openNote(report.ledger.checkpoint ?? '', keys)
  assert.ok(opened.ok)
  assert.equal(report.ledger.key_id, `sha256:${keys[0]?.keyId}`)
  assert.equal(opened.checkpoint.size, (await made.ledger.history(report.run_id))?.entries.at(-1)?.position)
  await made.run()
  const { history, read } = await readHistory(made.world, report.run_id)
  assert.equal(renderRun(history, read, storedEnding(history)).json, json)
})
