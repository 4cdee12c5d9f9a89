import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { parse, parseDocument } from 'yaml'
import * as z from 'zod'
import { LedgerOnDemand } from '../../src/adapters/store-sqlite/index.ts'
import { loadTask } from '../../src/adapters/configuration/index.ts'
import { loadScript, type ProviderScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { composeWorld } from '../../src/app.ts'
import { digestOf, sha256 } from '../../src/contract/canonical.ts'
import { runTask, type TaskWatcher } from '../../src/engine/index.ts'
import type { AgentAdapter } from '../../src/engine/agent.ts'
import type { PlannedLaunch } from '../../src/gates/launch/index.ts'
import type { Report } from '../../src/gates/report/index.ts'
import { notHere } from './sealed.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** The programs that are installed for these tests, each at the one version whose behaviour its adapter was built to. */
export const PROGRAMS = {
  'claude-code': { packageName: '@anthropic-ai/claude-code', version: '2.1.329' },
  codex: { packageName: '@openai/codex', version: '0.169.0' },
  'gemini-cli': { packageName: '@google/gemini-cli', version: '0.61.0' },
  opencode: { packageName: 'opencode-ai', version: '1.18.33' },
  pi: { packageName: '@earendil-works/pi-coding-agent', version: '0.87.1' },
  'qwen-code': { packageName: '@qwen-code/qwen-code', version: '0.24.4' },
} as const satisfies Record<string, { readonly packageName: string; readonly version: string }>
export type ProgramName = keyof typeof PROGRAMS

const CACHE = process.env['PORTCULLIS_AGENTS_CACHE'] ?? join(homedir(), '.cache/portcullis-agents')
const EXAMPLES = join(import.meta.dirname, '../../examples')
const INSTALL_LIMIT_MS = 300_000

const run = promisify(execFile)

/** The folder whose node_modules/.bin holds the program, installed at its exact version; or why it cannot be had here. */
export async function programFolder(name: ProgramName): Promise<{ readonly folder: string } | { readonly obstacle: string }> {
  const { packageName, version } = PROGRAMS[name]
  const folder = join(CACHE, `${name}@${version}`)
  if (existsSync(join(folder, 'package-lock.json'))) return { folder }
  const half = `${folder}.${process.pid}`
  mkdirSync(half, { recursive: true })
  writeFileSync(join(half, 'package.json'), '{ "private": true }')
  try {
    // Exact: with a range npm takes an older release in silence, one that fits an older Node. No script of a package is run.
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `${packageName}@${version}`], { cwd: half, timeout: INSTALL_LIMIT_MS })
    renameSync(half, folder)
    return { folder }
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    return { obstacle: `${packageName}@${version} cannot be installed here: ${error instanceof Error ? (error.message.split('\n').find((line) => line.includes('code')) ?? error.message.split('\n')[0] ?? '') : 'unknown'}` }
  }
}

/** Why the tests of a program cannot run here, as node:test counts a test that is skipped; false where they can. */
export async function cannotRun(name: ProgramName): Promise<string | false> {
  const sealed = await notHere('network')
  if (sealed !== false) return sealed
  const found = await programFolder(name)
  return 'obstacle' in found ? found.obstacle : false
}

export interface AgentScenario {
  readonly directory: string
  readonly provider: ScriptedProvider
  readonly environment: Readonly<Record<string, string>>
  /** The folder that stands for the user's own HOME. */
  readonly home: string
}

const Endpoint = z.looseObject({ providers: z.looseObject({ scripted: z.looseObject({ baseUrl: z.string() }) }) })

/** Examples whose program is no package of its own name: the one that it is; null where the example or the machine brings it. */
const OTHER_PROGRAM = { acp: 'gemini-cli', command: null, case: null } as const satisfies Record<string, ProgramName | null>
type Example = ProgramName | keyof typeof OTHER_PROGRAM

/** The folder on PATH in which the example finds its program; undefined if it needs none. */
async function binariesFor(example: Example): Promise<string | undefined> {
  const program = example === 'acp' || example === 'command' || example === 'case' ? OTHER_PROGRAM[example] : example
  if (program === null) return undefined
  const found = await programFolder(program)
  if ('obstacle' in found) throw new Error(found.obstacle)
  return join(found.folder, 'node_modules/.bin')
}

