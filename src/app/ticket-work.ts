import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { extname, resolve as resolvePath } from 'node:path'
import { parseDocument } from 'yaml'
import { type App, openApp, type Report, type RunWatcher } from '../app.ts'
import { loadTask } from '../adapters/configuration/index.ts'
import type { Refusal } from '../contract/gate.ts'
import { printTriple } from '../contract/model.ts'
import { applyRun, claim, holdsClaim, type Outcome, releaseClaim, renewClaim, RETRY_LIMIT, type RunResult } from '../engine/index.ts'
import type { Actor, Ticket } from '../gates/dispatch/index.ts'
import type { AppOptions } from './places.ts'
import { durationMs, localActor, type TicketDesk, type TicketView, withTickets } from './tickets.ts'

export interface WorkOrder {
  readonly ticket: string
  /** The task file that does the work, from the caller's directory. */
  readonly task: string
  /** How long the claim is in force without a word; it is renewed while the run goes on. */
  readonly lease: string
  readonly cancelled: AbortSignal
}

/** Claims a ticket, takes its task through every gate in a fresh run, and applies what the run came to: closed with evidence, rejected with findings, or blocked. */
export async function workTicket(options: AppOptions, order: WorkOrder, watcher: RunWatcher): Promise<Outcome<TicketView>> {
  const leaseMs = durationMs(order.lease, 'how long the claim is in force')
  const app = await openApp(options)
  try {
    return await withTickets(options, async (desk) => {
      const worker: Actor = { ...localActor(), id: `${localActor().id}:worker`, kind: 'service' }
      const claimed = await claim(desk.book, order.ticket, worker, leaseMs)
      if (!claimed.ok) return claimed
      try {
        const applied = await runClaimed(app, desk, { ...order, options, worker, leaseMs, ticket: claimed.value }, watcher)
        return applied.ok ? { ok: true, value: await desk.view(applied.value.id) } : applied
      } finally {
        // What could not even be run keeps nobody from the ticket; after a run that counted there is no claim of ours any more.
        await releaseClaim(desk.book, order.ticket, worker, { epoch: claimed.value.claim?.epoch ?? 0, why: 'The work ended without a result.' })
      }
    })
  } finally {
    await app.close()
  }
}

export interface Claimed extends Omit<WorkOrder, 'ticket'> {
  readonly options: AppOptions
  readonly worker: Actor
  readonly leaseMs: number
  readonly ticket: Ticket
}

/** A renewal takes this share of the lease, so that two may fail before it ends. */
const RENEWALS = 3

export async function runClaimed(app: App, desk: TicketDesk, { options, worker, leaseMs, ticket, task, cancelled }: Claimed, watcher: RunWatcher): Promise<Outcome<Ticket>> {
  const epoch = ticket.claim?.epoch ?? 0
  const lost = new AbortController()
  const renewing = setInterval(() => {
    renewClaim(desk.book, ticket.id, worker, { epoch, leaseMs }).then((outcome) => outcome.ok || lost.abort(), () => undefined)
  }, leaseMs / RENEWALS)
  const path = resolvePath(options.cwd, task)
  let told: ReturnType<typeof withFindings> | undefined
  let noted: Promise<unknown> = Promise.resolve()
  // Which run works on it, so that a later server knows: what it came to counts once, and is not done again.
  const opened: RunWatcher['opened'] = (run) => {
    noted = noteRun(desk, worker, ticket, epoch, run, options.clock())
    noted.catch(() => lost.abort())
    watcher.opened(run)
  }
  try {
    const undeclared = undeclaredIn(path, ticket)
    if (undeclared !== undefined) return await refuseWork(desk, { worker, ticket, epoch }, undeclared)
    told = withFindings(path, ticket)
    const { report } = await app.run({ task: told.path, profile: undefined, purpose: undefined, backend: undefined, admissionFile: undefined, ticket: { id: ticket.id, runs: ticket.runs }, cancelled: AbortSignal.any([cancelled, lost.signal]) }, { ...watcher, opened, gateBegan: (gate) => watcher.gateBegan(gate), gateDecided: (verdict, elapsedMs) => watcher.gateDecided(verdict, elapsedMs), note: (text) => watcher.note(text) })
    await noted
    const { dispatch = RETRY_LIMIT, review = RETRY_LIMIT } = desk.settings().limits ?? {}
    return await applyRun(desk.book, ticket.id, worker, epoch, { dispatch, review }, resultOf(report))
  } finally {
    clearInterval(renewing)
    if (told?.own === true) rmSync(told.path, { force: true })
  }
}

