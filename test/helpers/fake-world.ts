import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openSigner } from '../../src/adapters/keys/index.ts'
import { createRunDirectory, openRunDirectory } from '../../src/adapters/run-directory/index.ts'
import { createSecretScanner } from '../../src/adapters/secret-scan/index.ts'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { digestOf, sha256 } from '../../src/contract/canonical.ts'
import { Configuration, type FinishedRun, type Ledger, type LedgerArchive, type ResumedRun, resumeRun, runTask, Task, type TaskRequest, verifyRun, type VerifiedRun, type World } from '../../src/engine/index.ts'
import { ProbeRecord, type ProbeRequest, type ReviewAnswer, type ReviewAnswered, type ReviewRequest } from '../../src/gates/acceptance/index.ts'
import { definitionDigest } from '../../src/gates/catalog/index.ts'
import type { AdmissionFile, DecisionFile } from '../../src/gates/admission/index.ts'
import { fakeAgent, fakeLauncher, type AgentScript } from './fake-agent.ts'
import { type FakeGrant, FakeWire } from './fake-wire.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const BEFORE = 'b'.repeat(64)
const AFTER = 'a'.repeat(64)
const REFERENCE = 'c'.repeat(64)
export const PROMPT = 'Implement slugify.'

const provider = {
  dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:8009/v1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' },
  timeouts: { connect: '1s', firstByte: '2s', idle: '2s', total: '3s' },
}
const profile = {
  agent: 'command', command: ['agent'], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse',
  limits: { total: '30s', idle: '20s', calls: 7, tokens: 900 },
}
export const CONFIGURATION = {
  version: 1,
  providers: { scripted: provider },
  profiles: { p: profile },
  purposes: { ticket: { needs: ['acceptance'] }, preflight: { needs: [], mayIgnorePurposeOfProfile: true } },
  probes: { tests: { kind: 'headless_run', command: ['node', '--test'], timeout: '5s', expect: { exitCode: 0 } } },
  taskClasses: { change: { completion: 'product', probes: ['tests'] } },
  health: { onStart: true, every: '24h', maxAge: '26h' },
}

export const recordFor = (model: string): AdmissionFile => ({
  path: `admissions/scripted--${model}.json`,
  sha256: sha256(model),
  record: {
    status: 'admitted', provider: 'scripted', model, endpoint: provider.baseUrl, runtime: 'command', stages: ['work'], credential_source_class: 'no-secret', allowed_network_class: 'loopback',
    approval_source: 'a test', admission_timestamp: '2026-06-01T00:00:00Z', review_trigger: { expires_at: '2036-06-01T00:00:00Z' }, served_model_ids: [model], evidence_expectations: ['its calls'],
  },
  problems: [],
})

/** A place where a run takes place: the real ledger, run directory, scanner and gates, and fakes for what lies beyond. */
export interface Stage {
  readonly world: World
  readonly ledger: Ledger & LedgerArchive
  readonly directory: string
  /** Credentials that the wire is said to have read. */
  readonly secrets: string[]
  /** What was done, in order, each with the state of the run at that time: `start @started`. */
  readonly acts: string[]
  readonly grants: FakeGrant[]
  readonly agent: AgentScript
  readonly cancel: AbortController
  /** Changes the workspace, as the work of an agent does. */
  change(): void
  /** Moves the clock: time passes. */
  advance(ms: number): void
  /** Somebody sets the wall clock; no time passes. */
  jump(ms: number): void
  run(change?: Partial<TaskRequest>): Promise<FinishedRun>
  /** Takes a run up, as another process does; the change is what is otherwise then. */
  resume(runId: string, change?: Partial<World>): Promise<ResumedRun>
  verify(runId: string): Promise<VerifiedRun>
}

export interface StageOptions {
  readonly configuration?: Record<string, unknown>
  readonly records?: readonly AdmissionFile[]
  readonly decisions?: readonly DecisionFile[]
  readonly health?: (grant: FakeGrant, signal: AbortSignal) => Promise<void>
  readonly probe?: (request: ProbeRequest, record: ProbeRecord) => ProbeRecord
  /** What reviewers answer; without it each approves. */
  readonly review?: (request: ReviewRequest) => ReviewAnswered
  readonly patch?: string
  /** Replaces parts of the world after it was made. */
  readonly world?: (world: World) => Partial<World>
}

