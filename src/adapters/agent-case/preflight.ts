import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import type { Refusal } from '../../contract/gate.ts'
import { printPair } from '../../contract/model.ts'
import { INHERITABLE_NAMES, type PlanRequest } from '../../gates/launch/index.ts'
import { ProcessError, type ProcessExit, startProcess } from '../process/index.ts'
import { type CasePlaces, expectedApi, filesOf, placesBelow, settingsOf } from './configuration.ts'
import type { CaseInstallation } from './installation.ts'
import { CATALOGUE } from './preloads.ts'
import type { AuthRoute } from './routes.ts'

/** Both take about a second; what takes so long does not start. */
const LIMIT_MS = 10_000

export interface PreflightSubject {
  readonly request: PlanRequest
  readonly installation: CaseInstallation
  readonly route: AuthRoute
  readonly bridged: boolean
  /** What stands before the options of Bun: the program, and what the kernel puts before it. */
  readonly bun: readonly [string, ...string[]]
}

/**
 * Starts the installed Case once for its help text, and asks its Pi which model it would use: in a copy of the configuration
 * that is gone afterwards, without run token, prompt or workspace. What stands against the run is the answer (ADM-P5, ADM-P6).
 */
export async function lookBefore(subject: PreflightSubject): Promise<Refusal | undefined> {
  const scratch = await mkdtemp(join(subject.request.temporary, 'preflight-'))
  try {
    const places = { home: join(scratch, 'home'), configuration: join(scratch, 'configuration'), temporary: join(scratch, 'temporary') }
    for (const directory of Object.values(places)) await mkdir(directory, { mode: 0o700 })
    const catalogue = join(scratch, 'catalogue.mjs')
    for (const { path, content } of [...filesOf(subject.request, places, subject.bridged), { path: catalogue, content: CATALOGUE }]) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(path, content, { mode: 0o600, flag: 'wx' })
    }
    const { bunfig, bridge } = placesBelow(places)
    const options = [`--config=${bunfig}`, ...(subject.bridged ? ['--preload', bridge] : [])]
    const [help, models] = await Promise.all([
      runOnce(subject, places, scratch, [...options, subject.installation.program, '--help']),
      runOnce(subject, places, scratch, [`--config=${bunfig}`, catalogue]),
    ])
    return startRefusal(subject, help) ?? catalogueRefusal(subject, models)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

type Ended = { readonly exit: ProcessExit; readonly late: boolean } | { readonly code: string }

async function runOnce({ request, installation, bun, bridged }: PreflightSubject, places: CasePlaces, scratch: string, args: readonly string[]): Promise<Ended> {
  const inherited = Object.fromEntries(INHERITABLE_NAMES.flatMap((name) => (request.inherited[name] === undefined ? [] : [[name, request.inherited[name] ?? '']])))
  const env = { ...inherited, HOME: places.home, TMPDIR: places.temporary, ...settingsOf(request, places, installation.packageRoot, bridged) }
  let late = false
  try {
    const running = await startProcess({ argv: [...bun, ...args] as [string, ...string[]], cwd: scratch, env, stdin: 'ignore', keep: { headBytes: 65_536, tailBytes: 65_536 } })
    const timer = setTimeout(() => {
      late = true
      void running.stop(0).catch(() => undefined)
    }, LIMIT_MS)
    try {
      return { exit: await running.exited, late }
    } finally {
      clearTimeout(timer)
      await running.stop(0)
    }
  } catch (error) {
    if (error instanceof ProcessError) return { code: error.code }
    throw error
  }
}

/** How a process ended, as far as that is nobody's text: what it printed may quote anything. */
function endOf(ended: Ended): string {
  if ('code' in ended) return `it could not be started (${ended.code})`
  if (ended.late) return `no end within ${LIMIT_MS / 1_000} s`
  return `exit ${ended.exit.code ?? ended.exit.signal ?? 'unknown'}`
}

const endedWell = (ended: Ended): ended is { readonly exit: ProcessExit; readonly late: boolean } => 'exit' in ended && !ended.late && ended.exit.code === 0

function startRefusal({ installation }: PreflightSubject, help: Ended): Refusal | undefined {
  if (endedWell(help)) return undefined
  return {
    reason: 'agent_does_not_start',
    message: 'The installed Case does not start in the isolated environment.',
    asked: `${installation.program} --help to end with exit 0`,
    found: `${endOf(help)}${moduleMissing(help)}`,
    remedy: 'Run it by hand in an empty HOME. A fresh checkout needs its packages and its generated assets: bun install && bun run generate:assets',
  }
}

/** The one thing worth quoting: a checkout whose assets were not generated says which module it misses. */
function moduleMissing(ended: Ended): string {
  const text = 'exit' in ended ? ended.exit.stderr.head.toString('utf8') : ''
  const name = /Cannot find (?:module|package) '([\w@./ -]{1,200})'/.exec(text)?.[1]
  return name === undefined ? '' : `, module ${name} is missing`
}

const Catalogue = z.object({ provider: z.string(), model: z.string(), known: z.boolean(), baseUrl: z.string().nullable(), api: z.string().nullable(), fault: z.string().nullable() })

function catalogueRefusal({ request, installation, route }: PreflightSubject, ended: Ended): Refusal | undefined {
  const { pair } = request
  const refuse = (found: string, remedy: string): Refusal => ({ reason: 'catalogue_model_unknown', message: `The installed Case cannot use ${printPair(pair)}.`, asked: `${printPair(pair)} in the catalogue of ${installation.version}, reached through the wire`, found, remedy })
  if (!endedWell(ended)) return refuse(`its catalogue could not be asked: ${endOf(ended)}${moduleMissing(ended)}`, 'Install the packages of Case: bun install')
  const answer = catalogueIn(ended.exit.stdout.head.toString('utf8'))
  if (answer === undefined) return refuse('its catalogue gave no answer that can be read', 'Use a version of Pi that this adapter knows: 0.63.2.')
  // Case reads the same file by the same rules: what it would not find there it would replace by its own fallback (ADM-C7).
  if (answer.provider !== pair.provider || answer.model !== pair.model) return refuse(`its configuration names ${answer.provider}/${answer.model}`, 'Report this: the configuration is generated from the pair.')
  if (!answer.known) return refuse('its Pi knows no such model', 'Update the Pi of Case to one that knows the model, or have a model that it knows admitted. Nothing is replaced by a similar one.')
  if (answer.fault !== null || answer.baseUrl !== request.baseUrl || answer.api !== expectedApi(route, request)) return refuse('its Pi did not take the address of the wire for it', 'Use a version of Pi that this adapter knows: 0.63.2.')
  return undefined
}

function catalogueIn(stdout: string): z.infer<typeof Catalogue> | undefined {
  const line = stdout.split('\n').findLast((each) => each.startsWith('{'))
  if (line === undefined) return undefined
  try {
    const read = Catalogue.safeParse(JSON.parse(line))
    return read.success ? read.data : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
