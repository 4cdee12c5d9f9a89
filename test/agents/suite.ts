import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext } from 'node:test'
import { parseDocument } from 'yaml'
import type { Fault, ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import { systemCode } from '../../src/contract/errors.ts'
import { agentScenario, type AgentScenario, type Alteration, cannotRun, edit, PROGRAMS, type ProgramName, runAgent } from '../helpers/real-agents.ts'
import { verifies } from '../verifies.ts'

/** What differs from one program to the next when it goes wrong. */
export interface AgentFaults {
  /** Its own configuration names another model than the admitted one. */
  readonly otherModel: (model: string) => Alteration
  /** It is told of a model to fall back on; null for a program that knows none. */
  readonly fallback: ((model: string) => Alteration) | null
  /** It asks for a second model by itself. */
  readonly background: { readonly model: string; readonly alter?: Alteration; readonly script?: (script: ProviderScript) => ProviderScript; prepare?(made: AgentScenario): void }
  /** The variable that holds its key. */
  readonly keyVariable: string
  /** A call of its shell, which it must not have in the mode `accept-edits`; null for a program that works with nothing else. */
  readonly shell: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> } | null
  /** Which gate notices: some name their model before they are given work, and some notice themselves that they have no key. */
  readonly reasons: { readonly otherModel: 'model_not_admitted' | 'agent_not_as_planned'; readonly noKey: 'no_model_call' | 'agent_not_ready' | 'run_unknown' | 'failed_to_inject' }
}

/** Where a text of a launch stands in place of another. */
export const replaced = (one: string, other: string): Alteration => ({ argv, files }) => {
  const [program, ...rest] = argv
  const put = (text: string): string => text.replaceAll(one, other)
  return { argv: [program, ...rest.map(put)], files: files.map(({ path, content }) => ({ path, content: put(content) })) }
}

