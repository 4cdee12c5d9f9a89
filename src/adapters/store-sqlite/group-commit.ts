import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { runIdOf } from '../../contract/ids.ts'
import { isFinal, type LedgerWrite, rowsOf, type RunBeginning, type RunSummary } from '../../engine/index.ts'
import { AgentWrites } from './agent-writes.ts'
import { FenceWrites } from './fence-writes.ts'
import { ManyRows } from './many-rows.ts'
import type { SignedTree } from './signed-tree.ts'
import { TicketWrites } from './ticket-writes.ts'

interface Waiting {
  readonly write: LedgerWrite
  resolve(): void
  reject(error: unknown): void
}

/** How many writes one transaction takes at most: a wait for a longer one would be felt by the first. */
const MOST_WRITES = 64
/** How long heartbeats are gathered, so that thousands of agents cost a commit a few times a second, and not one each. */
const BEATS_MS = 200

interface Beats {
  readonly latest: Map<string, string>
  readonly written: Promise<void>
}

/**
 * Appends in groups: what was asked for while a group is written becomes the next one, in the same order, under one
 * commit. A write is acknowledged only after that commit, and one that the store refuses takes none of the others with it.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #exclusive: (act: () => void) => Promise<void>
  readonly #tree: SignedTree
  readonly #waiting: Waiting[] = []
  #writing = false
  #beats: Beats | undefined
  readonly #statements
  readonly #entries: ManyRows
  readonly #agents: AgentWrites
  readonly #tickets: TicketWrites
  readonly #fences: FenceWrites

  /** `exclusive` runs an act while nobody else has a transaction open on this connection. */
  constructor(database: DatabaseSync, tree: SignedTree, exclusive: (act: () => void) => Promise<void>) {
    this.#database = database
    this.#exclusive = exclusive
    this.#tree = tree
    this.#entries = new ManyRows(database, 'entry (position, run_id, kind, sequence, gate, outcome, digest, body)')
    this.#agents = new AgentWrites(database)
    this.#tickets = new TicketWrites(database)
    this.#fences = new FenceWrites(database)
    this.#statements = {
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      charge: database.prepare('INSERT INTO charge (profile, day, calls, tokens, cost_nano, unpriced) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, tokens = tokens + excluded.tokens, cost_nano = cost_nano + excluded.cost_nano, unpriced = unpriced + excluded.unpriced'),
      next: database.prepare('SELECT coalesce(max(number), 0) + 1 AS number FROM run'),
      open: database.prepare("INSERT INTO run (run_id, number, kind, task_id, state, reason, started_at, ended_at) VALUES (?, ?, ?, ?, 'open', NULL, ?, NULL)"),
      beat: database.prepare('UPDATE agent SET heartbeat_at = ? WHERE name = ?'),
      change: database.prepare('UPDATE run SET state = ?, reason = ?, ended_at = ? WHERE run_id = ?'),
    }
  }

  /** Resolves once the write is durable; rejects with SQLite's error if it is not, and then nothing of it is stored. */
  append(write: LedgerWrite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      if (this.#writing) return
      this.#writing = true
      // What else arrives in this turn of the event loop joins the group.
      setImmediate(() => void this.#writeAll().catch((error: unknown) => this.#rejectAll(error)))
    })
  }

  /** Opens a run under the next number. In one turn of the event loop, as every write here: other connections of this process would wait in vain for a longer one. */
  async begin({ kind, taskId, startedAt: at, fence }: RunBeginning): Promise<RunSummary> {
    let opened: RunSummary | undefined
    await this.#exclusive(() =>
      this.#unsigned(() => {
        const { number } = z.object({ number: z.int() }).parse(this.#statements.next.get())
        const startedAt = at.toISOString()
        const runId = runIdOf(at, taskId, number)
        this.#statements.open.run(runId, number, kind, taskId, startedAt)
        if (fence !== undefined) this.#fences.attempt(runId, fence)
        opened = { runId, number, kind, taskId, state: 'open', reason: null, startedAt, endedAt: null }
      }),
    )
    if (opened === undefined) throw new Error('no run was opened')
    return opened
  }

  /** Notes when an agent was last heard of. Resolves once that is durable, with those of all others that were heard of meanwhile; rejects with SQLite's error. */
  heartbeat(name: string, at: Date): Promise<void> {
    this.#beats ??= this.#gather()
    this.#beats.latest.set(name, at.toISOString())
    return this.#beats.written
  }

  /** Resolves once nothing is waiting to be written, however that ended: its own caller is told. */
  async settled(): Promise<void> {
    await this.#beats?.written.catch(() => undefined)
  }

  #gather(): Beats {
    const latest = new Map<string, string>()
    const gathered = new Promise<void>((resolve) => setTimeout(resolve, BEATS_MS))
    const written = gathered.then(() => {
      this.#beats = undefined
      return this.#exclusive(() => this.#unsigned(() => latest.forEach((at, name) => this.#statements.beat.run(at, name))))
    })
    return { latest, written }
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const group = this.#waiting.splice(0, MOST_WRITES)
        await this.#exclusive(() => this.#writeGroup(group)).catch((error: unknown) => {
          for (const { reject } of group) reject(error)
        })
      }
    } finally {
      this.#writing = false
    }
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #writeGroup(group: readonly Waiting[]): void {
    const refused = new Map<Waiting, unknown>()
    // Nearly always the store takes all of them; only if it does not is each tried by itself, so that one refused takes none of the others with it.
    if (!this.#tryAll(group)) {
      this.#inTransaction(endsRun(group), () => {
        for (const waiting of group) {
          const problem = this.#writeOne(waiting.write)
          if (problem !== undefined) refused.set(waiting, problem.error)
        }
      })
    }
    for (const waiting of group) {
      if (refused.has(waiting)) waiting.reject(refused.get(waiting))
      else waiting.resolve()
    }
  }

  /** True once all of a group is durable; false if the store refused one of them, and then nothing of any of them stays. */
  #tryAll(group: readonly Waiting[]): boolean {
    let writing = false
    try {
      this.#inTransaction(endsRun(group), () => {
        writing = true
        for (const { write } of group) this.#write(write)
        writing = false
      })
      return true
    } catch (error) {
      // A store that cannot begin or commit will not for each of them either, and a second try would only wait again.
      if (!writing || group.length === 1) throw error
      return false
    }
  }

  /** For what adds no row: there is no new head to sign. */
  #unsigned(act: () => void): void {
    this.#statements.begin.run()
    try {
      act()
      this.#statements.commit.run()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** `ends`: a run ends in it, so its head is kept. */
  #inTransaction(ends: boolean, act: () => void): void {
    this.#statements.begin.run()
    try {
      this.#tree.begin()
      act()
      this.#tree.sign(ends)
      this.#statements.commit.run()
    } catch (error) {
      this.#tree.forget()
      // A full disk may have ended the transaction already; what matters is that nothing of it stays.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #write(write: LedgerWrite): void {
    if (write.fence === undefined) this.#writeRows(write)
    else this.#fences.under(write.fence, () => this.#writeRows(write))
  }

  #writeRows(write: LedgerWrite): void {
    this.#entries.insert(
      rowsOf(write).map((row) => {
        const { kind, body, digest, verdict } = row
        const position = this.#tree.next
        this.#tree.add(write.runId, row)
        return [position, write.runId, kind, verdict?.sequence ?? null, verdict?.gate ?? null, verdict?.outcome ?? null, digest, body]
      }),
    )
    if (write.charge !== undefined) this.#charge(write.charge)
    if (write.birth !== undefined) this.#agents.birth(write.runId, write.birth)
    if (write.agent !== undefined) this.#agents.change(write.runId, write.agent)
    // Its event is the last row of the write.
    if (write.ticket !== undefined) this.#tickets.change(this.#tree.next - 1, write.ticket)
    if (write.state !== undefined) this.#change(write.runId, write.state)
  }

  #charge({ profile, day, calls, tokens, costUsd, unpriced }: NonNullable<LedgerWrite['charge']>): void {
    this.#statements.charge.run(profile, day, calls, tokens, Math.round(costUsd * 1e9), unpriced)
  }

  /** Why the store refused a write; then nothing of it stays. Throws if the whole transaction is lost. */
  #writeOne(write: LedgerWrite): { readonly error: unknown } | undefined {
    this.#database.exec('SAVEPOINT one')
    const before = this.#tree.mark()
    try {
      this.#write(write)
      this.#database.exec('RELEASE one')
      return undefined
    } catch (error) {
      if (!this.#database.isTransaction) throw error
      this.#database.exec('ROLLBACK TO one; RELEASE one')
      this.#tree.backTo(before)
      return { error }
    }
  }

  #change(runId: string, { to, reason, at }: NonNullable<LedgerWrite['state']>): void {
    const final = isFinal(to)
    const { changes } = this.#statements.change.run(to, reason, final ? at.toISOString() : null, runId)
    if (Number(changes) !== 1) throw new Error(`no run ${runId}`)
  }
}

const endsRun = (group: readonly Waiting[]): boolean => group.some(({ write }) => write.state !== undefined && isFinal(write.state.to))
