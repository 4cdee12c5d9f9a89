import { tmpdir } from 'node:os'
import { join, relative, resolve as resolvePath } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { VerifyAnswer, VerifyRequest } from './app/verify.ts'
import { judges } from './app/judges.ts'
import { type AppOptions, configurationOf, searchPathOf, stateDirectoryOf, usage } from './app/places.ts'
import { loadOverride } from './adapters/configuration/index.ts'
import type { LedgerOnDemand } from './adapters/store-sqlite/index.ts'
import type { Refusal } from './contract/gate.ts'
import { printTriple } from './contract/model.ts'
import { exitCodeOf } from './contract/reasons.ts'
import type { Verdict } from './contract/verdict.ts'
import type * as Engine from './engine/index.ts'
import type { ProbedProfile, Problem, RunDirectory, RunSummary, TaskWatcher, World } from './engine/index.ts'
import { type ResolvedProfile, resolveProfile } from './gates/catalog/index.ts'
import type { Report } from './gates/report/index.ts'
import { PACKAGE_ROOT, VERSION } from './version.ts'

// The composition root: this file and src/app/ are the only ones that join gates and adapters. What a question does not need is not loaded for it.

// What the answers below hold, so that a caller can name it.
export type { AppOptions, ProbedProfile, Problem, Report, RunSummary, VerifyAnswer, VerifyRequest }

export type ResolveAnswer =
  | { readonly ok: true; readonly exitCode: 0; readonly triple: string; readonly details: readonly (readonly [label: string, text: string])[]; readonly value: unknown }
  | { readonly ok: false; readonly exitCode: number; readonly refusal: Refusal; readonly value: unknown }

/** Which exact provider and model a profile means, for a purpose. A question: it starts nothing and stores nothing. */
export function resolve(options: AppOptions, asked: { readonly profile: string; readonly purpose: string }): ResolveAnswer {
  const { configuration, directory } = configurationOf(options)
  const outcome = resolveProfile({ catalog: configuration, override: loadOverride(directory), ...asked, candidate: 0, capability: null })
  if ('refusal' in outcome) return { ok: false, exitCode: exitCodeOf(outcome.refusal.reason, false), refusal: outcome.refusal, value: { allowed: false, ...outcome.refusal } }
  const { resolution } = outcome
  return { ok: true, exitCode: 0, triple: printTriple({ runtime: resolution.profile.agent, ...resolution.pair }), details: detailsOf(resolution), value: { allowed: true, ...valueOf(resolution) } }
}

function valueOf({ profileName, profile, purpose, pair, alias }: ResolvedProfile) {
  return {
    profile: profileName,
    purpose,
    runtime: profile.agent,
    agent_version: profile.agentVersion ?? null,
    provider: pair.provider,
    model: pair.model,
    context: profile.context ?? null,
    effort: profile.effort ?? null,
    permissions: profile.permissions,
    isolation: profile.isolation,
    alias: alias === null ? null : { name: alias.name, steps: alias.steps, candidates: alias.candidates, override: alias.overrideDigest },
  }
}

function detailsOf({ profile, purpose, alias }: ResolvedProfile): (readonly [string, string])[] {
  const rows: (readonly [string, string | undefined])[] = [
    ['purpose', `${purpose} allowed`],
    ['agent', [profile.agent, profile.agentVersion].filter((part) => part !== undefined).join(' ')],
    ['context', profile.context],
    ['effort', profile.effort],
    ['permissions', profile.permissions],
    ['isolation', profile.isolation],
    ['alias', alias === null ? undefined : `${alias.steps.join(' → ')}${alias.overrideDigest === null ? '' : ' (by override)'}, candidates ${alias.candidates.join(', ')}`],
  ]
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text] as const]))
}