/** Where places of the planned files of this name hold other values. */
export const inFile = (name: string, ...changes: readonly (readonly [place: readonly string[], value: unknown])[]): Alteration => ({ files }) => ({
  files: files.map(({ path, content }) => {
    if (!path.endsWith(name)) return { path, content }
    const document = parseDocument(content)
    for (const [place, value] of changes) document.setIn(place, value)
    return { path, content: JSON.stringify(document.toJS()) }
  }),
})

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
  const refused = (what: string, ids: string, expected: { readonly reason: string; readonly found?: RegExp }, how: { readonly script?: (script: ProviderScript) => ProviderScript; readonly alter?: Alteration; prepare?(made: AgentScenario): void; checked?(made: AgentScenario): void }): void => {
    proves(ids, what, async (t) => {
      const made = await agentScenario(t, name, how.script)
      how.prepare?.(made)
      const { report } = await runAgent(made, how.alter === undefined ? {} : { alter: how.alter })
      assert.deepEqual([report.status, report.reason], ['fail', expected.reason], JSON.stringify(report.refusal))
      how.checked?.(made)
      if (expected.found !== undefined) assert.match(JSON.stringify(report), expected.found)
    })
  }

  proves('ISO-01 ISO-07 SEC-01 ADM-E6', 'sealed, it does the work through the wire with the admitted model, and holds no credential of ours', async (t) => {
    const made = await agentScenario(t, name)
    const canary = `canary-${name}-5b1c94e7`
    writeFileSync(join(made.home, 'canary.txt'), canary)
    const environment = { ...made.environment, ANTHROPIC_API_KEY: canary, OPENAI_API_KEY: canary, GEMINI_API_KEY: canary, GITHUB_TOKEN: canary }
    const watched = watchProcesses(made.directory)
    const { report, directory } = await runAgent({ ...made, environment }).finally(() => watched.end())
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
    assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
    assert.deepEqual([report.model.served, report.agent?.version], [['coder-1'], version])
    assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
    assert.deepEqual([report.exit?.code, report.exit?.claimed_status], [0, 'completed'])
    onlyAdmitted(made)
    assertNowhere(canary, [directory, join(made.directory, '.portcullis')])
    // The program inside has neither in its arguments nor in its environment, and the real home was left as it is.
    assert.ok(watched.seen().length > 1 && watched.seen().some((text) => text.includes(report.run_id)), 'no process of the run was looked at')
    assert.ok(watched.seen().every((text) => !text.includes(canary)), 'the canary stands in the arguments or the environment of a process')
    assert.deepEqual(readdirSync(made.home, { recursive: true }), ['canary.txt'])
    assert.equal(readFileSync(join(made.home, 'canary.txt'), 'utf8'), canary)
    assert.ok(!JSON.stringify(made.provider.requests()).includes(canary), 'a request holds the canary')
  })

  refused('another model in its own configuration is not served', faults.reasons.otherModel === 'model_not_admitted' ? 'WIR-02' : 'RDY-10', { reason: faults.reasons.otherModel, found: /other-1/ }, { alter: faults.otherModel('other-1') })
  const { fallback } = faults
  if (fallback !== null) {
    proves('WIR-02', 'the model that it falls back on after 529 is not served', async (t) => {
      const made = await agentScenario(t, name, striking({ status: 529 }))
      impatient(made)
      const { report, directory } = await runAgent(made, { alter: fallback('fallback-1') })
      assert.deepEqual([report.status, report.reason], ['fail', 'provider_overloaded'], JSON.stringify(report.refusal))
      assertRefused(made, directory, 'fallback-1')
    })
  } else {
    refused('after 529 it asks for no other model', 'WIR-20', { reason: 'provider_overloaded' }, { script: striking({ status: 529 }), prepare: impatient, checked: onlyAdmitted })
  }
  const { alter, script, prepare } = faults.background
  proves('WIR-02', 'a model that nobody admitted, which it asks for by itself, is refused and fails the run', async (t) => {
    const made = await agentScenario(t, name, script)
    prepare?.(made)
    const { report, directory } = await runAgent(made, alter === undefined ? {} : { alter })
    assert.ok(report.wire.refused > 0 && report.model.served.length > 0, JSON.stringify(report.wire))
    assert.deepEqual([report.status, report.reason], ['fail', 'model_not_admitted'], JSON.stringify(report.refusal))
    assertRefused(made, directory, faults.background.model)
  })
  refused('without its key no model answers it, which is no work', faults.reasons.noKey === 'run_unknown' ? 'WIR-01' : 'ADM-N14', { reason: faults.reasons.noKey }, {
    alter: ({ environment }) => ({ environment: Object.fromEntries(Object.entries(environment).filter(([variable]) => variable !== faults.keyVariable)) }),
  })
  refused('a provider that refuses the credential fails the run', 'WIR-20', { reason: 'provider_auth' }, { script: striking({ status: 401 }) })
  refused('a provider that never answers fails the run', 'WIR-20', { reason: 'provider_timeout' }, {
    script: striking({ hang: true }),
    prepare: (made) => {
      impatient(made)
      edit(join(made.directory, 'portcullis.yaml'), ['providers', 'scripted', 'timeouts', 'firstByte'], '2s')
    },
  })
  refused('work that is only said to be done is not done', 'ACC-16', { reason: 'done_without_change' }, {
    script: (given) => ({ ...given, turns: [...given.turns.slice(0, 1), { when: { always: true }, answer: { text: 'slugify is implemented, and all tests pass.' } }] }),
  })
  const { shell } = faults
  if (shell !== null) {
    refused('without a shell in its mode it runs no command, though the model asks for one', 'MC-131', { reason: 'done_without_change' }, {
      script: (given) => ({ ...given, turns: [...given.turns.slice(0, 1), { when: { turn: 1, lastUser: 'slugify' }, answer: { toolCalls: [{ ...shell, arguments: { ...shell.arguments } }] } }, { when: { always: true }, answer: { text: 'Done.' } }] }),
    })
  }
  proves('WIR-20', 'killed midway it has done nothing, and nothing of it stays', async (t) => {
    const made = await agentScenario(t, name, striking({ hang: true }))
    const ended = runAgent(made)
    const asked = (): boolean => made.provider.requests().some(({ fault }) => fault !== null)
    const run = { over: false }
    const end = (): boolean => (run.over = true)
    void ended.then(end, end)
    while (!asked() && !run.over) await new Promise((resolve) => setImmediate(resolve))
    const own = processesIn(made.directory)
    for (const pid of own) kill(pid)
    assert.ok(own.length > 0, 'there was a process to kill')
    const { report } = await ended
    assert.deepEqual([report.status, report.reason], ['fail', 'interrupted'], JSON.stringify(report.refusal))
    assert.deepEqual(processesIn(made.directory), [])
  })
}