export async function stage(context: TestContext, options: StageOptions = {}): Promise<Stage> {
  const directory = temporaryDirectory(context)
  const ledger = await openLedger(join(directory, 'ledger.db'))
  context.after(() => ledger.close())
  const secrets: string[] = []
  const acts: string[] = []
  const grants: FakeGrant[] = []
  const cancel = new AbortController()
  let ahead = 0
  let jumped = 0
  const clock = (): Date => new Date(Date.now() + ahead + jumped)
  const log = (act: string): void => void acts.push(act)
  const digests = new Map<string, string>()
  let workspace = ''
  const change = (): void => void digests.set(workspace, AFTER)
  const agent: AgentScript = {
    plan: (launch) => launch,
    work: async () => {
      await grants.at(-1)?.ask()
      change()
      return { claimedStatus: 'completed', claim: 'done' }
    },
    state: () => 'idle',
    ready: () => Promise.resolve({ responded: null, claims: { model: null, provider: null, version: null, effort: null } }),
    delivery: () => ({ ok: true, receipt: 'all bytes written' }),
    objection: () => null,
    preflight: () => Promise.resolve(null),
    readiness: (facts) => facts,
    start: () => Promise.resolve(),
    stopping: () => Promise.resolve(),
  }
  const base: World = {
    configuration: Configuration.parse({ ...CONFIGURATION, ...options.configuration }),
    configurationPath: 'portcullis.yaml',
    configurationDigest: digestOf('configuration'),
    versions: { portcullis: '0', node: '24' },
    clock,
    ledger,
    archive: ledger,
    signer: openSigner(join(directory, 'keys')),
    scanner: createSecretScanner(() => secrets),
    knownSecrets: () => secrets,
    credentialMark: () => Promise.resolve('none'),
    logBytes: 1_000,
    inherited: {},
    loadOverride: () => Promise.resolve(null),
    readAdmissions: () => Promise.resolve({ kind: 'directory', path: 'admissions/', problem: null, files: [...(options.records ?? [recordFor('coder-1')])] }),
    readDecisions: () => Promise.resolve({ path: 'decisions/', problem: null, files: [...(options.decisions ?? [])] }),
    openWire: (recorder) => {
      const wire = new FakeWire(recorder, log)
      return Promise.resolve(Object.assign(wire, { grant: (request: Parameters<FakeWire['grant']>[0]) => {
        const grant = FakeWire.prototype.grant.call(wire, request)
        grants.push(grant)
        return grant
      } }))
    },
    probeModel: async ({ grant, signal }) => {
      const held = grants.find((each) => each.token === grant.token)
      if (held !== undefined) await (options.health ?? ((each: FakeGrant) => each.ask()))(held, signal)
      return { latencyMs: 1, httpStatus: 200, failure: null }
    },
    agents: new Map([['command', fakeAgent(agent, log)]]),
    isolation: { reach: () => Promise.resolve({ reached: 'env', obstacle: 'the fake world has no bubblewrap' }) },
    launcher: fakeLauncher(agent, log, clock),
    workspaces: {
      prepare: async ({ into }) => {
        workspace = into
        digests.set(into, BEFORE)
      },
      copy: async (from, to) => void digests.set(to, digests.get(from) ?? ''),
      applyPatch: async (at) => {
        digests.set(at, REFERENCE)
        return true
      },
      digest: async (at) => digests.get(at) ?? 'f'.repeat(64),
      changedBelow: async () => [],
      changes: async (at) => ({ filesChanged: digests.get(at) === AFTER ? 1 : 0, insertions: 1, deletions: 0, commits: [], files: [], linksOut: [], filesLeftOut: 0, patch: Buffer.from(options.patch ?? ''), patchTruncated: false, whole: Buffer.from(options.patch ?? ''), history: Buffer.alloc(0) }),
    },
    targets: { watch: () => Promise.resolve({ look: () => Promise.resolve([]) }) },
    probeRunner: {
      run: async (request) => {
        log(`probe ${request.phase}`)
        const made = recordOf(request, digests.get(request.workspace) ?? '')
        return options.probe === undefined ? made : options.probe(request, made)
      },
    },
    deliveries: { head: () => Promise.resolve('unknown' as const), check: () => Promise.reject(new Error('no delivery was asked for')) },
    reviewRunner: {
      run: async (request) => {
        log(`review ${request.name}`)
        return options.review === undefined ? answeredBy(request, {}) : options.review(request)
      },
    },
    createDirectory: (runId) => createRunDirectory(directory, runId),
    openDirectory: (runId) => openRunDirectory(directory, runId),
    host: { pid: 1, startTicks: 1, boot: 'test' },
    isRunning: () => false,
    machineClock: () => ({ boot: 'b', ms: Math.floor(performance.now()) + ahead }),
    claim: undefined,
  }
  const world: World = { ...base, ...options.world?.(base) }
  const task = Task.parse({
    id: 't', title: 'T', class: 'change', purpose: 'ticket', profile: 'p', repositories: [{ path: 'r', branch: 'main' }], prompt: PROMPT,
    acceptance: [{ id: 1, text: 'The tests pass', probes: ['tests'] }], baseline: { untouched: 'must-fail' },
  })
  const silent = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }
  return {
    world, ledger, directory, secrets, acts, grants, agent, cancel, change,
    advance: (ms) => {
      ahead += ms
    },
    jump: (ms) => {
      jumped += ms
    },
    run: (change = {}) => runTask(world, { task, taskDigest: digestOf(task), taskText: 'id: t\n', profile: 'p', purpose: 'ticket', repository: '/r', reference: null, admissionFile: null, remotes: {}, asked: null, cancelled: cancel.signal, ...change }, silent),
    resume: (runId, change = {}) => resumeRun({ ...world, ...change }, runId, { cancelled: cancel.signal, watcher: silent }),
    verify: async (runId) => {
      const history = await ledger.history(runId)
      if (history === undefined) throw new Error(`no run ${runId}`)
      return verifyRun(history, openRunDirectory(directory, runId))
    },
  }
}

