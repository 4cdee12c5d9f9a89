import * as z from 'zod'
import { canonicalJson } from '../contract/canonical.ts'
import type { Clock } from '../contract/clock.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import { refuseSecretsIn } from './course.ts'
import { type Ledger, RunEvent } from './ledger.ts'

/** What a person may do by a server that cannot be taken back, or that somebody will ask about. */
export const PERSON_ACTS = ['cancel_run', 'revoke_token', 'start_agent', 'restart_agent', 'wake_agent', 'stop_agent', 'drain_agent', 'run_drill'] as const

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

export const StoredAct = PersonAct.extend({ position: z.int(), at: z.iso.datetime() })
export type StoredAct = Readonly<z.infer<typeof StoredAct>>

/** The book of acts: each is a row of the chain, durable before anything follows from it. */
export class ActBook {
  readonly #parts: { readonly ledger: Pick<Ledger, 'append' | 'begin' | 'history' | 'list'>; readonly clock: Clock; readonly scanner: Pick<SecretScanner, 'scan'> }
  #run: Promise<string> | undefined

  constructor(parts: { readonly ledger: Pick<Ledger, 'append' | 'begin' | 'history' | 'list'>; readonly clock: Clock; readonly scanner: Pick<SecretScanner, 'scan'> }) {
    this.#parts = parts
  }

  /** Durable when it resolves. Throws `secret_leak` for a reason that holds a credential, and `store_*`; then nothing was done. */
  async record(act: PersonAct): Promise<void> {
    const data = PersonAct.parse(act)
    refuseSecretsIn(this.#parts.scanner, Buffer.from(canonicalJson(data)), 'reason of an act')
    await this.#parts.ledger.append({ runId: await this.#runId(), events: [{ type: 'person_acted', at: this.#parts.clock().toISOString(), data }] })
  }

  /** The last ones, newest first. */
  async newest(most: number): Promise<readonly StoredAct[]> {
    const own = await this.#find()
    const history = own === undefined ? undefined : await this.#parts.ledger.history(own)
    return (history?.entries ?? []).flatMap(({ kind, position, body }) => {
      if (kind !== 'event') return []
      const { type, at, data } = RunEvent.parse(JSON.parse(body))
      return type === 'person_acted' ? [StoredAct.parse({ ...data, position, at })] : []
    }).slice(-most).toReversed()
  }

  async #find(): Promise<string | undefined> {
    return (await this.#parts.ledger.list()).findLast(({ kind }) => kind === 'acts')?.runId
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
    return (await this.#find()) ?? (await this.#parts.ledger.begin({ kind: 'acts', taskId: 'acts', startedAt: this.#parts.clock() })).runId
  }
}