/** A run works on its copy of one repository; whatever else its work must reach lies outside, and the ticket has to say so (MC-132). Throws `task_invalid`. */
function undeclaredIn(path: string, { id, repositories }: Ticket): Refusal | undefined {
  const outside = loadTask(path).task.delivery?.repositories ?? []
  const undeclared = outside.filter(({ name, remote }) => !repositories.includes(remote) && !repositories.includes(name))
  if (undeclared.length === 0) return undefined
  return { reason: 'repository_undeclared', message: `The task delivers to a repository that ${id} does not declare.`, asked: `work on ${undeclared.map(({ name, remote }) => `${name} (${remote})`).join(', ')}`, found: repositories.length === 0 ? `${id} declares none` : `${id} declares ${repositories.join(', ')}`, remedy: 'Bring a ticket that declares them, or take them out of the task.' }
}

/** Refused before anything is started: until a person changes ticket or task it would be refused again. */
async function refuseWork(desk: TicketDesk, { worker, ticket, epoch }: { readonly worker: Actor; readonly ticket: Ticket; readonly epoch: number }, refusal: Refusal): Promise<Outcome<Ticket>> {
  const { reason, message, found, remedy } = refusal
  await desk.book.change(ticket.id, worker, (now) => (holdsClaim(now, worker, epoch) ? { kind: 'start_refused', text: `${reason}: ${message} ${found}`.slice(0, 20_000), data: { reason, remedy }, set: { state: 'blocked', reason, claim: null } } : 'nothing'))
  return { ok: false, refusal, details: {} }
}

const noteRun = (desk: TicketDesk, worker: Actor, { id }: Ticket, epoch: number, { runId, profile }: Parameters<RunWatcher['opened']>[0], at: Date): Promise<unknown> =>
  desk.book.change(id, worker, ({ claim: held }) => {
    if (held?.holder !== worker.id || held.epoch !== epoch) return 'nothing'
    const now = at.toISOString()
    return { kind: 'session_opened', data: { run: runId, epoch, profile }, set: { runtime: { state: 'running', session: runId, profile, triple: null, cwd: null, mode: 'HEADLESS', started_at: now, last_activity_at: now, ended_at: null, duration_ms: null } } }
  })

/** What reviewers and probes found stands in the next prompt: in a task file of its own, which the run keeps as its evidence. */
function withFindings(path: string, ticket: Ticket): { readonly path: string; readonly own: boolean } {
  if (ticket.findings.length === 0) return { path, own: false }
  const document = parseDocument(readFileSync(path, 'utf8'))
  const prompt: unknown = document.get('prompt')
  const found = ticket.findings.map(({ by, text }) => `- ${by}: ${text}`).join('\n')
  document.set('prompt', `${typeof prompt === 'string' ? prompt.trimEnd() : ''}\n\nAn earlier attempt was rejected. What was found:\n${found}\n`)
  const extension = extname(path)
  const own = `${path.slice(0, path.length - extension.length)}.${ticket.id}-${ticket.epoch}${extension}`
  writeFileSync(own, document.toString(), { flag: 'wx' })
  return { path: own, own: true }
}

const plain = (printed: string): string => printed.replace(/^sha256:/, '')

export function resultOf(report: Report): RunResult {
  const [provider, ...model] = (report.model.admitted ?? '').split('/')
  return {
    runId: report.run_id, status: report.reason === 'review_waiting' ? 'blocked' : report.status, reason: report.reason, summary: report.summary, found: report.refusal?.found ?? null, remedy: report.refusal?.remedy ?? null,
    profile: report.profile, purpose: report.task.purpose,
    items: report.acceptance.map((item) => ({ text: item.text, met: item.status === 'met', evidence: item.runtime_probe_evidence.filter(({ phase }) => phase === 'result').map(({ evidence }) => plain(evidence)) })),
    verdicts: report.gates.map(({ verdict }) => plain(verdict)),
    findings: report.reviews.filter(({ verdict }) => verdict === 'FAIL').flatMap(({ reviewer, reason, findings }) => (findings.length === 0 ? [{ by: reviewer, text: reason }] : findings.map(({ text }) => ({ by: reviewer, text })))),
    startedAt: report.started_at, endedAt: report.ended_at,
    triple: report.agent === null || provider === undefined || model.length === 0 ? null : printTriple({ runtime: report.agent.name, provider, model: model.join('/') }),
  }
}
