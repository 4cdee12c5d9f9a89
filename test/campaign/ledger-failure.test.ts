/**
 * The ledger is made to fail while agents are asking. Whatever happens to it: an answer that a client got whole has its evidence in
 * the ledger, a call without evidence was never answered, and the wire neither crashes nor stays broken.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { answeringProvider, callsOf, holdLedger, Load, startWireProcess, type WireProcess } from '../helpers/ledger-load.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const WORKERS = 16

/** Resolves when the condition holds; fails after a minute. */
async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Each acknowledged question has exactly one answered call in the ledger, and none that was refused for want of evidence has one. */
async function assertNothingLost(ledgerPath: string, runId: string, ...loads: readonly Load[]): Promise<readonly string[]> {
  const answered = (await callsOf(ledgerPath, runId)).filter((call) => call.outcome === 'answered').map((call) => call.requestDigest)
  const known = new Set(answered)
  assert.equal(known.size, answered.length, 'a call is recorded once')
  for (const load of loads) {
    assert.deepEqual(load.strange, [])
    assert.ok(load.acknowledged.size > 0, 'something was answered at all')
    assert.deepEqual([...load.acknowledged].filter((digest) => !known.has(digest)), [], 'answers without evidence')
    assert.deepEqual([...load.unavailable].filter((digest) => known.has(digest)), [], 'evidence of calls that were told to have none')
  }
  return answered
}

const integrityOf = (ledgerPath: string): unknown => {
  const database = new DatabaseSync(ledgerPath, { readOnly: true })
  try {
    return database.prepare('PRAGMA integrity_check').get()
  } finally {
    database.close()
  }
}

/** Alive, and its own count of what has no evidence is what its clients were told. */
async function assertAlive(wire: WireProcess, ...loads: readonly Load[]): Promise<void> {
  assert.equal(wire.child.exitCode ?? wire.child.signalCode, null)
  const { unrecorded } = await wire.counted()
  assert.equal(unrecorded, loads.reduce((sum, load) => sum + load.unavailable.size, 0))
  assert.equal(loads.reduce((sum, load) => sum + load.cut, 0), 0, 'no connection was cut without a word')
}

verifies('WIR-22', 'a store that another process holds: calls end as evidence_unavailable, and are answered again once it lets go', async (context) => {
  const ledgerPath = join(temporaryDirectory(context), 'ledger.db')
  const wire = await startWireProcess(context, ledgerPath, await answeringProvider(context))
  const before = new Load(context, wire, WORKERS)
  await eventually(() => before.acknowledged.size >= 50, 'answers before the lock')
  const letGo = await holdLedger(context, ledgerPath)
  await eventually(() => before.unavailable.size >= 3, 'calls without evidence')
  await before.stop()
  await letGo()
  const after = new Load(context, wire, WORKERS)
  await eventually(() => after.acknowledged.size >= 50, 'answers after the lock')
  await after.stop()
  assert.equal(after.unavailable.size, 0)
  await assertAlive(wire, before, after)
  await assertNothingLost(ledgerPath, wire.runId, before, after)
})

verifies('WIR-22', 'a store that may not grow any more: calls end as evidence_unavailable, what was answered is in it, the wire lives', async (context) => {
  const ledgerPath = join(temporaryDirectory(context), 'ledger.db')
  // Blocks of 512 or 1024 bytes, as the shell has them: both are soon full.
  const wire = await startWireProcess(context, ledgerPath, await answeringProvider(context), ['/bin/sh', '-c', 'ulimit -f 600; exec "$0" "$@"'])
  const load = new Load(context, wire, WORKERS)
  await eventually(() => load.unavailable.size >= 100, 'calls without evidence')
  await load.stop()
  await assertAlive(wire, load)
  await assertNothingLost(ledgerPath, wire.runId, load)
  assert.deepEqual({ ...Object(integrityOf(ledgerPath)) }, { integrity_check: 'ok' })
})

/** A file system of its own that is soon full, or undefined where it may not be made. */
function smallDisk(context: TestContext, size: string): string | undefined {
  let mounted: string | undefined
  // Registered before the directory around it is removed, because a mount point cannot be.
  context.after(() => {
    if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted], { stdio: 'ignore' })
  })
  const directory = join(temporaryDirectory(context), 'disk')
  mkdirSync(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  mounted = directory
  return directory
}

verifies('WIR-22', 'a full disk: calls end as evidence_unavailable, and are answered again once there is room', async (context) => {
  const disk = smallDisk(context, '12m')
  if (disk === undefined) return context.skip('a small file system can be mounted by root on Linux only')
  const ledgerPath = join(disk, 'ledger.db')
  const filler = join(disk, 'filler')
  const wire = await startWireProcess(context, ledgerPath, await answeringProvider(context))
  writeFileSync(filler, Buffer.alloc(11 * 1_048_576))
  const full = new Load(context, wire, WORKERS)
  await eventually(() => full.unavailable.size >= 100, 'calls without evidence')
  await full.stop()
  rmSync(filler)
  const freed = new Load(context, wire, WORKERS)
  await eventually(() => freed.acknowledged.size >= 200, 'answers once there is room')
  await freed.stop()
  assert.equal(freed.unavailable.size, 0)
  await assertAlive(wire, full, freed)
  await assertNothingLost(ledgerPath, wire.runId, full, freed)
  assert.deepEqual({ ...Object(integrityOf(ledgerPath)) }, { integrity_check: 'ok' })
})

verifies('WIR-22', 'a wire that is killed under load, five times: every answer that a client got whole is in the ledger when it is opened again', async (context) => {
  const ledgerPath = join(temporaryDirectory(context), 'ledger.db')
  const provider = await answeringProvider(context)
  for (let round = 0; round < 5; round += 1) {
    const wire = await startWireProcess(context, ledgerPath, provider)
    const load = new Load(context, wire, WORKERS)
    await eventually(() => load.acknowledged.size >= 100 + round * 37, 'answers before the kill')
    const gone = once(wire.child, 'exit')
    wire.child.kill('SIGKILL')
    await gone
    await load.stop()
    assert.ok(load.cut > 0, 'it was killed while agents were asking')
    assert.equal(load.unavailable.size, 0)
    const answered = await assertNothingLost(ledgerPath, wire.runId, load)
    assert.ok(answered.length - load.acknowledged.size <= WORKERS, 'at most the answers under way were recorded and not delivered')
    assert.deepEqual({ ...Object(integrityOf(ledgerPath)) }, { integrity_check: 'ok' })
  }
})

void test('the count of clients finds an answer without evidence: a planted one', async (context) => {
  const ledgerPath = join(temporaryDirectory(context), 'ledger.db')
  const wire = await startWireProcess(context, ledgerPath, await answeringProvider(context))
  const load = new Load(context, wire, 1)
  await eventually(() => load.acknowledged.size > 0, 'an answer')
  await load.stop()
  load.acknowledged.add('0'.repeat(64))
  await assert.rejects(assertNothingLost(ledgerPath, wire.runId, load), /answers without evidence/)
})
