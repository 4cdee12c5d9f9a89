/** The wire as a run has it, alone in a process: with the real ledger (`on`), or with a recorder that keeps nothing (`off`). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCredentials } from '../../src/adapters/credentials/index.ts'
import { createSecretScanner } from '../../src/adapters/secret-scan/index.ts'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { startWire } from '../../src/adapters/wire-server/index.ts'
import { systemClock } from '../../src/contract/clock.ts'
import { createCallRecorder } from '../../src/engine/recorder.ts'
import { type CallRecorder, NOTHING_SPENT } from '../../src/gates/wire/index.ts'

const [, , provider = '', evidence = ''] = process.argv
const place = mkdtempSync(join(tmpdir(), 'portcullis-bench-wire-'))
process.once('exit', () => rmSync(place, { recursive: true, force: true }))
process.once('disconnect', () => process.exit())

const ledger = await openLedger(join(place, 'ledger.db'))
const { runId } = await ledger.begin({ kind: 'task', taskId: 'bench', startedAt: systemClock() })
const nothing: CallRecorder = { record: () => Promise.resolve('0'.repeat(64)), charged: () => Promise.resolve(NOTHING_SPENT) }
const credentials = createCredentials({ environment: { BENCH_KEY: 'sk-bench-0123456789abcdef' }, homeDirectory: place })
const recorder = evidence === 'on' ? createCallRecorder(ledger, createSecretScanner(() => credentials.knownValues())) : nothing
const wire = await startWire({ recorder, credentials, clock: systemClock, thresholds: undefined, port: 0 })
const grant = wire.grant({
  runId,
  epoch: 1,
  purpose: 'agent',
  admitted: { provider: 'bench', model: 'coder-1' },
  provider: { dialect: 'openai-chat', baseUrl: `${provider}/v1`, networkClass: 'loopback', credential: { source: 'env', name: 'BENCH_KEY', class: 'provider-api-key' }, timeouts: { connect: '5s', firstByte: '60s', idle: '60s', total: '5m' } },
  servedModelIds: ['coder-1'],
  admittedUntil: null,
  aliases: [],
  byModelId: true,
  fallbacks: [],
  backgroundModels: 'refuse', settings: { effort: null, context: null },
  providerTools: [],
  profile: 'coder',
  budgets: [],
  limits: { calls: 1e9, tokens: 1e12, costUsd: null },
  expiresAt: new Date(systemClock().getTime() + 86_400_000),
})
process.send?.({ port: Number(new URL(wire.address).port), token: grant.token })
