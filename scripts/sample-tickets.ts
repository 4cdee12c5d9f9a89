/**
 * Tickets in every state, each with the history that leads there, written through the book as any other change: what a
 * console has to show. The first is the one of a real incident: a message that met a busy session, whose echo was taken for
 * a question. Used by the demonstration, the benchmark and the tests of the console.
 */
import { sha256 } from '../src/contract/canonical.ts'
import { attach, claim, closeTicket, comment, judgeItem, move, type Outcome, reviewReady, type TicketBook, type TicketChange, type TicketDraft } from '../src/engine/index.ts'
import type { SecretScanner } from '../src/gates/report/index.ts'
import { type Actor, NO_RUNTIME, type Ticket, TicketSession } from '../src/gates/dispatch/index.ts'

/** These texts are our own, so there is nothing to search them for. */
export const NO_SECRETS: SecretScanner = { scan: () => [], rules: 'none', knownValues: () => 0, know: () => undefined, open: () => ({ write: () => undefined, end: () => [] }), redact: (text) => text }

const HUMAN: Actor = { id: 'elmar', kind: 'human', holder: 'local' }
const AGENT: Actor = { id: 'luci', kind: 'agent', holder: 'session' }
const SERVICE: Actor = { id: 'dispatcher', kind: 'service', holder: 'tok_000000000000d15b' }
const LEASE_MS = 3_600_000
const DAY_MS = 86_400_000
const TRIPLE = 'luci · claude/anthropic/opus[1m]'

const draft = (title: string, more: Partial<TicketDraft> = {}): TicketDraft => ({
  title, description: '', priority: 'medium', project: 'mission-control', kind: 'code', labels: [], source: null, repositories: [],
  acceptance: [{ id: 1, text: 'The tests of the repository pass, and fail without the change.' }], ...more,
})

function must(outcome: Outcome<Ticket>): Ticket {
  if (outcome.ok) return outcome.value
  throw new Error(`${outcome.refusal.reason}: ${outcome.refusal.found}`)
}

export interface Samples { readonly incident: string; readonly running: string; readonly question: string; readonly blocked: string; readonly review: string; readonly todo: string; readonly triage: string; readonly done: string; readonly declined: string; readonly mirrored: string }

class Sampler {
  readonly #book: TicketBook

  constructor(book: TicketBook) {
    this.#book = book
  }