export interface RunRequest {
  /** Path of the task file, from the caller's directory. */
  readonly task: string
  /** Instead of what the task names. */
  readonly profile: string | undefined
  readonly purpose: string | undefined
  /** The agent that must do it; undefined leaves that to the profile. */
  readonly backend: string | undefined
  /** The one record that may admit the pair; undefined takes those in admissions/, or for Case the one its variable names. */
  readonly admissionFile: string | undefined
  /** The ticket whose claim the run works under, with its runs so far; nobody else can name one. */
  readonly ticket?: { readonly id: string; readonly runs: readonly string[] } | undefined
  readonly cancelled: AbortSignal
}

export interface RunWatcher {
  opened(run: { readonly runId: string; readonly taskId: string; readonly profile: string; readonly purpose: string }): void
  gateBegan(gate: Verdict['gate']): void
  gateDecided(verdict: { readonly gate: string; readonly outcome: Verdict['outcome']; readonly reason: string | null; readonly message: string }, elapsedMs: number): void
  note(text: string): void
}

export interface RunAnswer {
  readonly report: Report
  /** The bytes of report.json: what every surface gives for this run (ACC-04). */
  readonly json: string
  readonly exitCode: number
  /** From the caller's directory. */
  readonly reportPath: string
  readonly patch: string | null
}

export type ReportAnswer = { readonly ok: true; readonly json: string; readonly markdown: string; readonly trace: string; readonly junit: string; readonly ctrf: string; readonly exitCode: number } | { readonly ok: false; readonly refusal: Refusal; readonly exitCode: number }

export interface ResumeRequest {
  readonly cancelled: AbortSignal
}

/** `resumed` is false for a run that had ended: it is told again, byte for byte, and nothing of it was decided. */
export interface ResumeAnswer extends RunAnswer {
  readonly resumed: boolean
}

export interface ProbeRequest {
  readonly profiles: readonly string[] | 'all'
  readonly cancelled: AbortSignal
}

export interface ProbeAnswer {
  readonly records: readonly ProbedProfile[]
  readonly exitCode: number
}

export interface App {
  run(request: RunRequest, watcher: RunWatcher): Promise<RunAnswer>
  /** Takes a run up where its evidence ends, through the same gate as every other. Throws `usage` for one that still goes on, `nothing_stored` for one that is in no ledger. */
  resume(runId: string, request: ResumeRequest, watcher: RunWatcher): Promise<ResumeAnswer>
  probe(request: ProbeRequest, probed: (record: ProbedProfile) => void): Promise<ProbeAnswer>
  /** Re-reads a run, a whole ledger, or what was taken out of one. Opens its own connection, which writes nothing. */
  verify(request: VerifyRequest): Promise<VerifyAnswer>
  report(runId: string, options: { readonly write: boolean }): Promise<ReportAnswer>
  runs(): Promise<readonly RunSummary[]>
  close(): Promise<void>
}

/** The configuration is read only by what needs it, so that a run can be verified beside a broken one; the ledger is made by the first run, never by a question. */
export async function openApp(options: AppOptions): Promise<App> {
  const stateDirectory = stateDirectoryOf(options)
  const [{ ledgerIn }, { openRunDirectory }, engine] = await Promise.all([import('./app/store.ts'), import('./adapters/run-directory/index.ts'), import('./engine/index.ts')])
  return new LocalApp({ options, stateDirectory, ledger: ledgerIn(options, stateDirectory), engine, directoryOf: (runId) => openRunDirectory(stateDirectory, runId) })
}

interface Parts {
  readonly options: AppOptions
  readonly stateDirectory: string
  readonly ledger: LedgerOnDemand
  readonly engine: typeof Engine
  readonly directoryOf: (runId: string) => RunDirectory
}

