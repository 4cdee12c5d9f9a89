import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { canonicalJson } from '../contract/canonical.ts'
import type { Clock } from '../contract/clock.ts'
import { Digest } from '../contract/verdict.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import type { AccessStore } from './access.ts'
import { refuseSecretsIn } from './course.ts'
import { type Ledger, RunEvent } from './ledger.ts'

/** What a person may do by a server that cannot be taken back, or that somebody will ask about. */
export const PERSON_ACTS = ['cancel_run', 'revoke_token', 'start_agent', 'restart_agent', 'wake_agent', 'stop_agent', 'drain_agent', 'run_drill', 'approve_render'] as const

/** Who did what to which object, and why. `reason` is null where a program asked for it and gave none; the console asks for one each time. */
export const PersonAct = z.strictObject({
  act: z.enum(PERSON_ACTS),
  object: z.string().min(1).max(300),
  reason: z.string().min(1).max(2_000).nullable(),
  actor: z.string().min(1).max(200).describe('The name of the holder.'),
  kind: z.string().min(1).max(40).describe('Of the token.'),
  holder: z.string().min(1).max(200).describe('The id of the token that was shown.'),
})
export type PersonAct = Readonly<z.infer<typeof PersonAct>>

/** What came of an act: carried out or begun, refused, or cut off by a fault; `code` says by which reason. */
export const ActOutcome = z.strictObject({ outcome: z.enum(['done', 'refused', 'failed']), code: z.string().min(1).max(100).nullable() })
export type ActOutcome = Readonly<z.infer<typeof ActOutcome>>

export const StoredAct = PersonAct.extend({
  position: z.int(),
  at: z.iso.datetime(),
  outcome: ActOutcome.extend({ at: z.iso.datetime() }).nullable().describe('What came of it; null where nobody knows: it goes on, or its server ended first.'),
})
export type StoredAct = Readonly<z.infer<typeof StoredAct>>

/** The id ties an outcome to its act. */
const ActRow = PersonAct.extend({ id: z.uuid().optional() })
const OutcomeRow = ActOutcome.extend({ id: z.uuid() })
/** What a check of the whole server found, by the digest of its file. */
const CheckRow = z.strictObject({ check: z.string().min(1).max(40), sha256: Digest })

/** Outcomes of other acts that may stand before the last one that is looked for. */
const OTHER_OUTCOMES = 500

interface ActParts {
  readonly ledger: Pick<Ledger, 'append' | 'begin' | 'list'>
  readonly store: Pick<AccessStore, 'actRows'>
  readonly clock: Clock
  readonly scanner: Pick<SecretScanner, 'scan'>
}

/** The book of acts: each is a row of the chain, durable before anything follows from it. What came of it is a row of its own. */
export class ActBook {
  readonly #parts: ActParts
  #run: Promise<string> | undefined

  constructor(parts: ActParts) {
    this.#parts = parts
  }

  /** Durable when it resolves, to the id by which its outcome is told. Throws `secret_withheld` for a reason that holds a credential, and `store_*`; then nothing was done. */
  async record(act: PersonAct): Promise<string> {
    const data = PersonAct.parse(act)
    const id = randomUUID()
    await this.#append('person_acted', { id, ...data })
    return id
  }

  /** What came of an act. */
  async ended(id: string, outcome: ActOutcome): Promise<void> {
    await this.#append('act_ended', OutcomeRow.parse({ id, ...outcome }))
  }

  /** That a check found what stands in a file of this digest: whoever changes the file cannot change this row with it. */
  async checked(check: string, sha256: Digest): Promise<void> {
    await this.#append('check_ended', CheckRow.parse({ check, sha256 }))
  }

  /** The digest of what a check found last; undefined if it never ended here. */
  async lastChecked(check: string): Promise<Digest | undefined> {
    for (let before = Number.MAX_SAFE_INTEGER; ;) {
      const rows = await this.#parts.store.actRows({ type: 'check_ended', order: 'newest', beyond: before, most: OTHER_OUTCOMES })
      const found = rows.map(({ body }) => CheckRow.parse(RunEvent.parse(JSON.parse(body)).data)).find((row) => row.check === check)
      const last = rows.at(-1)
      if (found !== undefined || last === undefined) return found?.sha256
      before = last.position
    }
  }

  /** The acts before a position, newest first, with what came of each; `next` is null where there are no more. */
  async page({ before, most }: { readonly before: number | undefined; readonly most: number }): Promise<{ readonly acts: readonly StoredAct[]; readonly next: number | null }> {
    const rows = await this.#parts.store.actRows({ type: 'person_acted', order: 'newest', beyond: before ?? Number.MAX_SAFE_INTEGER, most: most + 1 })
    const shown = rows.slice(0, most)
    const oldest = shown.at(-1)
    if (oldest === undefined) return { acts: [], next: null }
    const outcomes = new Map((await this.#parts.store.actRows({ type: 'act_ended', order: 'oldest', beyond: oldest.position, most: 2 * most + OTHER_OUTCOMES })).map(({ body }) => {
      const { at, data } = RunEvent.parse(JSON.parse(body))
      const { id, ...outcome } = OutcomeRow.parse(data)
      return [id, { ...outcome, at }] as const
    }))
    const acts = shown.map(({ position, body }): StoredAct => {
      const { at, data } = RunEvent.parse(JSON.parse(body))
      const { id, ...act } = ActRow.parse(data)
      return { ...act, position, at, outcome: (id === undefined ? undefined : outcomes.get(id)) ?? null }
    })
    return { acts, next: rows.length > most ? oldest.position : null }
  }

  async #append(type: 'person_acted' | 'act_ended' | 'check_ended', data: RunEvent['data']): Promise<void> {
    refuseSecretsIn(this.#parts.scanner, Buffer.from(canonicalJson(data)), 'reason of an act')
    await this.#parts.ledger.append({ runId: await this.#runId(), events: [{ type, at: this.#parts.clock().toISOString(), data }] })
  }

  /** The run in which all acts stand, opened by the first. */
  #runId(): Promise<string> {
    this.#run ??= this.#openRun().catch((error: unknown) => {
      this.#run = undefined
      throw error
    })
    return this.#run
  }

  async #openRun(): Promise<string> {
    const own = (await this.#parts.ledger.list()).findLast(({ kind }) => kind === 'acts')?.runId
    return own ?? (await this.#parts.ledger.begin({ kind: 'acts', taskId: 'acts', startedAt: this.#parts.clock() })).runId
  }
}
