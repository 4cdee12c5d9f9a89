import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext } from 'node:test'
import type { Fault, ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import { agentScenario, type AgentScenario, type Alteration, cannotRun, edit, PROGRAMS, type ProgramName, runAgent } from '../helpers/real-agents.ts'
import { verifies } from '../verifies.ts'

/** What differs from one program to the next when it goes wrong. */
export interface AgentFaults {
  /** Its own configuration names another model than the admitted one. */
  readonly otherModel: (model: string) => Alteration
  /** It is told of a model to fall back on; null for a program that knows none. */
  readonly fallback: ((model: string) => Alteration) | null
  /** It asks for a second model by itself. */
  readonly background: { readonly alter?: (model: string) => Alteration; readonly script?: (script: ProviderScript) => ProviderScript; prepare?(made: AgentScenario): void }
  /** The variable that holds its key. */
  readonly keyVariable: string
}

/** Where a text of a launch stands in place of another. */
export const replaced = (one: string, other: string): Alteration => ({ argv, files }) => {
  const [program, ...rest] = argv
  const put = (text: string): string => text.replaceAll(one, other)
  return { argv: [program, ...rest.map(put)], files: files.map(({ path, content }) => ({ path, content: put(content) })) }
}

/** The fault strikes every answer of the run, and leaves the health probe alone. */
const striking = (fault: Fault) => (script: ProviderScript): ProviderScript => ({ ...script, faults: [{ on: { lastUser: 'slugify' }, fault }] })

/** The whole of done-list 1 and 4 for one program, on the real one, sealed at `network`. */
export function agentSuite(name: ProgramName, faults: AgentFaults): void {
  const version = PROGRAMS[name].version
  const proves = (ids: string, what: string, check: (t: TestContext) => Promise<void>): void => {
    verifies(ids, `${name} ${version}: ${what}`, async (t) => {
      const obstacle = await cannotRun(name)
      if (obstacle !== false) return t.skip(obstacle)
      await check(t)
    })
  }
  const refused = (what: string, ids: string, expected: { readonly reason: string; readonly found?: RegExp }, how: { readonly script?: (script: ProviderScript) => ProviderScript; readonly alter?: Alteration; prepare?(made: AgentScenario): void }): void => {
    proves(ids, what, async (t) => {
      const made = await agentScenario(t, name, how.script)
      how.prepare?.(made)
      const { report } = await runAgent(made, how.alter === undefined ? {} : { alter: how.alter })
      assert.deepEqual([report.status, report.reason], ['fail', expected.reason], JSON.stringify(report.refusal))
      if (expected.found !== undefined) assert.match(JSON.stringify(report), expected.found)
    })
  }

  proves('ISO-01 ISO-07 SEC-01 ADM-E6', 'sealed, it does the work through the wire with the admitted model, and holds no credential of ours', async (t) => {
    const made = await agentScenario(t, name)
    const canary = `canary-${name}-5b1c94e7`
    writeFileSync(join(made.home, 'canary.txt'), canary)
    const environment = { ...made.environment, ANTHROPIC_API_KEY: canary, OPENAI_API_KEY: canary, GEMINI_API_KEY: canary, GITHUB_TOKEN: canary }
    const { report, directory } = await runAgent({ ...made, environment })
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
    assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
    assert.deepEqual([report.model.served, report.agent?.version], [['coder-1'], version])
    assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
    assert.deepEqual([report.exit?.code, report.exit?.claimed_status], [0, 'completed'])
    assert.ok(made.provider.requests().every(({ model }) => model === null || model === 'coder-1'), 'no other model was asked for')
    assertNowhere(canary, [directory, join(made.directory, '.portcullis')])
  })

  refused('another model in its own configuration is not served', 'WIR-02', { reason: 'model_not_admitted', found: /other-1/ }, { alter: faults.otherModel('other-1') })
  if (faults.fallback !== null) {
    refused('the model that it falls back on after 529 is not served', 'WIR-02', { reason: 'model_not_admitted', found: /fallback-1/ }, { script: striking({ status: 529 }), alter: faults.fallback('fallback-1') })
  }
  const { alter, script, prepare } = faults.background
  proves('WIR-02', 'a model that nobody admitted, which it asks for by itself, is refused and shown', async (t) => {
    const made = await agentScenario(t, name, script)
    prepare?.(made)
    const { report, directory } = await runAgent(made, alter === undefined ? {} : { alter: alter('background-1') })
    assert.ok(report.wire.refused > 0, JSON.stringify(report.wire))
    assert.match(readFileSync(join(directory, 'trace.jsonl'), 'utf8'), /"model_not_admitted"/)
    assert.ok(made.provider.requests().every(({ model }) => model === null || model === 'coder-1'), 'no other model was asked')
  })
  refused('without its key it asks no model, which is no work', 'ADM-N14', { reason: 'no_model_call' }, {
    alter: ({ environment }) => ({ environment: Object.fromEntries(Object.entries(environment).filter(([variable]) => variable !== faults.keyVariable)) }),
  })
  refused('a provider that refuses the credential fails the run', 'WIR-20', { reason: 'provider_auth' }, { script: striking({ status: 401 }) })
  refused('a provider that never answers fails the run', 'WIR-20', { reason: 'provider_timeout' }, {
    script: striking({ hang: true }),
    prepare: ({ directory }) => edit(join(directory, 'portcullis.yaml'), ['providers', 'scripted', 'timeouts', 'firstByte'], '2s'),
  })
  refused('work that is only said to be done is not done', 'ACC-16', { reason: 'done_without_change' }, {
    script: (given) => ({ ...given, turns: [...given.turns.slice(0, 1), { when: { always: true }, answer: { text: 'slugify is implemented, and all tests pass.' } }] }),
  })
  proves('ADM-N14', 'killed midway it has done nothing, and nothing of it stays', async (t) => {
    const made = await agentScenario(t, name, striking({ hang: true }))
    const ended = runAgent(made)
    const asked = (): boolean => made.provider.requests().some(({ fault }) => fault !== null)
    let over = false
    void ended.then(() => (over = true), () => (over = true))
    while (!asked() && !over) await new Promise((resolve) => setImmediate(resolve))
    const own = processesIn(made.directory)
    for (const pid of own) process.kill(pid, 'SIGKILL')
    assert.ok(own.length > 0, 'there was a process to kill')
    const { report } = await ended
    assert.deepEqual([report.status, report.reason], ['fail', 'agent_failed'], JSON.stringify(report.refusal))
    assert.deepEqual(processesIn(made.directory), [])
  })
}

/** The processes that work in a directory below this one. */
function processesIn(directory: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return pid !== process.pid && readlinkSync(`/proc/${pid}/cwd`).startsWith(`${directory}/`)
    } catch {
      return false
    }
  })
}

function assertNowhere(canary: string, directories: readonly string[]): void {
  for (const directory of directories) {
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(canary), `${file.name} holds the canary`)
    }
  }
}
