import type { Log } from '../adapters/log/index.ts'
import type { App } from '../app.ts'
import { PortcullisError } from '../contract/errors.ts'
import { milliseconds } from '../contract/units.ts'
import { applyRun, claim, closeByRun, isFinal, type Ledger, RETRY_LIMIT, type World } from '../engine/index.ts'
import { type Actor, PRIORITIES, type Ticket } from '../gates/dispatch/index.ts'
import { Report } from '../gates/report/index.ts'
import type { AppOptions } from './places.ts'
import { resultOf, runClaimed } from './ticket-work.ts'
import type { TicketDesk } from './tickets.ts'

/** Whose the claims of this server are: the process stands in the name, so that a later one knows which of them nobody holds any more. */
const workerOf = ({ pid, startTicks, boot }: World['host']): Actor => ({ id: `portcullis:worker:${pid}-${startTicks}-${boot.toLowerCase()}`, kind: 'service', holder: 'server' })
const WORKER = /^portcullis:worker:(\d+)-(\d+)-(.+)$/

const MOST_LOOKED_AT = 500
const SILENT = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }

interface Parts {
  readonly options: AppOptions
  readonly app: App
  readonly desk: TicketDesk
  readonly world: Pick<World, 'host' | 'isRunning'>
  readonly ledger: Ledger
  readonly log: Log
}

/**
 * Works on the tickets whose phases say what to do: takes up the most urgent that waits in a phase of an agent, takes its task
 * through every gate, and applies what the run came to. What waits for a person or for a session is left alone.
 */
