import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeWorld } from '../app.ts'
import { ADMISSIONS_DIRECTORY, DECISIONS_DIRECTORY, readAdmissions, readDecisions } from '../adapters/admission-files/index.ts'
import { loadOverride, loadTask } from '../adapters/configuration/index.ts'
import { type Attack, ATTACKS, CONTROL, DrillCopy, type DrillTarget, judgeAttack, leftoversOf, type Observed, standIn, startDrillProviders, targetOf, undrillable } from '../adapters/drill/index.ts'
import { LedgerOnDemand } from '../adapters/store-sqlite/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Block, Verdict } from '../contract/verdict.ts'
import { withinLimit } from '../contract/time-limit.ts'
import { Duration, milliseconds } from '../contract/units.ts'
import { runTask } from '../engine/index.ts'
import type { Report } from '../gates/report/index.ts'
import { PACKAGE_ROOT } from '../version.ts'
import { type AppOptions, configurationOf, usage } from './places.ts'

/** A whole drill ends within a minute, unless it was given longer. What was not tried by then is not proven. */
const DRILL_LIMIT_MS = 55_000
/** One attack takes about a second; one that takes so much of the whole time has met a gate that does not decide. */
const OF_THE_LIMIT = 0.36
const AT_ONCE = Math.min(6, Math.max(2, availableParallelism() + 1))

/** What came of one way in. */
export interface DrillLine {
  readonly attack: string
  readonly title: string
  readonly tried: string
  readonly verdict: 'closed' | 'open' | 'not-applicable' | 'not-proven'
  readonly expected: { readonly by: string; readonly reason: string }
  /** How the run on the copy ended; null if there was none. */
  readonly found: { readonly by: string | null; readonly reason: string | null; readonly message: string } | null
  /** Why the line is what it is, where it is not closed. */
  readonly because: readonly string[]
  readonly elapsed_ms: number
}

export interface DrilledProfile {
  readonly profile: string
  readonly purpose: string | null
  readonly model: string
  /** The honest run on the same copy, which must be accepted before any refusal means something. */
  readonly control: { readonly accepted: boolean; readonly message: string; readonly elapsed_ms: number }
  readonly lines: readonly DrillLine[]
}

export interface DrillAnswer {
  readonly profiles: readonly DrilledProfile[]
  readonly closed: number
  readonly open: number
  readonly not_applicable: number
  readonly not_proven: number
  readonly elapsed_ms: number
  /** 0 only if every gate that could be tried was closed, and the drill could have found one open. */
  readonly exit_code: 0 | 4
}

/** Told what is going on; lines come in the order of the table. */
export interface DrillWatcher {
  profileBegan(profile: string, attacks: number): void
  controlEnded(control: DrilledProfile['control']): void
  lineEnded(line: DrillLine): void
}

export interface DrillAsked {
  readonly profile: string | undefined
  /** How long it may take, as in 5m for a slow machine; undefined for less than a minute. */
  readonly limit?: string | undefined
  readonly cancelled: AbortSignal
}

/**
 * Tries every way in on scratch copies of the user's own configuration, each by a real run with a stand-in for the agent
 * and a scripted provider on loopback. Nothing of the user's is written, no credential of theirs is read, no token spent.
 * Throws what reading the configuration throws, and `usage` for a profile that is not there or a limit that is no duration.
 */
