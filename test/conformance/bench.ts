import type { TestContext } from 'node:test'
import { createCredentials } from '../../src/adapters/credentials/index.ts'
import { parseScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { startWire } from '../../src/adapters/wire-server/index.ts'
import { systemClock } from '../../src/contract/clock.ts'
import type { Dialect } from '../../src/contract/model.ts'
import type { GrantRequest, ModelCall, Wire } from '../../src/gates/wire/index.ts'
import { SECRET, TestRecorder } from '../helpers/wire-harness.ts'

/** More than one event in every dialect, with letters that take several bytes. */
export const TEXT = 'First I read the file; “quotes”, 한글 and 🔒 must survive the stream, whoever reads it.'
export const OBJECT = { name: 'Ada', age: 36 }

/** A tool named `json` is how some clients ask for an object where the API knows no other way. */
const SCRIPT = `
version: 1
models: [coder-1]
requireKey: ${SECRET}
turns:
  - { when: { offersTool: json }, answer: { toolCalls: [{ name: json, arguments: ${JSON.stringify(OBJECT)} }] } }
  - { when: { turn: 2, lastTool: content of a }, answer: { text: I have read it } }
  - { when: { turn: 1, lastUser: read a, offersTool: read }, answer: { toolCalls: [{ name: read, arguments: { path: a } }] } }
  - { when: { lastUser: an object }, answer: { text: '${JSON.stringify(OBJECT)}' } }
  - { when: { lastUser: say }, answer: { text: '${TEXT}' } }
faults:
  - { on: { lastUser: say nothing }, fault: { hang: true } }
  - { on: { lastUser: say it slowly }, fault: { slow: 60ms } }
  - { on: { lastUser: say half of it }, fault: { cut: true } }
  - { on: { lastUser: say as another }, fault: { servedModel: coder-9 } }
  - { on: { lastUser: say no }, fault: { status: 400 } }
  - { on: { lastUser: say who are you }, fault: { status: 401 } }
  - { on: { lastUser: say later }, times: 1, fault: { status: 503, retryAfter: 0 } }
`

export interface ConformanceBench {
  readonly provider: ScriptedProvider
  readonly wire: Wire
  /** The one thing a client gets. */
  readonly token: string
  readonly recorder: TestRecorder
  calls(): readonly ModelCall[]
}

/** The real wire in front of the scripted provider, with one grant of `coder-1`. */
export async function startConformance(context: Pick<TestContext, 'after'>, dialect: Dialect, change: Partial<GrantRequest> = {}): Promise<ConformanceBench> {
  const provider = await startScriptedProvider({ script: parseScript(SCRIPT), port: 0 })
  context.after(() => provider.close())
  const recorder = new TestRecorder()
  const wire = await startWire({ recorder, credentials: createCredentials({ environment: { PROVIDER_KEY: SECRET }, homeDirectory: '/nowhere' }), clock: systemClock, thresholds: undefined, port: 0 })
  context.after(() => wire.close())
  const { token } = wire.grant({
    runId: '20261120T213918Z-r1-1',
    purpose: 'agent',
    admitted: { provider: 'scripted', model: 'coder-1' },
    provider: {
      dialect,
      baseUrl: dialect === 'anthropic-messages' || dialect === 'gemini' ? provider.url : `${provider.url}/v1`,
      networkClass: 'loopback',
      credential: { source: 'env', name: 'PROVIDER_KEY', class: 'provider-api-key' },
      timeouts: { connect: '2s', firstByte: '20s', idle: '20s', total: '30s' },
    },
    servedModelIds: ['coder-1'],
    admittedUntil: null,
    epoch: 1,
    aliases: [],
    byModelId: true,
    fallbacks: [],
    backgroundModels: 'refuse',
    settings: { effort: null, context: null },
    providerTools: [],
    profile: 'coder',
    budgets: [],
    limits: { calls: 100, tokens: 1_000_000, costUsd: null },
    expiresAt: new Date(Date.now() + 3_600_000),
    ...change,
  })
  return { provider, wire, token, recorder, calls: () => recorder.calls.map(({ call }) => call) }
}
