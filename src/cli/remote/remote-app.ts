import { relative } from 'node:path'
import * as z from 'zod'
import type { App, ProbeAnswer, ProbedProfile, ProbeRequest, ReportAnswer, ResolveAnswer, ResumeAnswer, ResumeRequest, RunAnswer, RunRequest, RunSummary, RunWatcher } from '../../app.ts'
import { CallShape, PROBLEM_CODES, ProbedShape, renderCtrf, renderJunit, Report, RunSummary as RunShape } from '../../app/shapes.ts'
import type { VerifyAnswer, VerifyRequest } from '../../app/verify.ts'
import type { SeenCall } from '../../app/wire.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { RunId } from '../../contract/ids.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { Verdict } from '../../contract/verdict.ts'
import type { QueueCommands } from '../../app/run-queue.ts'
import type { TicketCommands } from '../../app/ticket-commands.ts'
import type { ServerClient } from './client.ts'
import { RemoteAgents } from './remote-agents.ts'
import { remoteQueue } from './remote-queue.ts'
import { remoteTickets } from './remote-tickets.ts'

const Page = z.looseObject({ runs: z.array(RunShape), next: z.string().nullable() })
const Problems = z.array(z.strictObject({ code: z.enum(PROBLEM_CODES), where: z.string(), found: z.string() }))
const Verification = z.object({ what: z.literal('run'), run_id: z.string(), state: z.string().nullable(), accepted: z.boolean(), runs: z.int(), rows: z.int(), verdicts: z.int(), files: z.int(), checkpoint: z.object({ size: z.int(), at: z.string() }).nullable(), problems: Problems, remedy: z.string(), exit_code: z.int() })
const Resolution = z.looseObject({ triple: z.string(), details: z.array(z.tuple([z.string(), z.string()])), resolution: z.unknown() })
const Probes = z.looseObject({ exit_code: z.int(), probes: z.array(ProbedShape) })
const Calls = z.looseObject({ calls: z.array(z.looseObject({ run_id: z.string() })), next: z.string().nullable(), last: z.string() })
const View = z.looseObject({ run: RunShape, running: z.boolean(), ending: z.looseObject({ exit_code: z.int(), report_path: z.string(), patch: z.string().nullable() }).nullable() })
const Opened = z.object({ data: z.object({ profile: z.string(), purpose: z.string() }) })
const Started = z.looseObject({ run_id: z.string() })
const TakenUp = z.looseObject({ run_id: z.string(), resumed: z.boolean() })
const Told = z.looseObject({ run_id: z.string() })

const LOOK_MS = 100
const FOLLOW_MS = 250
const CARRIED_MS = 1_000

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The same questions and acts as the app of this machine, asked of a server. */
export class RemoteApp implements App {
  readonly #client: ServerClient
  readonly #cwd: string
  readonly agents: RemoteAgents

  constructor(client: ServerClient, cwd: string) {
    this.#client = client
    this.#cwd = cwd
    this.agents = new RemoteAgents(client)
  }

