import { type Reason, REASON_TABLE } from '../../contract/reasons.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { Actor, TerminalState, Ticket, TicketState } from '../../gates/dispatch/index.ts'
import { ACCEPTANCE_GATE, close, holdsClaim, judgeItem, stale } from './acts.ts'
import { type Decision, done, type Outcome, type TicketBook } from './book.ts'
import type { Limits } from './endings.ts'

/** What a run came to, as its report says it: facts that Portcullis observed, not what an agent said. */
export interface RunResult {
  readonly runId: string
  readonly status: 'pass' | 'fail' | 'blocked'
  readonly reason: Reason | null
  readonly summary: string
  readonly found: string | null
  readonly remedy: string | null
  readonly profile: string
  readonly purpose: string
  /** Each acceptance item of the run, in its own words, with the evidence of the probes that speak for it. */
  readonly items: readonly { readonly text: string; readonly met: boolean; readonly evidence: readonly Digest[] }[]
  /** The verdicts of all gates. */
  readonly verdicts: readonly Digest[]
  readonly findings: readonly { readonly by: string; readonly text: string }[]
  readonly startedAt: string
  readonly endedAt: string
  readonly triple: string | null
}

/** What ended after work was done on it: the work is at fault, not the way to it, and that is counted apart (MC-042). */
const REJECTIONS: readonly Reason[] = ['review_failed', 'done_without_change', 'protected_changed', 'acceptance_unbound', 'not_better_than_baseline']
const isRejection = (reason: Reason): boolean => REJECTIONS.includes(reason) || reason.startsWith('delivery_') || reason.startsWith('probe_') || reason.startsWith('acceptance_')

/** Applies the end of a run to the ticket it was for. Only the claim under which it ran can: a zombie's result is refused. */
export async function applyRun(book: TicketBook, id: string, worker: Actor, epoch: number, limits: Limits, result: RunResult): Promise<Outcome<Ticket>> {
  const ended = await book.change(id, worker, (ticket): Decision => {
    if (!holdsClaim(ticket, worker, epoch) || ticket.state !== 'in_progress') return { refusal: stale(ticket, worker, epoch), details: { epoch: ticket.epoch } }
    return changeOf(ticket, limits, result)
  })
  if (!ended.ok || result.status !== 'pass') return ended
  return closeByRun(book, ended.value, result)
}

function changeOf(ticket: Ticket, limits: Limits, result: RunResult): Decision {
  const { reason } = result
  const rejected = reason !== null && result.status === 'fail' && isRejection(reason)
  const failures = ticket.dispatch_failures + (result.status === 'pass' || rejected || reason === 'review_waiting' || reason === 'interrupted' ? 0 : 1)
  const rejections = ticket.review_rejections + (rejected ? 1 : 0)
  const spent = failures >= limits.dispatch || rejections >= limits.review
  // What will be refused again until somebody changes something is not tried again by itself (MC-090).
  const hopeless = result.status === 'blocked' && reason !== null && REASON_TABLE[reason].retry === 'never'
  const state: TicketState = result.status === 'pass' ? 'done' : reason === 'review_waiting' ? 'review' : spent || hopeless ? 'blocked' : 'todo'
  const terminal: TerminalState = {
    contract: 1,
    status: result.status === 'pass' ? 'ok' : state === 'blocked' ? 'blocked' : 'failed',
    summary: result.summary.slice(0, 2_000),
    root_cause: reason === null ? null : `${reason}: ${result.found ?? result.summary}`.slice(0, 4_000),
    safe_retry: result.status === 'pass' ? 'not needed' : `the run worked on its own copy; the ticket is ${state}`,
    stop_condition: `after ${limits.dispatch} failed dispatches or ${limits.review} rejections the ticket is blocked for the operator`,
    human_input_required: state === 'blocked',
    next_actions: result.remedy === null ? [] : [result.remedy.slice(0, 1_000)],
    artifacts: [`ticket:${ticket.id}`, `run:${result.runId}`],
  }
  const durationMs = Math.max(0, Date.parse(result.endedAt) - Date.parse(result.startedAt))
  return {
    kind: result.status === 'blocked' && reason !== 'review_waiting' ? 'start_refused' : rejected ? 'rejected' : 'turn_ended',
    text: `${result.runId}: ${result.summary}`.slice(0, 20_000),
    data: { run: result.runId, status: result.status, reason, profile: result.profile, purpose: result.purpose, remedy: result.remedy, terminal },
    set: {
      state, terminal, reason: state === 'done' ? null : spent ? 'retry_limit_reached' : reason, claim: null, dispatch_failures: failures, review_rejections: rejections,
      findings: rejected ? (result.findings.length === 0 ? [{ by: 'acceptance', text: `${reason}: ${result.found ?? result.summary}`.slice(0, 4_000) }] : result.findings.slice(0, 100)) .map(({ by, text }) => ({ by, text: text.slice(0, 4_000) })) : ticket.findings,
      ...(result.status === 'pass' && ticket.phases !== null ? { phase: ticket.phases.length } : {}),
      runs: [...ticket.runs, result.runId],
      runtime: { state: 'closed', session: result.runId, profile: result.profile, triple: result.triple, cwd: null, mode: 'HEADLESS', started_at: result.startedAt, last_activity_at: result.endedAt, ended_at: result.endedAt, duration_ms: durationMs },
    },
  }
}

/** The gates of the run speak for the ticket, item by item. An item in other words than the run's has no verdict, and keeps it open. */
export async function closeByRun(book: TicketBook, ticket: Ticket, result: RunResult): Promise<Outcome<Ticket>> {
  const gate: Actor = { id: 'gate:acceptance', kind: 'gate', holder: result.runId }
  for (const item of ticket.acceptance) {
    const shown = result.items.find(({ text }) => text === item.text)
    // Judged already, by this run before its server ended.
    if (item.verdict !== null && item.reason?.startsWith(`${result.runId}: `) === true) continue
    if (shown === undefined || shown.evidence.length === 0) continue
    await judgeItem(book, ticket.id, gate, { item: item.id, verdict: shown.met ? 'pass' : 'fail', reason: `${result.runId}: ${shown.met ? 'met' : 'not met'}`, evidence: shown.evidence })
  }
  const closed = await close(book, ticket.id, gate, { gate: ACCEPTANCE_GATE, reason: `Every gate of ${result.runId} passed.`, evidence: result.verdicts, runs: [result.runId] })
  if (closed.ok) return closed
  // Finished and not closed is a state of its own: somebody must judge the items that no run speaks for.
  await book.change(ticket.id, gate, (now): Decision => (now.state === 'done' ? { kind: 'closing_refused', text: closed.refusal.found, data: { reason: closed.refusal.reason }, set: { reason: closed.refusal.reason } } : 'nothing'))
  return done(await book.get(ticket.id))
}
