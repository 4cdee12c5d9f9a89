import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { openLedgerForReading } from '../../src/adapters/store-sqlite/index.ts'
import { Report } from '../../src/gates/report/index.ts'
import { PORTCULLIS } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'
import { RECORD, runsOf, scenario } from '../e2e/scenario.ts'

const Call = z.looseObject({ predicate: z.looseObject({ outcome: z.string(), purpose: z.string(), reason: z.string().nullable(), startedAt: z.string(), route: z.string() }) })

verifies('WIR-04', 'revoking the record of a working agent stops its next call within a second, and its work does not count', async (t) => {
  const made = await scenario(t, { agent: 'asks-on.mjs' })
  const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  // The probe is the first call; the agent's own follow each other.
  while (made.provider.requests().length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  made.set(RECORD, ['status'], 'revoked')
  const revokedAt = Date.now()
  assert.equal(await ended, 4)
  const [run = ''] = runsOf(made)
  const report = Report.parse(JSON.parse(readFileSync(join(made.directory, '.portcullis/runs', run, 'report.json'), 'utf8')))
  assert.deepEqual([report.status, report.reason], ['fail', 'not_admitted'])
  const ledger = await openLedgerForReading(join(made.directory, '.portcullis/ledger.db'))
  const history = await ledger.history(report.run_id)
  await ledger.close()
  const calls = (history?.entries ?? []).flatMap((entry) => {
    const statement = entry.kind === 'evidence' ? Call.safeParse(JSON.parse(entry.body)) : undefined
    return statement?.success === true ? [statement.data.predicate] : []
  })
  const answered = calls.filter((call) => call.outcome === 'answered' && call.purpose === 'agent')
  assert.ok(answered.length >= 4, 'the agent was answered before')
  assert.deepEqual(calls.filter((call) => call.outcome !== 'answered').map((call) => call.reason), ['not_admitted'])
  const lastBegan = Math.max(...answered.map((call) => Date.parse(call.startedAt)))
  assert.ok(lastBegan - revokedAt <= 1_000, `a call was let through ${lastBegan - revokedAt} ms after the revocation`)
})
