import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { createProbeRunner, type ProbeRunnerOptions } from '../../src/adapters/probe-runner/index.ts'
import { workspaceDigest } from '../../src/adapters/workspace/index.ts'
import { systemClock } from '../../src/contract/clock.ts'
import { type Approvals, type ProbeRecord, ProbeRecordEvidence, type ProbeRequest, recordStatement } from '../../src/gates/acceptance/index.ts'
import { ProbeDefinition } from '../../src/gates/catalog/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A credential that the runner of these tests knows. */
export const SECRET = 'sk-test-0123456789abcdefghij'

/** A directory of its own with the files given by their paths. */
export function workspaceOf(context: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory(context)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

export const NOTHING_APPROVED: Approvals = { render: () => Promise.resolve(undefined) }

/** Runs one probe on a workspace, through the runner that is built in, and reads its record back as it would be stored. */
export async function probe(workspace: string, definition: unknown, change: Partial<ProbeRequest> = {}, options: Partial<ProbeRunnerOptions> = {}): Promise<ProbeRecord> {
  const runner = createProbeRunner({ secrets: () => [SECRET], clock: systemClock, browser: undefined, approvals: NOTHING_APPROVED, ...options })
  const environment = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', HOME: '/root', SERVICE_TOKEN: 'not-known-to-us', MODE: 'strict' }
  const record = await runner.run({
    name: 'probe', definition: ProbeDefinition.parse(definition), phase: 'result', subjectDigest: await workspaceDigest(workspace), workspace, environment,
    runId: '20261120T213918Z-r1-string-slugify-1', attempt: 1, taskClass: 'change', signal: new AbortController().signal, keep: (name) => name, ...change,
  })
  assert.deepEqual(ProbeRecordEvidence.read(JSON.parse(JSON.stringify(recordStatement(record))))?.predicate, record, 'a record can be stored and read back')
  return record
}