/** Killed with the first of them, the others may be gone before their turn. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return
    throw error
  }
}

/** Programs that try again for minutes are ended before. */
function impatient({ directory }: AgentScenario): void {
  edit(join(directory, 'portcullis.yaml'), ['profiles', basename(directory).replaceAll('-', '_'), 'limits', 'total'], '40s')
}

function onlyAdmitted(made: AgentScenario): void {
  assert.ok(made.provider.requests().every(({ model }) => model === null || model === 'coder-1'), 'no other model was asked')
}

/** The wire refused the model, the record says so, and the provider never heard of it. */
function assertRefused(made: AgentScenario, directory: string, model: string): void {
  const rows = readFileSync(join(directory, 'trace.jsonl'), 'utf8').split('\n').filter((row) => row.includes('model_not_admitted'))
  assert.ok(rows.some((row) => row.includes(model)), `the trace has no refusal of ${model}: ${rows.join('\n')}`)
  onlyAdmitted(made)
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

/** Keeps the arguments and the environment of every process that is seen to work below a directory. */
function watchProcesses(directory: string): { seen(): readonly string[]; end(): void } {
  const seen = new Set<string>()
  const timer = setInterval(() => {
    for (const pid of processesIn(directory)) {
      for (const file of ['cmdline', 'environ']) {
        try {
          seen.add(readFileSync(`/proc/${pid}/${file}`, 'latin1'))
        } catch (error) {
          if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return
          throw error
        }
      }
    }
  }, 50)
  return { seen: () => [...seen], end: () => clearInterval(timer) }
}

function assertNowhere(canary: string, directories: readonly string[]): void {
  for (const directory of directories) {
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(canary), `${file.name} holds the canary`)
    }
  }
}

/** Asks the wire for another model, with nothing but a shell, and the address and the token that the agent was given. */
const ASK = String.raw`token=$(env | grep -oE 'pcr_[A-Za-z0-9_-]+' | head -n 1)
address=$({ env; cat ../agent/configuration/config.toml ../agent/configuration/opencode/opencode.json ../agent/configuration/models.json 2>/dev/null; } | grep -oE '127\.0\.0\.1:[0-9]+' | head -n 1)
body='{"model":"background-1","input":"hello","messages":[{"role":"user","content":"hello"}],"contents":[{"role":"user","parts":[{"text":"hello"}]}]}'
exec 3<>"/dev/tcp/$(echo "$address" | tr : /)"
printf 'POST %s HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\nauthorization: Bearer %s\r\ncontent-length: %s\r\nconnection: close\r\n\r\n%s' "$1" "$address" "$token" "$(printf %s "$body" | wc -c)" "$body" >&3
cat <&3
`

/** For a program that asks for no second model by itself: a command that its model chooses does, from inside the seal. */
export const asksByShell = (tool: string, argument: (command: string) => Readonly<Record<string, unknown>>, path: string): AgentFaults['background'] => ({
  model: 'background-1',
  prepare({ directory }) {
    writeFileSync(join(directory, '../../slugify/repository/ask.sh'), ASK)
    edit(join(directory, 'portcullis.yaml'), ['profiles', basename(directory).replaceAll('-', '_'), 'permissions'], 'bypass')
  },
  script: (given) => {
    const [probe, ...rest] = given.turns
    const asks = { when: { turn: 1, lastUser: 'slugify' }, answer: { toolCalls: [{ name: tool, arguments: argument(`bash ask.sh ${path}`) }] } }
    return { ...given, turns: [...(probe === undefined ? [] : [probe]), ...rest.filter(({ when }) => when.lastUser === 'Generate a title'), asks, { when: { always: true }, answer: { text: 'Done.' } }] }
  },
})