/** The example of an agent in a directory of its own, with a provider of its own that plays what `change` makes of the example's script. */
export async function agentScenario(t: TestContext, name: Example, change: (script: ProviderScript) => ProviderScript = (script) => script): Promise<AgentScenario> {
  const binaries = await binariesFor(name)
  const root = temporaryDirectory(t)
  const directory = join(root, 'agents', name)
  cpSync(join(EXAMPLES, 'agents', name), directory, { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  for (const part of ['repository', 'reference.patch']) cpSync(join(EXAMPLES, 'slugify', part), join(root, 'slugify', part), { recursive: true })
  const provider = await startScriptedProvider({ script: change(await loadScript(join(directory, 'script.yaml'))), port: 0 })
  t.after(() => provider.close())
  const configuration = join(directory, 'portcullis.yaml')
  const { providers } = Endpoint.parse(parse(readFileSync(configuration, 'utf8')))
  const endpoint = providers.scripted.baseUrl.replace('http://127.0.0.1:4010', provider.url)
  edit(configuration, ['providers', 'scripted', 'baseUrl'], endpoint)
  // On a busy machine some of them take longer than the example's idle limit to say who they are.
  for (const [limit, duration] of Object.entries({ idle: '4m', total: '6m' })) edit(configuration, ['profiles', name === 'case' ? 'case_scripted' : name.replaceAll('-', '_'), 'limits', limit], duration)
  edit(join(directory, 'admissions/scripted--coder-1.json'), ['endpoint'], endpoint)
  const home = join(root, 'home')
  mkdirSync(home)
  const path = [...(binaries === undefined ? [] : [binaries]), process.env['PATH'] ?? ''].join(delimiter)
  return { directory, provider, home, environment: { PATH: path, HOME: home, LANG: 'C.UTF-8' } }
}

/** Sets one place of a YAML or JSON file, or takes it away. */
export function edit(path: string, place: readonly string[], value: unknown): void {
  const document = parseDocument(readFileSync(path, 'utf8'))
  if (value === undefined) document.deleteIn(place)
  else document.setIn(place, value)
  writeFileSync(path, path.endsWith('.json') ? JSON.stringify(document.toJS()) : document.toString())
}

/** What a test changes in a launch that the adapter planned, as a fault of its configuration would. */
export type Alteration = (launch: PlannedLaunch) => { readonly argv?: PlannedLaunch['argv']; readonly environment?: PlannedLaunch['environment']; readonly files?: PlannedLaunch['files'] }

const SILENT: TaskWatcher = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }

export interface AgentRun {
  readonly report: Report
  readonly directory: string
}

/** Runs the example's task through every gate, with the real program, in this process. `alter` changes what is started. */
export async function runAgent(made: AgentScenario, options: { readonly alter?: Alteration; readonly watcher?: Partial<TaskWatcher>; readonly cancelled?: AbortSignal } = {}): Promise<AgentRun> {
  const stateDirectory = join(made.directory, '.portcullis')
  mkdirSync(stateDirectory, { recursive: true })
  const ledger = new LedgerOnDemand(join(stateDirectory, 'ledger.db'))
  try {
    const app = { cwd: made.directory, configurationPath: undefined, stateDirectory: undefined, environment: made.environment, homeDirectory: made.home, clock: () => new Date() }
    const world = await composeWorld(app, ledger, stateDirectory)
    const { alter } = options
    const agents = alter === undefined ? world.agents : new Map([...world.agents].map(([name, agent]) => [name, altered(agent, alter)]))
    const loaded = loadTask(join(made.directory, 'task.yaml'))
    const request = {
      task: loaded.task, taskDigest: loaded.digest, taskText: loaded.text, profile: loaded.task.profile, purpose: loaded.task.purpose, repository: loaded.repository,
      reference: loaded.referencePatch, admissionFile: null, remotes: loaded.remotes, asked: null, cancelled: options.cancelled ?? new AbortController().signal,
    }
    const { report, directory } = await runTask({ ...world, agents }, request, { ...SILENT, ...options.watcher })
    return { report, directory: directory.path }
  } finally {
    await ledger.close()
  }
}

function altered(agent: AgentAdapter, alter: Alteration): AgentAdapter {
  return {
    ...agent,
    async plan(request) {
      const planned = await agent.plan(request)
      if (!planned.ok) return planned
      const { launch } = planned
      const { argv = launch.argv, environment = launch.environment, files = launch.files } = alter(launch)
      const plan = {
        ...launch.plan, argv: [...argv], environmentNames: Object.keys(environment).sort(), environmentDigest: digestOf(environment),
        files: files.map(({ path, content }) => ({ path, sha256: sha256(content) })),
      }
      return { ok: true, launch: { plan, argv, environment, files } }
    },
  }
}
