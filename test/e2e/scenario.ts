import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { type ProviderScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { Report } from '../../src/gates/report/index.ts'
import { type CommandResult, runCli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/slugify')
const AGENTS = join(import.meta.dirname, '../fixtures/agents')

/** A provider that answers the health probe with its tool, and everything else with one sentence. */
export const AGREEABLE: ProviderScript = {
  version: 1,
  models: ['coder-1'],
  turns: [
    { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } },
    { when: { always: true }, answer: { text: 'It is done.' } },
  ],
}

export const CONFIGURATION = 'portcullis.yaml'
export const RECORD = 'admissions/scripted--coder-1.json'
/** Where the one profile stands in the configuration. */
export const PROFILE = ['profiles', 'pi_scripted']

type Path = readonly (string | number)[]

export interface Scenario {
  readonly directory: string
  readonly provider: ScriptedProvider
  readonly env: Record<string, string>
  portcullis(args: readonly string[]): Promise<CommandResult>
  /** Sets one place of a YAML or JSON file of the scenario. */
  set(file: string, path: Path, value: unknown): void
  remove(file: string, path: Path): void
  write(file: string, text: string): void
}

/** The example in a directory of its own, with a provider of its own, and a small agent program instead of pi. */
export async function scenario(test: TestContext, options: { readonly script?: ProviderScript; readonly agent?: string; readonly agentArguments?: readonly string[]; readonly pi?: true } = {}): Promise<Scenario> {
  const directory = temporaryDirectory(test)
  const provider = await startScriptedProvider({ script: options.script ?? AGREEABLE, port: 0 })
  test.after(() => provider.close())
  cpSync(EXAMPLE, directory, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  const env: Record<string, string> = {}
  const made: Scenario = {
    directory,
    provider,
    env,
    portcullis: (args) => runCli(args, { cwd: directory, env }),
    set: (file, path, value) => edit(join(directory, file), (document) => document.setIn(path, value)),
    remove: (file, path) => edit(join(directory, file), (document) => document.deleteIn(path)),
    write: (file, text) => {
      mkdirSync(join(directory, file, '..'), { recursive: true })
      writeFileSync(join(directory, file), text)
    },
  }
  made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], `${provider.url}/v1`)
  made.set(RECORD, ['endpoint'], `${provider.url}/v1`)
  if (options.pi !== true) {
    made.set(CONFIGURATION, PROFILE, {
      agent: 'command',
      command: ['node', join(AGENTS, options.agent ?? 'implements.mjs'), ...(options.agentArguments ?? [])],
      model: 'scripted/coder-1',
      permissions: 'bypass',
      purposes: ['ticket', 'baseline'],
      isolation: 'env',
      backgroundModels: 'refuse',
      limits: { total: '1m', idle: '30s', calls: 50, tokens: 200_000, cost: 'USD 0' },
    })
    made.set(RECORD, ['runtime'], 'command')
    // One process instead of two for each look at the workspace; the runs with pi keep the example's own command.
    made.set(CONFIGURATION, ['probes', 'repository-tests', 'command'], ['node', '--test', '--test-isolation=none'])
  }
  return made
}

function edit(path: string, change: (document: ReturnType<typeof parseDocument>) => void): void {
  const document = parseDocument(readFileSync(path, 'utf8'))
  change(document)
  writeFileSync(path, path.endsWith('.json') ? JSON.stringify(document.toJS()) : document.toString())
}

export interface Ran {
  readonly result: CommandResult
  readonly report: Report
  readonly runDirectory: string
}

/** The schema as it is published: what a user would validate with. */
const PUBLISHED = z.fromJSONSchema(JSON.parse(readFileSync(join(import.meta.dirname, '../../spec/report.schema.json'), 'utf8')) as z.core.JSONSchema.JSONSchema)

/** Runs the task with --json and reads the report strictly, by our own schema and by the published one. */
export async function runTask(made: Scenario, args: readonly string[] = []): Promise<Ran> {
  const result = await made.portcullis(['run', 'task.yaml', '--json', ...args])
  let report: Report
  try {
    const printed: unknown = JSON.parse(result.stdout)
    PUBLISHED.parse(printed)
    report = Report.parse(printed)
  } catch (error) {
    throw new Error(`run printed no report (exit ${result.code}): ${result.stdout.slice(0, 2_000)}\n${result.stderr.slice(0, 2_000)}`, { cause: error })
  }
  return { result, report, runDirectory: join(made.directory, '.portcullis/runs', report.run_id) }
}

export const runsOf = (made: Scenario): string[] => {
  const path = join(made.directory, '.portcullis/runs')
  return existsSync(path) ? readdirSync(path) : []
}