export class WorkDesk {
  readonly #parts: Parts
  readonly #me: Actor
  readonly #ending = new AbortController()
  #recovered = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#me = workerOf(parts.world.host)
  }

  /** Begins nothing more, and cancels what it has begun. */
  end(): void {
    this.#ending.abort()
  }

  /** One ticket, from its claim to the end of its run. */
  async sweep(): Promise<void> {
    const { desk } = this.#parts
    if (this.#ending.signal.aborted || desk.settings().pickUp === undefined) return
    if (!this.#recovered) await this.#recover()
    this.#recovered = true
    const next = await this.#next()
    if (next !== undefined) await this.#work(next.ticket, next.task)
  }

  /** The most urgent ticket whose phase is an agent's, the oldest of them first. */
  async #next(): Promise<{ readonly ticket: Ticket; readonly task: string } | undefined> {
    const { desk, options } = this.#parts
    const waiting = await desk.book.store.list({ state: 'todo', project: undefined, owner: undefined, before: undefined, limit: MOST_LOOKED_AT })
    const now = options.clock().getTime()
    return waiting
      .filter(({ retry_at: retryAt }) => retryAt === null || Date.parse(retryAt) <= now)
      .toSorted((one, other) => PRIORITIES.indexOf(other.priority) - PRIORITIES.indexOf(one.priority) || one.number - other.number)
      .flatMap((ticket) => {
        const task = this.#taskOf(ticket)
        return task === undefined ? [] : [{ ticket, task }]
      })[0]
  }

  #taskOf({ phases, phase }: Ticket): string | undefined {
    const name = phases?.[phase]
    const settings = this.#parts.desk.settings().phases ?? {}
    const found = name !== undefined && Object.hasOwn(settings, name) ? settings[name] : undefined
    return found?.kind === 'agent' ? found.task : undefined
  }

  async #work(ticket: Ticket, task: string): Promise<void> {
    const { desk, app, options, log } = this.#parts
    const span = desk.settings().claim
    if (span === undefined) return log.error({ part: 'tickets' }, 'nothing is picked up: tickets: claim: says for how long')
    const leaseMs = milliseconds(span)
    const claimed = await claim(desk.book, ticket.id, this.#me, leaseMs)
    // Somebody was faster.
    if (!claimed.ok) return
    const held = { task, lease: span, options, worker: this.#me, leaseMs, ticket: claimed.value, cancelled: this.#ending.signal }
    try {
      await runClaimed(app, desk, held, SILENT)
    } catch (error) {
      if (!(error instanceof PortcullisError)) throw error
      return this.#block(ticket, error)
    }
  }

  /** What cannot be begun would fail again at once, so a person looks. */
  async #block({ id }: Ticket, { code, message }: PortcullisError): Promise<void> {
    const { desk, log } = this.#parts
    log.error({ part: 'tickets', ticket: id, fault: code }, 'the task of a ticket could not be run')
    await desk.book.change(id, this.#me, ({ claim: now }) => (now?.holder === this.#me.id ? { kind: 'start_refused', text: `${code}: ${message}`.slice(0, 20_000), data: { reason: code }, set: { state: 'blocked', reason: code, claim: null } } : 'nothing'))
  }

  /** What a server that is gone had taken up: a run that had ended is applied, one that can be taken up goes on, and every other begins again. */
  async #recover(): Promise<void> {
    const { desk } = this.#parts
    for (const ticket of await desk.book.store.list({ state: 'in_progress', project: undefined, owner: undefined, before: undefined, limit: MOST_LOOKED_AT })) {
      if (this.#isAbandoned(ticket)) await this.#takeUp(ticket)
    }
    for (const ticket of await desk.book.store.list({ state: 'done', project: undefined, owner: undefined, before: undefined, limit: MOST_LOOKED_AT })) await this.#closeLeft(ticket)
  }

  /** Finished by a run of ours, and its server ended before the gate had closed it. One that the gate refused to close says why, and is left to people. */
  async #closeLeft(ticket: Ticket): Promise<void> {
    const last = ticket.runs.at(-1)
    if (last === undefined || ticket.reason !== null || ticket.runtime.session !== last) return
    const answer = await this.#parts.app.report(last, { write: false })
    const report = answer.ok ? Report.parse(JSON.parse(answer.json)) : undefined
    if (report?.status === 'pass') await closeByRun(this.#parts.desk.book, ticket, resultOf(report))
  }

  #isAbandoned({ claim: held }: Ticket): boolean {
    const [, pid, startTicks, boot] = WORKER.exec(held?.holder ?? '') ?? []
    return pid !== undefined && boot !== undefined && held?.holder !== this.#me.id && !this.#parts.world.isRunning({ pid: Number(pid), startTicks: Number(startTicks), boot })
  }

  async #takeUp(ticket: Ticket): Promise<void> {
    const { desk, log } = this.#parts
    const worker: Actor = { id: ticket.claim?.holder ?? this.#me.id, kind: 'service', holder: 'server' }
    const report = await this.#reportOf(ticket)
    if (report !== undefined && report.reason !== 'interrupted') {
      const { dispatch = RETRY_LIMIT, review = RETRY_LIMIT } = desk.settings().limits ?? {}
      const applied = await applyRun(desk.book, ticket.id, worker, ticket.claim?.epoch ?? 0, { dispatch, review }, resultOf(report))
      log.info({ part: 'tickets', ticket: ticket.id, run: report.run_id, applied: applied.ok }, 'the run of an earlier server was applied')
      return
    }
    // The server is at fault, not the ticket: nothing is counted, and whatever the run had begun counts for nothing.
    await desk.book.change(ticket.id, this.#me, (now) => {
      if (now.claim?.holder !== worker.id) return 'nothing'
      const at = this.#parts.options.clock()
      const { runtime } = now
      const ended = runtime.ended_at === null && runtime.started_at !== null ? { ...runtime, state: 'closed' as const, ended_at: at.toISOString(), duration_ms: Math.max(0, at.getTime() - Date.parse(runtime.started_at)) } : runtime
      return { kind: 'released', text: 'supervisor_restart: the server ended while the ticket was worked on.', data: { holder: worker.id, epoch: now.claim.epoch, run: runtime.session }, set: { state: 'todo', reason: 'supervisor_restart', claim: null, runtime: ended } }
    })
  }

  /** What the run of a ticket came to, if it can come to anything: told again, or taken up from where its evidence ends. */
  async #reportOf({ runtime, runs }: Ticket): Promise<Report | undefined> {
    const { ledger, app } = this.#parts
    const runId = runtime.session
    const run = runId === null || runs.includes(runId) ? undefined : (await ledger.history(runId))?.run
    if (run?.kind !== 'task') return undefined
    if (isFinal(run.state)) {
      const answer = await app.report(run.runId, { write: false })
      return answer.ok ? Report.parse(JSON.parse(answer.json)) : undefined
    }
    try {
      return (await app.resume(run.runId, { cancelled: this.#ending.signal }, SILENT)).report
    } catch (error) {
      if (error instanceof PortcullisError) return undefined
      throw error
    }
  }
}