export async function runDrill(options: AppOptions, asked: DrillAsked, watcher: DrillWatcher): Promise<DrillAnswer> {
  const began = performance.now()
  const limitMs = limitOf(asked.limit)
  const { configuration, directory } = configurationOf(options)
  const read = {
    configuration,
    override: loadOverride(directory),
    admissions: readAdmissions({ directory: join(directory, ADMISSIONS_DIRECTORY), root: directory }),
    decisions: readDecisions({ directory: join(directory, DECISIONS_DIRECTORY), root: directory }),
  }
  const names = asked.profile === undefined ? Object.keys(configuration.profiles) : [asked.profile]
  const targets = names.flatMap((name) => targetOf(read, name) ?? [])
  if (targets.length === 0) throw usage('a profile to drill', asked.profile === undefined ? 'none in the configuration' : `no profile ${JSON.stringify(asked.profile)}`, `Name a profile of portcullis.yaml: ${Object.keys(configuration.profiles).join(', ')}`)
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-drill-'))
  try {
    const drill = new Drill(options, root, { ended: withinLimit(limitMs, asked.cancelled), attackMs: limitMs * OF_THE_LIMIT })
    const profiles: DrilledProfile[] = []
    for (const target of targets) profiles.push(await drill.profile(target, watcher))
    return summary(profiles, performance.now() - began)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function limitOf(limit: string | undefined): number {
  if (limit === undefined) return DRILL_LIMIT_MS
  const parsed = Duration.safeParse(limit)
  if (!parsed.success) throw usage('how long the drill may take', JSON.stringify(limit), 'Give --limit a duration of at most 24d, as in 5m.')
  return milliseconds(parsed.data)
}

function summary(profiles: readonly DrilledProfile[], elapsedMs: number): DrillAnswer {
  const lines = profiles.flatMap((profile) => profile.lines)
  const count = (verdict: DrillLine['verdict']): number => lines.filter((line) => line.verdict === verdict).length
  const [closed, open, notProven] = [count('closed'), count('open'), count('not-proven')]
  const proves = closed > 0 && open === 0 && notProven === 0 && profiles.every((profile) => profile.control.accepted)
  return { profiles, closed, open, not_applicable: count('not-applicable'), not_proven: notProven, elapsed_ms: Math.round(elapsedMs), exit_code: proves ? 0 : 4 }
}

/** What one run on a copy is made of: an attack, or the control. */
type Trial = Pick<Attack, 'id' | 'faults' | 'arrange' | 'onAgentCall'>

class Drill {
  readonly #options: AppOptions
  readonly #root: string
  readonly #ended: AbortSignal
  readonly #attackMs: number
  #copies = 0

  constructor(options: AppOptions, root: string, limits: { readonly ended: AbortSignal; readonly attackMs: number }) {
    this.#options = options
    this.#root = root
    this.#ended = limits.ended
    this.#attackMs = limits.attackMs
  }

  async profile(target: DrillTarget, watcher: DrillWatcher): Promise<DrilledProfile> {
    watcher.profileBegan(target.profileName, ATTACKS.length)
    const control = await this.#control(target)
    watcher.controlEnded(control)
    const lines: (DrillLine | undefined)[] = ATTACKS.map(() => undefined)
    let next = 0
    let told = 0
    const worker = async (): Promise<void> => {
      for (let attack = ATTACKS[next]; attack !== undefined; attack = ATTACKS[next]) {
        const index = next
        next += 1
        lines[index] = await this.#line(target, attack, control.accepted)
        for (let line = lines[told]; line !== undefined; line = lines[told]) {
          watcher.lineEnded(line)
          told += 1
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return { profile: target.profileName, purpose: target.purpose ?? null, model: target.profile.model, control, lines: lines.filter((line) => line !== undefined) }
  }

  async #control(target: DrillTarget): Promise<DrilledProfile['control']> {
    const why = undrillable(target)
    if (why !== undefined) return { accepted: false, message: why, elapsed_ms: 0 }
    const seen = await this.#try(target, CONTROL)
    const fault = CONTROL.fault(seen)
    return { accepted: fault === undefined, message: fault ?? 'accepted, as it must be', elapsed_ms: Math.round(seen.elapsedMs) }
  }

  async #line(target: DrillTarget, attack: Attack, controlled: boolean): Promise<DrillLine> {
    const { by, reason } = attack.expects
    const common = { attack: attack.id, title: attack.title, tried: attack.tries, expected: { by, reason } }
    const untried = (verdict: 'not-applicable' | 'not-proven', because: string): DrillLine => ({ ...common, verdict, found: null, because: [because], elapsed_ms: 0 })
    if (!controlled) return untried('not-proven', 'an honest run is refused on this copy, so a refusal would prove nothing')
    const impossible = attack.impossible?.(target)
    if (impossible !== undefined) return untried('not-applicable', impossible)
    if (this.#ended.aborted) return untried('not-proven', 'not tried in time; a slow machine needs a longer --limit')
    const seen = await this.#try(target, attack)
    return { ...common, ...judgeAttack(attack.expects, seen), found: { by: seen.by, reason: seen.reason, message: seen.message }, elapsed_ms: Math.round(seen.elapsedMs) }
  }

  /** One run on a copy of its own, with providers of its own. */
  async #try(target: DrillTarget, trial: Trial): Promise<Observed> {
    const began = performance.now()
    this.#copies += 1
    const directory = join(this.#root, `${this.#copies}-${trial.id}`)
    mkdirSync(directory, { mode: 0o700 })
    const canary = `drill-${randomBytes(20).toString('hex')}`
    let copy: DrillCopy | undefined
    const providers = await startDrillProviders(target, trial, canary, () => {
      if (copy !== undefined) trial.onAgentCall?.(copy)
    })
    try {
      copy = new DrillCopy(target, { directory, providerUrl: providers.url, canary })
      trial.arrange(copy, { otherUrl: providers.otherUrl, deadUrl: providers.deadUrl, now: this.#options.clock() })
      copy.layOut(join(PACKAGE_ROOT, 'examples/drill'))
      const stateDirectory = join(directory, 'state')
      mkdirSync(stateDirectory, { mode: 0o700 })
      const ended = await this.#run(copy, stateDirectory)
      return { ...ended, requests: providers.inferenceRequests(), leftIn: leftoversOf(stateDirectory, canary), elapsedMs: performance.now() - began }
    } finally {
      await providers.close()
      rmSync(directory, { recursive: true, force: true })
    }
  }

  async #run(copy: DrillCopy, stateDirectory: string): Promise<Ended & Pick<Observed, 'cutShort'>> {
    const ledger = new LedgerOnDemand(join(stateDirectory, 'ledger.db'))
    const verdicts: Verdict[] = []
    const cancelled = withinLimit(this.#attackMs, this.#ended)
    try {
      const world = await composeWorld(this.#optionsFor(copy), ledger, stateDirectory)
      // Where nothing drives the profile's agent, a stand-in would hide that a real run is refused.
      const agents = world.agents.has(copy.profile.agent) ? new Map([...world.agents, [copy.profile.agent, standIn(copy)]]) : world.agents
      const { task, digest, text, repository, referencePatch } = loadTask(copy.taskFile)
      const request = { task, taskDigest: digest, taskText: text, profile: task.profile, purpose: task.purpose, repository, reference: referencePatch, asked: null, remotes: {}, admissionFile: copy.admissionFile() ?? null, cancelled }
      const nothing = (): void => undefined
      const { report } = await runTask({ ...world, agents }, request, { opened: nothing, gateBegan: nothing, note: nothing, gateDecided: (verdict) => void verdicts.push(verdict) })
      return { ...endOf(report, verdicts), cutShort: cancelled.aborted }
    } catch (error) {
      return { ...faultOf(error, verdicts), cutShort: cancelled.aborted }
    } finally {
      await ledger.close()
    }
  }

  /** The copy's surroundings: of the user's own environment, only where programs are found. */
  #optionsFor(copy: DrillCopy): AppOptions {
    const { environment, clock } = this.#options
    return { cwd: copy.directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: environment['PATH'], ...copy.environment }, homeDirectory: join(copy.directory, 'home'), clock }
  }
}

type Ended = Pick<Observed, 'by' | 'reason' | 'message' | 'found' | 'processStarted' | 'withheldAnswers'>

const lastBlock = (verdicts: readonly Verdict[]): Block | undefined => verdicts.findLast((verdict) => verdict.outcome === 'block')

function endOf(report: Report, verdicts: readonly Verdict[]): Ended {
  const common = { processStarted: report.process_started, withheldAnswers: report.wire.failed }
  if (report.status === 'pass') return { ...common, by: null, reason: null, message: report.summary, found: '' }
  const block = lastBlock(verdicts)
  if (block?.reason === report.reason) return { ...common, by: block.gate, reason: block.reason, message: block.message, found: block.found }
  // No gate said so: the door to the ledger is the one place that refuses a credential by itself.
  return { ...common, by: report.reason === 'secret_leak' ? 'ledger' : 'run', reason: report.reason, message: report.summary, found: report.refusal?.found ?? '' }
}

/** A fault before the run was opened is the configuration's; after a gate's refusal, that refusal is what ended the run. */
function faultOf(error: unknown, verdicts: readonly Verdict[]): Ended {
  const block = lastBlock(verdicts)
  const common = { processStarted: verdicts.some(({ gate, outcome }) => gate === 'launch' && outcome === 'pass'), withheldAnswers: 0 }
  if (block !== undefined) return { ...common, by: block.gate, reason: block.reason, message: block.message, found: block.found }
  if (error instanceof PortcullisError) return { ...common, by: verdicts.length === 0 ? 'configuration' : 'run', reason: error.code, message: error.message.split('\n')[0] ?? '', found: error.found }
  return { ...common, by: 'run', reason: 'unexpected', message: error instanceof Error ? `${error.name}: ${error.message}` : typeof error, found: '' }
}