/** A reviewer that read everything and approves, unless the change says otherwise. */
export function answeredBy(request: ReviewRequest, change: Partial<ReviewAnswer>): ReviewAnswered {
  const at = new Date().toISOString()
  const answer: ReviewAnswer = {
    head: request.head, verdict: 'PASS', confidence: 0.9, reason: 'It does what was asked.', source_read_ok: true, diff_read_ok: true, read: { diff: 'd', source: 's' },
    findings: [], requirements: request.items.map(({ id }) => ({ id, status: 'met', reason: 'seen' })), prior: (request.prior ?? []).map(({ id }) => ({ id, status: 'fixed' })), question: null, ...change,
  }
  return { answer, failure: null, marks: { diff: 'd', source: 's' }, startedAt: at, endedAt: at, runnerVersion: 'fake/1' }
}

/** What the runner would say: the work passes, anything else fails cleanly. */
function recordOf(request: ProbeRequest, found: string): ProbeRecord {
  const passed = found !== BEFORE
  const at = new Date().toISOString()
  return ProbeRecord.parse({
    probe: request.name, kind: request.definition.kind, phase: request.phase, status: passed ? 'passed' : 'failed', summary: passed ? 'exited 0' : 'exited 1', duration_ms: 1, changed_workspace: false,
    payload: { expected: { exit_code: 0, stdout: null }, exit_code: passed ? 0 : 1, signal: null, stdout_matched: null, error: null, leaked: false, stdout: null, stderr: null, environment: [], environment_withheld: [] },
    run_id: request.runId, attempt: request.attempt, task_class: request.taskClass, definition_digest: definitionDigest(request.definition), subject_digest: request.subjectDigest, started_at: at, ended_at: at, runner_version: 'fake/1',
  })
}