  async create(about: TicketDraft): Promise<string> {
    return (await this.#book.create(about, HUMAN)).id
  }

  async change(id: string, actor: Actor, decide: (ticket: Ticket) => TicketChange): Promise<void> {
    must(await this.#book.change(id, actor, decide))
  }

  async triaged(id: string): Promise<void> {
    const decision = { agent: 'luci', confidence: 0.95, skill: 'code changes, bug fixes, new features', reason: 'The ticket asks for changes to the profile and model alias layers.', assigned: true }
    await this.change(id, SERVICE, () => ({ kind: 'triaged', text: `auto-triage: assigned to luci (confidence 0.95); moved to todo for pick-up. ${decision.reason}`, data: decision, set: { state: 'todo', owner: 'luci', triage: decision } }))
  }

  /** Claimed, with a session of its own. */
  async working(id: string, state: 'running' | 'needs_input' | 'ready' = 'running'): Promise<TicketSession> {
    const ticket = must(await claim(this.#book, id, AGENT, LEASE_MS))
    const at = this.#book.now().toISOString()
    const session = TicketSession.parse({ id: `session-${id}-${ticket.epoch}`, ticket: id, epoch: ticket.epoch, state, profile: 'claude_opus_1m_medium', triple: TRIPLE, cwd: '/home/luci/workspace/PKA', mode: 'INTERACTIVE', pid: 4242, worker: 'luci', token_sha256: sha256(`${id} ${ticket.epoch} ${at}`), started_at: at, last_activity_at: at, ended_at: null, start_tokens: 12_480, run: null })
    await this.change(id, SERVICE, () => ({ kind: 'session_opened', text: `Session of ${TRIPLE}.`, sessions: [session], set: { runtime: { ...NO_RUNTIME, state, session: session.id, profile: session.profile, triple: TRIPLE, cwd: session.cwd, mode: 'INTERACTIVE', started_at: at, last_activity_at: at } } }))
    return session
  }

  /** The session ends, and the ticket stands as its last turn left it. */
  async ended(id: string, session: TicketSession, to: 'done' | 'question' | 'blocked' | 'review' | 'todo', record: { readonly status: 'ok' | 'warning' | 'failed' | 'blocked'; readonly summary: string; readonly rootCause: string | null; readonly next: readonly string[] }, reason: string | null = null): Promise<void> {
    const at = this.#book.now().toISOString()
    const closed = to !== 'question'
    await this.change(id, SERVICE, (ticket) => ({
      kind: 'turn_ended', text: record.summary, data: { end: record.status },
      ...(closed ? { sessions: [{ ...session, state: 'closed', ended_at: at }] } : {}),
      set: {
        state: to, reason, claim: null, retry_at: null,
        runtime: closed ? { ...ticket.runtime, state: 'closed', ended_at: at, last_activity_at: at, duration_ms: Math.max(0, Date.parse(at) - Date.parse(session.started_at)) } : { ...ticket.runtime, state: 'needs_input', last_activity_at: at },
        dispatch_failures: ticket.dispatch_failures + (record.status === 'warning' ? 1 : 0),
        terminal: { contract: 1, status: record.status, summary: record.summary, root_cause: record.rootCause, safe_retry: to === 'todo' ? 'The message is pending again, and the ticket is todo again.' : 'Nothing is to be tried again.', stop_condition: 'After 3 failed dispatches the ticket is blocked for the operator.', human_input_required: to === 'question' || to === 'blocked', next_actions: [...record.next], artifacts: [`ticket:${id}`] },
      },
    }))
  }
}

const BUSY = 'HTTP 409 CONFLICT: Ticket runtime is not ready for input (status=running). Wait for the current turn to finish, or explicitly interrupt or restart the runtime.'

/** The ticket of the incident, up to its close: refused twice, triaged back, worked anew, judged and closed with evidence. */
async function incident(book: TicketBook, sampler: Sampler): Promise<string> {
  const id = await sampler.create(draft('Provider profile health-probe + stable model alias layer', {
    description: 'Finding (Codex): resolve_runtime_profile() does not enforce purpose scope beyond dispatch_policy. A direct call with the wrong purpose goes unchecked.\n\n1. Add a health probe for each named profile.\n2. Add a stable model alias layer.\n3. Enforce purpose scope inside resolve_runtime_profile().',
    source: { reference: 'FINAL-ASSESSMENT.md Item #9', key: 'MC-4458', url: null }, labels: ['code', 'runtime'], repositories: ['../workspace'],
    acceptance: [{ id: 1, text: 'A health probe for each named profile' }, { id: 2, text: 'A stable model alias layer' }, { id: 3, text: 'Purpose scope enforced inside resolve_runtime_profile()' }],
  }))
  await sampler.triaged(id)
  const first = await sampler.working(id)
  for (const attempt of [1, 2]) await sampler.change(id, SERVICE, () => ({ kind: 'message_refused', text: `[failed_to_inject] runtime_busy: ${BUSY} This message was not sent.`, data: { code: 'runtime_busy', observed: 'running', attempt, ways_out: ['wait', 'interrupt', 'restart'] } }))
  await sampler.ended(id, first, 'todo', { status: 'warning', summary: 'Ticket runtime send failed; parked for automatic recovery.', rootCause: BUSY, next: ['Pick-up retries the pending message in a fresh runtime.'] }, 'failed_to_inject')
  must(await comment(book, id, HUMAN, 'The parked question is the echo of our own prompt: two sends met a running turn. No decision is pending. Back to todo for one clean session.'))
  const second = await sampler.working(id)
  await sampler.ended(id, second, 'done', { status: 'ok', summary: 'Purpose scope enforced, alias layer and health probe added; 30 tests pass.', rootCause: null, next: [] })
  must(await reviewReady(book, id, HUMAN, undefined))
  await sampler.change(id, { id: 'shadow-reviewer', kind: 'reviewer', holder: 'review' }, () => ({ kind: 'commented', text: 'ABSTAIN: the change spans two repositories, and its diff is not resolvable in one of them. An abstention closes nothing.', origin: 'mirrored' }))
  const proof = Buffer.from('test_mc4458_runtime_safety.py: 16 passed\nmission-control 813291a and workspace cc2ab7a1 are on origin/master\n')
  const digest = sha256(proof)
  must(await attach(book, id, HUMAN, { name: 'git-truth.txt', mediaType: 'text/plain', sha256: digest, bytes: proof }))
  for (const item of [1, 2, 3]) must(await judgeItem(book, id, HUMAN, { item, verdict: 'pass', reason: 'verified in both repositories', evidence: [digest] }))
  must(await closeTicket(book, id, HUMAN, { gate: 'operator', reason: 'VERIFIED: both halves are on origin/master, every item has its evidence.', evidence: [digest], runs: [] }))
  return id
}

/** At least one ticket in each state. */
export async function sampleTickets(book: TicketBook): Promise<Samples> {
  const sampler = new Sampler(book)
  const first = await incident(book, sampler)
  const ready = async (title: string, more: Partial<TicketDraft> = {}): Promise<string> => {
    const id = await sampler.create(draft(title, more))
    await sampler.triaged(id)
    return id
  }
  const done = await ready('Retry a broken upload from the last whole part', { priority: 'high' })
  await sampler.ended(done, await sampler.working(done), 'done', { status: 'ok', summary: 'Uploads go on from the last acknowledged part; 12 tests pass.', rootCause: null, next: [] })
  const blocked = await ready('Rotate the signing key without a restart', { priority: 'urgent' })
  await sampler.ended(blocked, await sampler.working(blocked), 'blocked', { status: 'blocked', summary: 'Three dispatches failed; nothing more is tried.', rootCause: BUSY, next: ['Look at the runtime, then move the ticket to todo.'] }, 'retry_limit_reached')
  const question = await ready('Which currency do invoices of 2019 have?', { kind: 'research', priority: 'high', project: 'billing' })
  await sampler.ended(question, await sampler.working(question), 'question', { status: 'blocked', summary: 'Invoices before 2020-03 name no currency. Should they count as EUR, or be left out?', rootCause: null, next: ['Answer the question.'] })
  const review = await ready('Paginate the audit log', { project: 'billing' })
  await sampler.ended(review, await sampler.working(review), 'review', { status: 'ok', summary: 'Said REVIEW without a signal; a person must look.', rootCause: null, next: ['Review the change.'] }, 'no_signal')
  const running = await ready('Stop the importer from reading a file twice', { priority: 'high', labels: ['importer'] })
  await sampler.working(running)
  const retry = await ready('Send reminders in the time zone of the customer')
  await sampler.change(retry, SERVICE, () => ({ kind: 'session_changed', text: 'Tried again later.', set: { retry_at: new Date(book.now().getTime() + DAY_MS).toISOString(), reason: 'delivery_unknown', dispatch_failures: 1 } }))
  const todo = await ready('Name the tenant in every log line', { priority: 'low' })
  const triage = await sampler.create(draft('The dashboard is slow on Mondays', { priority: 'low', acceptance: [] }))
  const declined = await sampler.create(draft('Support Internet Explorer', { priority: 'low' }))
  must(await move(book, declined, HUMAN, { to: 'closed', reason: 'nobody uses it any more' }))
  const mirrored = (await book.create(draft('Crash at start on an empty configuration', { source: { reference: 'github:acme/shop#12', key: '#12', url: 'https://github.com/acme/shop/issues/12' }, project: 'shop' }), { id: 'octo', kind: 'human', holder: 'local' }, 'mirrored')).id
  must(await comment(book, mirrored, { id: 'hermes', kind: 'service', holder: 'tok_0000000000004e3e' }, 'Hermes says: reproduced on the staging host.', 'mirrored'))
  return { incident: first, running, question, blocked, review, todo, triage, done, declined, mirrored }
}