class LocalApp implements App {
  readonly #parts: Parts
  /** The runs that this app carries now. Its own process does not tell them from those that it left. */
  readonly #carried = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async run(request: RunRequest, watcher: RunWatcher): Promise<RunAnswer> {
    const { options, ledger, stateDirectory, engine } = this.#parts
    const { taskRequestOf } = await import('./app/task-request.ts')
    const { asked, world } = taskRequestOf(options, await composeWorld(options, ledger, stateDirectory), request)
    let carried: string | undefined
    const opened: RunWatcher['opened'] = (run) => {
      carried = run.runId
      this.#carried.add(run.runId)
      watcher.opened(run)
    }
    try {
      return runAnswerOf(options, await engine.runTask(world, asked, { ...taskWatcherOf(watcher), opened }))
    } finally {
      if (carried !== undefined) this.#carried.delete(carried)
    }
  }

  async resume(runId: string, { cancelled }: ResumeRequest, watcher: RunWatcher): Promise<ResumeAnswer> {
    const { options, ledger, stateDirectory, engine } = this.#parts
    await ledger.openFor(runId)
    const world = await composeWorld(options, ledger, stateDirectory)
    if (this.#carried.has(runId)) throw usage(`to resume run ${runId}`, 'this process carries it', 'Wait for its end, or cancel it.')
    this.#carried.add(runId)
    try {
      // A run of this very process that it does not carry any more was left by a fault, and can be taken up.
      const isRunning: World['isRunning'] = (host) => !isDeepStrictEqual(host, world.host) && world.isRunning(host)
      const resumed = await engine.resumeRun({ ...world, isRunning }, runId, { cancelled, watcher: taskWatcherOf(watcher) })
      return { ...runAnswerOf(options, resumed), resumed: resumed.resumed }
    } finally {
      this.#carried.delete(runId)
    }
  }

  async probe({ profiles, cancelled }: ProbeRequest, probed: (record: ProbedProfile) => void): Promise<ProbeAnswer> {
    const { options, ledger, stateDirectory, engine } = this.#parts
    const world = await composeWorld(options, ledger, stateDirectory)
    const purpose = Object.entries(world.configuration.purposes).find(([, rules]) => rules.mayIgnorePurposeOfProfile === true)?.[0]
    const names = profiles === 'all' ? Object.keys(world.configuration.profiles) : profiles
    if (purpose === undefined) throw usage('a purpose that a probe may use', 'none in portcullis.yaml', 'Add it to purposes: preflight: { needs: [], mayIgnorePurposeOfProfile: true }')
    if (names.length === 0) throw usage('profiles to probe', 'none', 'Name them with --profile, or give --all.')
    const records: ProbedProfile[] = []
    for (const name of names) {
      if (cancelled.aborted) throw usage('every profile probed', `cancelled after ${records.length} of ${names.length}`, 'Probe again; a profile that was not probed is not healthy.')
      const record = await engine.probeProfile(world, name, purpose)
      records.push(record)
      probed(record)
    }
    const failed = records.find((record) => !record.healthy)
    return { records, exitCode: failed === undefined ? 0 : failed.reason === null ? 3 : exitCodeOf(failed.reason, false) }
  }

  async verify(request: VerifyRequest): Promise<VerifyAnswer> {
    const { verify } = await import('./app/verify.ts')
    return verify(this.#parts.options, request)
  }

  async report(runId: string, { write }: { readonly write: boolean }): Promise<ReportAnswer> {
    const { ledger, engine, directoryOf, stateDirectory } = this.#parts
    const { history, read } = await engine.readHistory({ ledger: await ledger.openFor(runId) }, runId)
    const ending = engine.storedEnding(history)
    const directory = directoryOf(runId)
    // Rendered from the ledger, so only what the ledger itself says can spoil it; files are put right by --write.
    const problems = engine.verifyRun(history, directory).problems.filter((problem) => !problem.code.startsWith('file_') && !(history.run.state === 'waiting' && problem.code === 'run_unfinished'))
    const { sealedBundle, tampered } = await import('./app/bundle.ts')
    if (problems.length > 0) return { ok: false, exitCode: exitCodeOf('ledger_tampered', false), refusal: tampered(runId, problems) }
    const rendered = engine.renderRun(history, read, ending)
    if (write) {
      for (const [name, content] of engine.renderedFiles(rendered)) directory.write(name, content)
      directory.write(engine.BUNDLE_FILE, await sealedBundle(await ledger.openFor(runId), history, stateDirectory, 'end', []))
    }
    const { renderCtrf, renderJunit } = await import('./gates/report/index.ts')
    return { ok: true, json: rendered.json, markdown: rendered.markdown, trace: rendered.trace, junit: renderJunit(rendered.report), ctrf: renderCtrf(rendered.report), exitCode: 0 }
  }

  async runs(): Promise<readonly RunSummary[]> {
    return (await this.#parts.ledger.openExisting())?.list() ?? []
  }

  async close(): Promise<void> {
    await this.#parts.ledger.close()
  }
}

/** Joins every port to its adapter. No field is optional, so a gate cannot be left out here without the compiler saying so. */
export async function composeWorld(options: AppOptions, ledger: LedgerOnDemand, stateDirectory: string): Promise<World> {
  const loaded = configurationOf(options)
  const [engine, admissions, approvedImages, credentialAdapter, healthProbe, isolationAdapter, keys, probeRunner, runDirectory, runtime, scan, targetWatch, wireServer, workspace, agents] = await Promise.all([
    import('./engine/index.ts'),
    import('./adapters/admission-files/index.ts'),
    import('./adapters/approved-images/index.ts'),
    import('./adapters/credentials/index.ts'),
    import('./adapters/health-probe/index.ts'),
    import('./adapters/isolation/index.ts'),
    import('./adapters/keys/index.ts'),
    import('./adapters/probe-runner/index.ts'),
    import('./adapters/run-directory/index.ts'),
    import('./adapters/runtime-process/index.ts'),
    import('./adapters/secret-scan/index.ts'),
    import('./adapters/target-watch/index.ts'),
    import('./adapters/wire-server/index.ts'),
    import('./adapters/workspace/index.ts'),
    agentAdapters(loaded.directory),
  ])
  const { clock, environment } = options
  const credentials = credentialAdapter.createCredentials({ environment, homeDirectory: options.homeDirectory })
  const knownSecrets = (): readonly string[] => credentials.knownValues()
  const searchPath = searchPathOf(environment)
  const store = await ledger.open()
  const isolation = isolationAdapter.createIsolation({ searchPath, node: process.execPath, temporaryDirectory: tmpdir() })
  return {
    configuration: loaded.configuration,
    configurationPath: loaded.path,
    configurationDigest: loaded.digest,
    versions: { portcullis: VERSION, node: process.versions.node },
    clock,
    ledger: store,
    archive: store,
    signer: keys.openSigner(join(stateDirectory, 'keys')),
    scanner: scan.createSecretScanner(knownSecrets),
    knownSecrets,
    credentialMark: (provider) => credentials.mark(provider),
    logBytes: engine.LOG_BYTES,
    inherited: environment,
    loadOverride: () => Promise.resolve(loadOverride(loaded.directory)),
    readAdmissions: (file) =>
      Promise.resolve(file === null ? admissions.readAdmissions({ directory: join(loaded.directory, admissions.ADMISSIONS_DIRECTORY), root: loaded.directory }) : admissions.readAdmissionFile({ file, root: loaded.directory })),
    readDecisions: () => Promise.resolve(admissions.readDecisions({ directory: join(loaded.directory, admissions.DECISIONS_DIRECTORY), root: loaded.directory })),
    openWire: (recorder, served) => {
      const reader = served === undefined ? credentials : credentialAdapter.onlyWhile(served.current, credentials)
      return wireServer.startWire({ recorder, credentials: reader, clock, port: served?.port ?? 0, thresholds: engine.healthThresholds(loaded.configuration.health), ...(served === undefined ? {} : { current: served.current }), ...(served?.tally === undefined ? {} : { tally: served.tally }), ...(served?.withdrawn === undefined ? {} : { withdrawn: served.withdrawn }) })
    },
    probeModel: healthProbe.probeHealth,
    agents,
    isolation,
    launcher: { observe: runtime.observeReadiness, start: (permit, launch, { wire, ...how }) => runtime.startAgent(permit, launch, { ...how, now: clock, keep: engine.KEPT_OUTPUT, seal: () => isolation.seal(permit.isolation, launch, wire) }) },
    workspaces: workspace.createWorkspaces({ path: searchPath, timeoutMs: engine.LOCAL_WORK_MS }),
    targets: targetWatch.createTargetWatcher({ directory: loaded.directory, targets: loaded.configuration.targetRepositories ?? [] }),
    probeRunner: probeRunner.createProbeRunner({ secrets: knownSecrets, clock, browser: loaded.configuration.browser, approvals: engine.createApprovals(store, approvedImages.createApprovedImages(stateDirectory)) }),
    ...(await judges({ path: searchPath, timeoutMs: engine.LOCAL_WORK_MS, secrets: knownSecrets, clock })),
    createDirectory: (runId) => runDirectory.createRunDirectory(stateDirectory, runId),
    openDirectory: (runId) => runDirectory.openRunDirectory(stateDirectory, runId),
    claim: undefined,
  }
}

/** Every agent that can be driven, by the name that profiles and records call it. A program of the project at `directory` comes first. */
export async function agentAdapters(directory: string): Promise<World['agents']> {
  const location = { program: undefined, directory }
  const [{ piAgent }, { claudeCodeAgent }, { codexAgent }, { geminiCliAgent }, { opencodeAgent }, { qwenCodeAgent }, { acpAgent }, { commandAgent }, { caseAgent }] = await Promise.all([
    import('./adapters/agent-pi/index.ts'),
    import('./adapters/agent-claude-code/index.ts'),
    import('./adapters/agent-codex/index.ts'),
    import('./adapters/agent-gemini-cli/index.ts'),
    import('./adapters/agent-opencode/index.ts'),
    import('./adapters/agent-qwen-code/index.ts'),
    import('./adapters/agent-acp/index.ts'),
    import('./adapters/agent-command/index.ts'),
    import('./adapters/agent-case/index.ts'),
  ])
  return new Map([piAgent(location), claudeCodeAgent(location), codexAgent(location), geminiCliAgent(location), opencodeAgent(location), qwenCodeAgent(location), acpAgent, commandAgent, caseAgent].map((agent) => [agent.name, agent]))
}

export const taskWatcherOf = (watcher: RunWatcher): TaskWatcher => ({
  opened: (run) => watcher.opened(run),
  gateBegan: (gate) => watcher.gateBegan(gate),
  gateDecided: (verdict, elapsedMs) => watcher.gateDecided({ gate: verdict.gate, outcome: verdict.outcome, reason: verdict.outcome === 'pass' ? null : verdict.reason, message: verdict.message }, elapsedMs),
  note: (text) => watcher.note(text),
})

/** A run as its caller is told of it, whichever surface that is (ACC-04). */
export function runAnswerOf(options: AppOptions, { report, json, directory }: Pick<Engine.FinishedRun, 'report' | 'json' | 'directory'>): RunAnswer {
  const patch = directory.files().find((file) => /workspace(\.redacted)?\.patch$/.test(file.name))
  return {
    report,
    json,
    exitCode: report.reason === null ? 0 : exitCodeOf(report.reason, report.status === 'fail'),
    reportPath: relative(options.cwd, join(directory.path, 'report.md')),
    patch: patch === undefined ? null : relative(options.cwd, join(directory.path, patch.name)),
  }
}

export interface ProviderHandle {
  readonly url: string
  close(): Promise<void>
}

/** Plays a script as a model provider on loopback. Throws `script_invalid` or `port_taken`. */
export async function startProvider(options: { readonly script: string; readonly port: number; onRequest(entry: { readonly method: string; readonly path: string; readonly model: string | null; readonly status: number | null }): void }): Promise<ProviderHandle> {
  const { loadScript, startScriptedProvider } = await import('./adapters/scripted-provider/index.ts')
  return startScriptedProvider({ script: await loadScript(options.script), port: options.port, onRequest: (entry) => options.onRequest(entry) })
}
/** Writes a starter configuration and an example task into a directory. Overwrites nothing. */
export async function initialise(options: AppOptions, directory: string) {
  const { writeStarter } = await import('./adapters/starter/index.ts')
  return writeStarter(resolvePath(options.cwd, directory), join(PACKAGE_ROOT, 'examples/slugify'))
}
