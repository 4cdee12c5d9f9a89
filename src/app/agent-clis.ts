import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { agentAdapters, composeWorld } from '../app.ts'
import { loadTask } from '../adapters/configuration/index.ts'
import { createIsolation } from '../adapters/isolation/index.ts'
import { type Fault, type ProviderScript, startScriptedProvider } from '../adapters/scripted-provider/index.ts'
import { LedgerOnDemand } from '../adapters/store-sqlite/index.ts'
import { createRunToken } from '../contract/ids.ts'
import type { Dialect } from '../contract/model.ts'
import type { Verdict } from '../contract/verdict.ts'
import { type AgentAdapter, CAPABILITIES, type Capability, runTask } from '../engine/index.ts'
import type { IsolationLevel, Profile } from '../gates/catalog/index.ts'
import type { Report } from '../gates/report/index.ts'
import { type AppOptions, searchPathOf } from './places.ts'

/** The command line agents that are looked for, each with the dialect in which it is asked here. */
const CLIS: readonly { readonly agent: string; readonly dialect: Dialect }[] = [
  { agent: 'claude-code', dialect: 'anthropic-messages' },
  { agent: 'codex', dialect: 'openai-responses' },
  { agent: 'gemini-cli', dialect: 'gemini' },
  { agent: 'opencode', dialect: 'openai-chat' },
  { agent: 'pi', dialect: 'openai-chat' },
  { agent: 'qwen-code', dialect: 'openai-chat' },
]

/** Bounds of the contract itself. On a machine that is not busy it takes a few seconds; a program that takes longer than this has not kept it. */
const CONTRACT_LIMITS = { total: '60s', idle: '45s', calls: 20, tokens: 1_000_000 } as const
/** Within this a cancelled run is over, its agent and the scans and signatures of its closing included, on a busy machine too. */
const CANCEL_LIMIT_MS = 10_000

const MODEL = 'contract-1'
const PROMPT = 'Say that you have read this sentence, and do nothing else.'
const DESCRIBED = 'portcullis contract'

/** What the program is said to do, and whether it was seen to do it; null where it is said not to do it. */
export interface CheckedCapability {
  readonly declared: 'native' | 'derived' | 'none'
  readonly proven: boolean | null
  readonly how: string
}

export interface CheckedCli {
  readonly agent: string
  /** Null: the program is not there, and `why` says where it was looked for. */
  readonly version: string | null
  readonly isolation: IsolationLevel | null
  readonly isolation_obstacle: string | null
  readonly contract: 'kept' | 'broken' | 'not_installed'
  readonly why: string
  readonly capabilities: Readonly<Partial<Record<Capability, CheckedCapability>>>
  /** Models that it asked for and that its launch does not name. The wire refused them. */
  readonly unnamed_models: readonly string[]
  /** From the leave to start it until it had said who it is, or, where it says nothing before its prompt, until it ran; null if it did not come so far. */
  readonly ready_ms: number | null
  readonly elapsed_ms: number
}

export interface CliCheck {
  readonly verdict: 'kept' | 'broken' | 'nothing_found'
  readonly clis: readonly CheckedCli[]
  /** 0: every program that was found keeps the contract. 4: one does not. 5: none was found, which is no pass. */
  readonly exit_code: 0 | 4 | 5
}

/**
 * Drives every agent program that is found on this machine through all gates, against a scripted provider on loopback: once to its end,
 * and once until it is cancelled in the middle. Nothing of the user's is read or written, no credential is read and no token spent.
 */
export async function checkClis(options: AppOptions, asked: { readonly cancelled: AbortSignal }, checked: (cli: CheckedCli) => void): Promise<CliCheck> {
  const adapters = await agentAdapters(options.cwd)
  const clis: CheckedCli[] = []
  for (const { agent, dialect } of CLIS) {
    const adapter = adapters.get(agent)
    if (adapter === undefined) throw new TypeError(`no adapter for ${agent}`)
    const cli = await checkOne({ options, adapter, dialect, cancelled: asked.cancelled })
    clis.push(cli)
    checked(cli)
  }
  const found = clis.filter(({ contract }) => contract !== 'not_installed')
  if (found.length === 0) return { verdict: 'nothing_found', clis, exit_code: 5 }
  return found.every(({ contract }) => contract === 'kept') ? { verdict: 'kept', clis, exit_code: 0 } : { verdict: 'broken', clis, exit_code: 4 }
}