  tickets(): TicketCommands {
    return remoteTickets(this.#client)
  }

  queue(): QueueCommands {
    return remoteQueue(this.#client)
  }

  async resolve(asked: { readonly profile: string; readonly purpose: string }): Promise<ResolveAnswer> {
    const answer = await this.#client.ask(Resolution, `/profiles/${encodeURIComponent(asked.profile)}/resolution?purpose=${encodeURIComponent(asked.purpose)}`)
    if (!answer.ok) return { ok: false, exitCode: exitCodeOf(answer.refusal.reason, false), refusal: answer.refusal, value: { allowed: false, ...answer.refusal } }
    const { triple, details, resolution } = answer.value
    return { ok: true, exitCode: 0, triple, details, value: resolution }
  }

  async runs(): Promise<readonly RunSummary[]> {
    const runs: RunSummary[] = []
    for (let query = ''; ; ) {
      const page = await this.#client.must(Page, `/runs?limit=500${query}`)
      runs.push(...page.runs)
      if (page.next === null) return runs
      query = `&cursor=${page.next}`
    }
  }

  async verify({ what, keys, anchors, anchorNotes, rowsOnly, accepted }: VerifyRequest): Promise<VerifyAnswer> {
    if (what === undefined || !RunId.safeParse(what).success || [keys, anchors, anchorNotes].some(({ length }) => length > 0) || rowsOnly) {
      throw new PortcullisError('usage', { asked: 'the verification of one run by a server, as it keeps it', found: 'a file, a whole ledger, or keys and anchors of this machine', remedy: 'Take the bundle (GET /runs/<run>/bundle) and verify it here, without --server.' })
    }
    const { run_id: runId, exit_code: exitCode, ...found } = await this.#client.must(Verification, `/runs/${what}/verification${accepted ? '?accepted=true' : ''}`)
    return { ...found, runId, exitCode }
  }

  async report(runId: string, { write }: { readonly write: boolean }): Promise<ReportAnswer> {
    if (write) throw new PortcullisError('usage', { asked: 'the report written into the directory of its run', found: '--server', remedy: 'Run the command where the server runs, without --server.' })
    const forms: string[] = []
    for (const form of ['report', 'report.md', 'trace']) {
      const answer = await this.#client.bytes(`/runs/${encodeURIComponent(runId)}/${form}`)
      if (!answer.ok) return { ok: false, refusal: answer.refusal, exitCode: exitCodeOf(answer.refusal.reason, false) }
      forms.push(answer.value)
    }
    const [json = '', markdown = '', trace = ''] = forms
    const read = Report.parse(JSON.parse(json))
    return { ok: true, json, markdown, trace, junit: renderJunit(read), ctrf: renderCtrf(read), exitCode: 0 }
  }

  async probe({ profiles, cancelled }: ProbeRequest, probed: (record: ProbedProfile) => void): Promise<ProbeAnswer> {
    const { probes, exit_code: exitCode } = await this.#client.must(Probes, '/probes', { profiles }, cancelled)
    for (const record of probes) probed(record)
    return { records: probes, exitCode }
  }

  async readCalls(asked: { readonly runId: string | undefined; readonly follow: boolean; readonly ended: AbortSignal; seen(call: SeenCall): void }): Promise<void> {
    const run = asked.runId === undefined ? '' : `&run=${encodeURIComponent(asked.runId)}`
    for (let cursor = '0'; ; ) {
      const page = await this.#client.must(Calls, `/calls?limit=500&cursor=${cursor}${run}`)
      for (const { run_id: runId, ...call } of page.calls) asked.seen({ runId, call: CallShape.parse(call) })
      cursor = page.last
      if (page.next !== null) continue
      if (!asked.follow || asked.ended.aborted) return
      await pause(FOLLOW_MS)
    }
  }

  async run(request: RunRequest, watcher: RunWatcher): Promise<RunAnswer> {
    return this.#follow(request.cancelled, watcher, async () => {
      const { run_id: runId } = await this.#client.must(Started, '/runs', {
        task: request.task,
        ...Object.fromEntries(Object.entries({ profile: request.profile, purpose: request.purpose, backend: request.backend, admission: request.admissionFile }).filter(([, value]) => value !== undefined)),
      })
      return { runId, goesOn: true }
    })
  }

  async resume(runId: string, { cancelled }: ResumeRequest, watcher: RunWatcher): Promise<ResumeAnswer> {
    let resumed = false
    const answer = await this.#follow(cancelled, watcher, async () => {
      const taken = await this.#client.must(TakenUp, `/runs/${encodeURIComponent(runId)}/resume`, {})
      resumed = taken.resumed
      if (resumed) watcher.note('taken up by the server')
      return { runId, goesOn: resumed }
    })
    return { ...answer, resumed }
  }

  async #follow(cancelled: AbortSignal, watcher: RunWatcher, begin: () => Promise<{ readonly runId: string; readonly goesOn: boolean }>): Promise<RunAnswer> {
    const left = new AbortController()
    // Opened first, so that no verdict is missed.
    const events = await this.#client.events('/events', left.signal)
    try {
      const { runId, goesOn } = await begin()
      const cancel = (): void => void this.#client.must(z.unknown(), `/runs/${runId}/cancel`, {}).catch(watcher.note.bind(watcher, 'the server did not cancel it'))
      if (cancelled.aborted) cancel()
      else cancelled.addEventListener('abort', cancel, { once: true })
      if (goesOn) await Promise.race([this.#watch(runId, events, watcher), this.#carried(runId, left.signal)])
      return await this.#ending(runId)
    } finally {
      left.abort()
    }
  }

  async #watch(runId: string, events: AsyncGenerator<{ readonly event: string; readonly data: unknown }>, watcher: RunWatcher): Promise<void> {
    let since = performance.now()
    for await (const { event, data } of events) {
      if (Told.safeParse(data).data?.run_id !== runId) continue
      if (event === 'run_opened') {
        const { run } = await this.#client.must(View, `/runs/${runId}`)
        const { data: opened } = z.object({ event: Opened }).parse(data).event
        watcher.opened({ runId, taskId: run.taskId, ...opened })
      } else if (event === 'verdict') {
        const { verdict } = z.object({ verdict: Verdict }).parse(data)
        const now = performance.now()
        watcher.gateDecided({ gate: verdict.gate, outcome: verdict.outcome, reason: verdict.outcome === 'pass' ? null : verdict.reason, message: verdict.message }, now - since)
        since = now
      } else if (event === 'run_ended' || event === 'run_parked') return
    }
  }

  /** Resolves when the server does not carry the run any more: one that a fault ended there has no last event to wait for. */
  async #carried(runId: string, left: AbortSignal): Promise<void> {
    for (;;) {
      await pause(CARRIED_MS)
      if (left.aborted || !(await this.#client.must(View, `/runs/${encodeURIComponent(runId)}`)).running) return
    }
  }

  async #ending(runId: string): Promise<RunAnswer> {
    for (;;) {
      const { running, ending } = await this.#client.must(View, `/runs/${runId}`)
      const report = running || ending === null ? undefined : await this.#client.bytes(`/runs/${runId}/report`)
      if (report?.ok === true && ending !== null) {
        const patch = ending.patch === null ? null : relative(this.#cwd, ending.patch)
        return { report: Report.parse(JSON.parse(report.value)), json: report.value, exitCode: ending.exit_code, reportPath: relative(this.#cwd, ending.report_path), patch }
      }
      if (!running) throw new PortcullisError('server_unreachable', { asked: `how run ${runId} ended`, found: 'a server that does not know any more', remedy: `See npx portcullis report ${runId} there.` })
      await pause(LOOK_MS)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
