import * as z from 'zod'
import type { Reason } from '../../contract/reasons.ts'
import { AdmissionWatches } from '../agents/watches.ts'
import { Course, type CourseWatcher } from '../course.ts'
import { isFinal, RunEvent, type RunSummary } from '../ledger.ts'
import { hostData, hostOf } from '../observations.ts'
import { NotBegun } from '../steps/choose-pair.ts'
import { type ChannelRequest, type ChannelStarter, SessionRefused, type WorkWatch } from '../tickets/channel.ts'
import { beginSession } from './begin-session.ts'
import { HeldSession } from './held-session.ts'
import { WatchedEvents } from './watched-events.ts'
import type { SessionHostParts, SessionWorld } from './world.ts'
import { Verdict } from '../../contract/verdict.ts'

const SILENT: CourseWatcher = { gateBegan: () => undefined, gateDecided: () => undefined }
const Opened = z.looseObject({ ticket: z.string(), session: z.string() })
const Started = z.looseObject({ pid: z.number(), start_ticks: z.number() })

/** A session that a server left, which is not there any more. */
export interface LeftSession {
  readonly ticket: string
  readonly session: string
}

/** Opens sessions through the gates, each in a run of its own, and holds them. One for a server. */
export class SessionHost implements ChannelStarter, WorkWatch {
  readonly #parts: SessionHostParts
  readonly #watches = new AdmissionWatches()
  readonly #held = new Map<string, HeldSession>()

  constructor(parts: SessionHostParts) {
    this.#parts = parts
  }

  /** The session of this id, if it is held here. */
  held(session: string): HeldSession | undefined {
    return this.#held.get(session)
  }

  /** Throws `SessionRefused` where a gate does not permit it; nothing of it runs then, and its run has ended. */
  async open(request: ChannelRequest): Promise<HeldSession> {
    const world = this.#parts.world()
    const place = this.#parts.place(request.project)
    const wire = await this.#parts.wire()
    const run = await world.ledger.begin({ kind: 'session', taskId: request.ticket, startedAt: world.clock() })
    const course = courseOf(world, run)
    const { ticket, session, epoch, profile, mode, repositories } = request
    await course.append({ events: [course.event('run_opened', { ticket, session, epoch, profile, purpose: place.purpose, mode, repositories: repositories.join(' '), ...hostData(world.host) })] })
    const directory = world.createDirectory(run.runId)
    const events = new WatchedEvents(world.clock, (state) => request.changed(state))
    let started = false
    try {
      const begun = await beginSession({ world, wire, watches: this.#watches, course, directory, place, completionUrl: this.#parts.completionUrl(), events, started: () => void (started = true) }, request)
      const held = new HeldSession({ world, course, directory, events, session, ticket, bySchema: place.bySchema, closed: () => void this.#held.delete(session) }, begun)
      this.#held.set(session, held)
      return held
    } catch (error) {
      directory.dropScratch()
      const reason = error instanceof NotBegun ? error.reason : 'agent_not_started'
      await endRun(world, course, started ? 'failed' : 'blocked', reason)
      if (!(error instanceof NotBegun)) throw error
      const refusal = error.refusal ?? { reason, message: 'The session did not begin.', asked: `a session of ${profile} for ${ticket}`, found: error.found, remedy: `See npx portcullis show ${run.runId}.` }
      throw new SessionRefused(refusal, run.runId, allowedFor(world, place.purpose))
    }
  }

  async changed(ticket: string): Promise<boolean | null> {
    const held = [...this.#held.values()].find((each) => each.ticket === ticket && each.state() !== 'closed')
    return held === undefined ? null : held.changed()
  }

  /** Ends what servers that are gone left behind: their processes first, then their runs. Gives the sessions that this ended. */
  async recover(): Promise<readonly LeftSession[]> {
    const world = this.#parts.world()
    const left: LeftSession[] = []
    for (const run of await world.ledger.list()) {
      if (run.kind !== 'session' || isFinal(run.state) || [...this.#held.values()].some((held) => held.run === run.runId)) continue
      const ended = await this.#endLeft(run)
      if (ended !== undefined) left.push(ended)
    }
    return left
  }

  async #endLeft(run: RunSummary): Promise<LeftSession | undefined> {
    const world = this.#parts.world()
    const history = await world.ledger.history(run.runId)
    const events = (history?.entries ?? []).flatMap(({ kind, body }) => (kind === 'event' ? [RunEvent.parse(JSON.parse(body))] : []))
    const verdicts = (history?.entries ?? []).flatMap(({ kind, body }) => (kind === 'verdict' ? [Verdict.parse(JSON.parse(body))] : []))
    const opening = events.find(({ type }) => type === 'run_opened')
    const host = hostOf(opening)
    // Another server that is alive holds it; whether that one still may is for leases to say.
    if (host !== undefined && world.isRunning(host) && !sameHost(host, world.host)) return undefined
    const started = Started.safeParse(events.find(({ type }) => type === 'process_started')?.data)
    if (started.success) await world.endLeftover(started.data.pid, started.data.start_ticks)
    const course = courseOf(world, run, verdicts.at(-1))
    await endRun(world, course, run.state === 'started' ? 'failed' : 'blocked', 'interrupted')
    const opened = Opened.safeParse(opening?.data)
    return opened.success ? { ticket: opened.data.ticket, session: opened.data.session } : undefined
  }
}

const courseOf = (world: SessionWorld, run: RunSummary, after?: Verdict): Course =>
  new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: SILENT, after })

const sameHost = (one: SessionWorld['host'], other: SessionWorld['host']): boolean => one.pid === other.pid && one.startTicks === other.startTicks && one.boot === other.boot

const endRun = (world: SessionWorld, course: Course, to: 'failed' | 'blocked', reason: Reason): Promise<void> =>
  course.append({ state: { to, reason, at: world.clock() }, events: [course.event('run_ended', { state: to, reason })] })

/** What may be used in its place: told, never chosen. */
const allowedFor = (world: SessionWorld, purpose: string): readonly string[] => Object.entries(world.configuration.profiles).flatMap(([name, profile]) => (profile.purposes.includes(purpose) ? [name] : []))