interface Subject {
  readonly options: AppOptions
  readonly adapter: AgentAdapter
  readonly dialect: Dialect
  readonly cancelled: AbortSignal
}

async function checkOne(subject: Subject): Promise<CheckedCli> {
  const began = performance.now()
  const { adapter, options } = subject
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-check-'))
  try {
    const { version, why } = await versionOf(subject, root)
    const common = { agent: adapter.name, version, capabilities: {}, unnamed_models: [], isolation: null, isolation_obstacle: null, ready_ms: null, elapsed_ms: 0 }
    if (version === null) return { ...common, contract: 'not_installed', why }
    const { reached: isolation, obstacle } = await createIsolation({ searchPath: searchPathOf(options.environment), node: process.execPath, temporaryDirectory: tmpdir() }).reach('network')
    const contract = { subject, version, isolation }
    const ended = await drive(contract, join(root, 'ended'), undefined)
    const interrupted = await drive(contract, join(root, 'interrupted'), { hang: true })
    const proofs = proofsOf(ended, interrupted)
    const broken = faultOf(ended, interrupted)
    return {
      ...common, isolation, isolation_obstacle: obstacle,
      contract: broken === undefined ? 'kept' : 'broken',
      why: broken ?? 'it took its prompt, asked the admitted model through the wire, said that it had ended, and ended when it was cancelled',
      capabilities: Object.fromEntries(CAPABILITIES.map((name) => [name, capabilityOf(adapter.manifest[name], proofs[name])])),
      unnamed_models: [...new Set([...ended.models, ...interrupted.models])].filter((model) => model !== MODEL),
      ready_ms: ended.readyMs === null ? null : Math.round(ended.readyMs),
      elapsed_ms: Math.round(performance.now() - began),
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What the program on this machine says in its files; nothing of it is started for that. */
async function versionOf({ adapter, options, dialect }: Subject, root: string): Promise<{ readonly version: string | null; readonly why: string }> {
  const place = (name: string): string => {
    const path = join(root, 'plan', name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const planned = await adapter.plan({
    runId: 'contract', profileName: 'contract', profile: profileOf(adapter.name, undefined, 'network'), pair: { provider: 'scripted', model: MODEL }, dialect, endpoint: 'http://127.0.0.1', baseUrl: 'http://127.0.0.1', runToken: createRunToken(),
    workspace: place('workspace'), home: place('home'), configuration: place('configuration'), temporary: place('temporary'), inherited: options.environment,
  })
  return planned.ok ? { version: planned.launch.plan.version.found, why: '' } : { version: null, why: `${planned.refusal.found}. ${planned.refusal.remedy}` }
}

/** Every program here works in this mode at every level; its model asks for no tool. */
const profileOf = (agent: string, version: string | undefined, isolation: IsolationLevel): Profile => ({
  agent, ...(version === undefined ? {} : { agentVersion: version }), model: `scripted/${MODEL}`, permissions: 'bypass', purposes: ['contract'], isolation, backgroundModels: 'refuse', limits: CONTRACT_LIMITS,
})

interface Contract {
  readonly subject: Subject
  readonly version: string
  readonly isolation: IsolationLevel
}

/** What was seen of one run. */
interface Seen {
  readonly report: Report
  readonly verdicts: readonly Pick<Verdict, 'gate' | 'outcome'>[]
  /** Every model that it asked for, in the order in which the wire heard of it. */
  readonly models: readonly string[]
  /** From the moment when it was cancelled to the end of the run; null if it was not. */
  readonly endedWithinMs: number | null
  readonly readyMs: number | null
}

const Call = z.looseObject({ type: z.literal('model_call'), purpose: z.string(), requested_model: z.string().nullable() })

/** One run through all gates. With a fault the provider has it strike the prompt, and the run is cancelled once it has. */
async function drive({ subject, version, isolation }: Contract, directory: string, fault: Fault | undefined): Promise<Seen> {
  const { adapter, dialect, options } = subject
  const cancelling = new AbortController()
  let cancelledAt: number | undefined
  const provider = await startScriptedProvider({
    script: scriptOf(fault), port: 0,
    onRequest: (request) => {
      if (request.fault === null) return
      cancelledAt ??= performance.now()
      cancelling.abort()
    },
  })
  const ledger = new LedgerOnDemand(join(directory, 'state/ledger.db'))
  try {
    layOut(directory, profileOf(adapter.name, version, isolation), dialect, provider.url)
    const { environment, clock } = options
    const world = await composeWorld({ cwd: directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: environment['PATH'], LANG: 'C.UTF-8' }, homeDirectory: join(directory, 'home'), clock }, ledger, join(directory, 'state'))
    const { task, digest, text, repository, referencePatch } = loadTask(join(directory, 'task.yaml'))
    const cancelled = AbortSignal.any([subject.cancelled, cancelling.signal])
    const request = { task, taskDigest: digest, taskText: text, profile: task.profile, purpose: task.purpose, repository, reference: referencePatch, asked: null, remotes: {}, admissionFile: null, cancelled }
    const seen: { readonly verdict: Verdict; readonly at: number }[] = []
    const nothing = (): void => undefined
    const { report, trace } = await runTask({ ...world, agents: new Map([[adapter.name, adapter]]) }, request, { opened: nothing, gateBegan: nothing, note: nothing, gateDecided: (verdict) => void seen.push({ verdict, at: performance.now() }) })
    const [launched, ready] = (['launch', 'readiness'] as const).map((gate) => seen.find(({ verdict }) => verdict.gate === gate && verdict.outcome === 'pass')?.at)
    const readyMs = launched === undefined || ready === undefined ? null : ready - launched
    return { report, readyMs, verdicts: seen.map(({ verdict }) => verdict), models: modelsIn(trace), endedWithinMs: cancelledAt === undefined ? null : performance.now() - cancelledAt }
  } finally {
    await ledger.close()
    await provider.close()
  }
}

function modelsIn(trace: string): string[] {
  return trace.split('\n').filter((line) => line !== '').flatMap((line) => {
    const read = Call.safeParse(JSON.parse(line))
    return read.success && read.data.purpose === 'agent' && read.data.requested_model !== null ? [read.data.requested_model] : []
  })
}

const scriptOf = (fault: Fault | undefined): ProviderScript => ({
  version: 1,
  models: [MODEL],
  turns: [{ when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } }, { when: { always: true }, answer: { text: 'I have read it.' } }],
  ...(fault === undefined ? {} : { faults: [{ on: { lastUser: 'have read this sentence' }, fault }] }),
})

/** A configuration, a record and a task of the contract's own. The probe fails on whatever comes: no work is asked for, so none can be accepted. */
function layOut(directory: string, profile: Profile, dialect: Dialect, url: string): void {
  const baseUrl = dialect === 'openai-chat' || dialect === 'openai-responses' ? `${url}/v1` : url
  const files: Readonly<Record<string, unknown>> = {
    'portcullis.yaml': {
      version: 1,
      providers: { scripted: { dialect, baseUrl, networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '5s', firstByte: '45s', idle: '45s', total: '60s' } } },
      networkClasses: { loopback: { external: false } },
      profiles: { contract: profile },
      purposes: { contract: { needs: ['readiness', 'acceptance'] } },
      probes: { work: { kind: 'headless_run', command: ['grep', '-qx', 'done', 'answer.txt'], timeout: '20s', expect: { exitCode: 0 } } },
      taskClasses: { contract: { completion: 'product', probes: ['work'] } },
      health: { onStart: true, every: '24h', maxAge: '26h' },
    },
    [`admissions/scripted--${MODEL}.json`]: {
      status: 'admitted', provider: 'scripted', model: MODEL, endpoint: baseUrl, runtime: profile.agent, stages: ['work'], credential_source_class: 'no-secret', allowed_network_class: 'loopback',
      approval_source: DESCRIBED, admission_timestamp: '2026-01-01T00:00:00Z', review_trigger: { expires_at: '2126-01-01T00:00:00Z', conditions: [DESCRIBED] }, served_model_ids: [MODEL], evidence_expectations: [DESCRIBED],
    },
    'task.yaml': { id: 'contract', title: 'The contract of an agent program', class: 'contract', purpose: 'contract', profile: 'contract', repositories: [{ path: 'repository', branch: 'main' }], prompt: PROMPT, acceptance: [{ id: 1, text: 'Nothing is asked for.', probes: ['work'] }], baseline: { untouched: 'must-fail' } },
    'repository/README.md': DESCRIBED,
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${typeof content === 'string' ? content : JSON.stringify(content)}\n`)
  }
  mkdirSync(join(directory, 'state'), { recursive: true, mode: 0o700 })
  mkdirSync(join(directory, 'home'), { recursive: true })
}

const passed = ({ verdicts }: Seen, gate: Verdict['gate']): boolean => verdicts.some((verdict) => verdict.gate === gate && verdict.outcome === 'pass')
const servedAsNamed = ({ report }: Seen): boolean => report.model.served.length === 1 && report.model.served[0] === MODEL
const endedInTime = ({ report, endedWithinMs }: Seen): boolean => report.reason === 'interrupted' && endedWithinMs !== null

/** What the two runs show, by capability. What neither of them tries is left out. */
function proofsOf(ended: Seen, interrupted: Seen): Partial<Record<Capability, { readonly holds: boolean; readonly how: string }>> {
  return {
    wire_binding: { holds: passed(ended, 'wire') && servedAsNamed(ended), how: 'its calls came to the wire with its key, and the admitted model answered them' },
    delivery_receipt: { holds: passed(ended, 'dispatch'), how: 'it had the prompt, by the receipt of its adapter' },
    terminal_signal: { holds: ended.report.exit?.claimed_status === 'completed', how: 'it said that its turn had ended, and how' },
    interrupt: { holds: endedInTime(interrupted), how: `cancelled while its model did not answer, the run was over after ${Math.round(interrupted.endedWithinMs ?? 0)} ms` },
  }
}

function capabilityOf(declared: CheckedCapability['declared'], proof: { readonly holds: boolean; readonly how: string } | undefined): CheckedCapability {
  if (declared === 'none') return { declared, proven: null, how: 'it is not said to do it' }
  if (proof === undefined) return { declared, proven: false, how: 'not tried by this check' }
  return { declared, proven: proof.holds, how: proof.holds ? proof.how : 'it was tried and not seen' }
}

/** What the contract lacks, in words. Reaching the question of the work is what it asks for: with nothing to do, the run ends there. */
function faultOf(ended: Seen, interrupted: Seen): string | undefined {
  const { reason, refusal, exit } = ended.report
  if (reason !== 'done_without_change') return `${reason ?? 'it was accepted without work'}: ${refusal?.found ?? ''}`
  if (exit?.claimed_status !== 'completed') return 'it did not say that its turn had ended'
  if (!endedInTime(interrupted)) return `cancelled in the middle, it ended by ${interrupted.report.reason ?? 'being accepted'}: ${interrupted.report.refusal?.found ?? ''}`
  if ((interrupted.endedWithinMs ?? Number.POSITIVE_INFINITY) > CANCEL_LIMIT_MS) return `cancelled in the middle, it took ${Math.round(interrupted.endedWithinMs ?? 0)} ms to end`
  return undefined
}
