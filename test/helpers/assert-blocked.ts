import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ran, Scenario } from '../e2e/scenario.ts'

/** What every run that is refused before its process must show, whatever refused it. */
export function assertBlocked(ran: Ran, made: Scenario, gate: string, reason: string): void {
  const { report, result } = ran
  assert.equal(result.code, 3)
  assert.equal(report.status, 'blocked')
  assert.equal(report.reason, reason)
  assert.equal(report.process_started, false)
  const block = report.gates.find((each) => each.outcome === 'block')
  assert.equal(block?.gate, gate)
  for (const text of [block.asked, block.found, block.remedy]) assert.ok(text !== null && text.length > 0)
  const trace = readFileSync(join(ran.runDirectory, 'trace.jsonl'), 'utf8')
  assert.doesNotMatch(trace, /"process_started"/)
  assert.equal(readFileSync(join(ran.runDirectory, 'report.json'), 'utf8'), result.stdout)
  assert.match(readFileSync(join(ran.runDirectory, 'report.md'), 'utf8'), new RegExp(`BLOCKED[^]*${reason}[^]*No process was started`))
}
