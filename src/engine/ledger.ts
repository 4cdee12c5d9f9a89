import * as z from 'zod'
import { canonicalJson, sha256 } from '../contract/canonical.ts'
import type { Evidence } from '../contract/evidence.ts'
import { Name, RunId } from '../contract/ids.ts'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { REASONS } from '../contract/reasons.ts'
import type { Digest, Verdict } from '../contract/verdict.ts'
import type { Account, Charge, Spending } from '../gates/wire/index.ts'
import type { AgentBirth, AgentChange } from './agents/store.ts'
import type { Fence } from './queue.ts'
import type { TicketWrite } from './tickets/store.ts'

/**
 * `task`: a run of an agent. `probe`: a health probe of a profile, which starts no agent and accepts nothing. `wire`: a
 * licence on the wire for a client that Portcullis does not start; its calls are recorded, and nothing of it is accepted.
 * `review`: what a model was asked about the work of another run, or what a person said of one that had ended.
 * `approval`: what a person has approved, which starts nothing and passes no gate. `agent`: one generation of an agent that lives on. `tickets`: the
 * book of all tickets of a store, in which each change of one is an event; it is never closed. `session`: one live session of a ticket, whose messages are its turns.
 * `acts`: the book of what people did by a server, with their reasons; it is never closed either.
 */
export const RUN_KINDS = ['task', 'probe', 'wire', 'review', 'approval', 'agent', 'tickets', 'session', 'acts'] as const

/**
 * Where a run stands. `open`: gates decide, no process. `started`: a process may be alive. `waiting`: its work is pinned, and
 * somebody must decide before it goes on (MC-113). The rest are final:
 * `accepted`, `failed` (after a process started), `blocked` (before one), `checked` (a probe that passed), `closed` (a
 * licence that ended, or a generation of an agent), `recorded` (an approval that stands).
 */
export const RUN_STATES = ['open', 'started', 'waiting', 'accepted', 'failed', 'blocked', 'checked', 'closed', 'recorded'] as const
export type RunState = (typeof RUN_STATES)[number]
export const FINAL_STATES = ['accepted', 'failed', 'blocked', 'checked', 'closed', 'recorded'] as const satisfies readonly RunState[]
export const isFinal = (state: RunState): boolean => (FINAL_STATES as readonly RunState[]).includes(state)

/** Which gates must have passed last before a run may enter a state. The store enforces it a second time (law 4). */
export const GATES_BEFORE = {
  started: ['catalog', 'admission', 'health', 'launch'],
  accepted: LIFECYCLE,
  checked: ['catalog', 'admission', 'health'],
  closed: ['catalog', 'admission', 'health'],
} as const

export const RunSummary = z.strictObject({
  runId: RunId,
  number: z.int().positive(),
  kind: z.enum(RUN_KINDS),
  taskId: Name,
  state: z.enum(RUN_STATES),
  reason: z.enum(REASONS).nullable(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
})
export type RunSummary = z.infer<typeof RunSummary>

/** What happened, in the order it happened. `trace.jsonl` is rendered from these and from the verdicts. */
export const EVENT_TYPES = ['run_opened', 'process_started', 'case_process_started', 'delivery_awaited', 'prompt_delivered', 'process_ended', 'fault', 'licence_granted', 'licence_revoked', 'completion_begun', 'run_parked', 'run_resumed', 'review_given', 'question_answered', 'agent_licensed', 'agent_changed', 'ticket_changed', 'session_licensed', 'person_acted', 'act_ended', 'check_ended', 'run_ended'] as const
export const RunEvent = z.strictObject({
  type: z.enum(EVENT_TYPES),
  at: z.iso.datetime(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type RunEvent = z.infer<typeof RunEvent>

export const ENTRY_KINDS = ['evidence', 'verdict', 'event'] as const

/** One row of the ledger exactly as it is stored: `digest` is the SHA-256 of `body`, which is canonical JSON. */
export const LedgerEntry = z.strictObject({
  position: z.int().positive(),
  kind: z.enum(ENTRY_KINDS),
  digest: z.string(),
  body: z.string(),
})
export type LedgerEntry = z.infer<typeof LedgerEntry>

/** A signed note (see checkpoint.ts), and the id of the key that signed it. */
export const StoredCheckpoint = z.strictObject({ note: z.string(), keyId: z.string() })
export type StoredCheckpoint = z.infer<typeof StoredCheckpoint>

/** Everything that is stored of a run, unjudged: reading it back is the caller's work, and so is not believing it. */
export interface RunHistory {
  readonly run: RunSummary
  readonly entries: readonly LedgerEntry[]
  /** What was signed when the run ended, over all rows of the ledger up to then; null for a run that has not ended. */
  readonly checkpoint: StoredCheckpoint | null
}

/** What is appended together, in one transaction: all of it is visible afterwards, or none (ACC-21, EVD-01). */
export interface LedgerWrite {
  readonly runId: string
  readonly evidence?: readonly Evidence<unknown>[] | undefined
  readonly sealed?: readonly SealedEvidence[] | undefined
  readonly verdict?: Verdict | undefined
  readonly events?: readonly RunEvent[] | undefined
  readonly state?: StateChange | undefined
  /** What a call is charged with, so that evidence and charge are there together or not at all. */
  readonly charge?: Charge | undefined
  /** A new generation of an agent, whose run this is. */
  readonly birth?: AgentBirth | undefined
  /** What changes of the agent whose run this is, with the rows that it follows from or not at all. */
  readonly agent?: AgentChange | undefined
  /** What changes of a ticket. Its event is made from it, as the last row of the write. */
  readonly ticket?: TicketWrite | undefined
  /** Under which claim it is written, for a run of the queue: the store takes nothing from whoever lost it (REL-05). */
  readonly fence?: Fence | undefined
}

export interface StateChange {
  readonly to: RunState
  readonly reason: RunSummary['reason']
  readonly at: Date
}

/** Evidence whose canonical JSON and digest are known already, so that they are computed once for scan, store and caller. */
export interface SealedEvidence {
  readonly body: string
  readonly digest: Digest
}

export interface LedgerRow {
  readonly kind: LedgerEntry['kind']
  readonly body: string
  readonly digest: Digest
  readonly verdict: Verdict | null
}

/** A row with every column that says something, as it is hashed into the tree of the ledger. */
export interface HashedRow {
  /** From 1, without gaps, over all runs. */
  readonly position: number
  readonly runId: string
  readonly kind: string
  /** Of a verdict; null for other rows. */
  readonly sequence: number | null
  readonly gate: string | null
  readonly outcome: string | null
  readonly digest: string
  readonly body: string
}

/** What is hashed of a row. Only its last part can be of any content, so no two rows share a text. */
export const leafText = ({ position, runId, kind, sequence, gate, outcome, digest, body }: HashedRow): string =>
  `${position}\n${runId}\n${kind}\n${sequence ?? ''}\n${gate ?? ''}\n${outcome ?? ''}\n${digest}\n${body}`

/** The rows that a write becomes, in the order in which every store appends them. */
export function rowsOf(write: LedgerWrite): LedgerRow[] {
  const row = (kind: LedgerEntry['kind'], document: unknown, verdict: Verdict | null): LedgerRow => {
    const body = canonicalJson(document)
    return { kind, body, digest: sha256(body), verdict }
  }
  return [
    ...(write.evidence ?? []).map((statement) => row('evidence', statement, null)),
    ...(write.sealed ?? []).map(({ body, digest }): LedgerRow => ({ kind: 'evidence', body, digest, verdict: null })),
    ...(write.verdict === undefined ? [] : [row('verdict', write.verdict, write.verdict)]),
    // What a verdict led to stands behind it.
    ...(write.events ?? []).map((event) => row('event', event, null)),
    ...(write.ticket === undefined ? [] : [row('event', ticketRow(write.ticket), null)]),
  ]
}

/** A change of a ticket as an event of the chain. What it set stands in `change`, so that the chain alone gives the ticket again. */
const ticketRow = ({ event, ticket }: TicketWrite): RunEvent => ({
  type: 'ticket_changed',
  at: event.at,
  data: { ticket: event.ticket, sequence: event.sequence, kind: event.kind, state: ticket.state, actor: event.actor.id, actor_kind: event.actor.kind, holder: event.actor.holder, origin: event.origin, change: canonicalJson({ text: event.text, data: event.data, set: event.set }) },
})

/** What a run is opened with. With a fence it is an attempt of that claim, in the same transaction: no run of the queue is nobody's. */
export interface RunBeginning {
  readonly kind: RunSummary['kind']
  readonly taskId: string
  readonly startedAt: Date
  readonly fence?: Fence | undefined
}

/** The append-only store of runs. Every method rejects with a `store_*` PortcullisError if the store is down: nothing is ever assumed written. */
export interface Ledger {
  /** Opens a run under the next number of this store. */
  begin(run: RunBeginning): Promise<RunSummary>
  append(write: LedgerWrite): Promise<void>
  history(runId: string): Promise<RunHistory | undefined>
  list(): Promise<readonly RunSummary[]>
  /** Rows of one kind, of every run, that were stored after a position, in their order: what a follower asks again and again. */
  rowsAfter(kind: LedgerEntry['kind'], position: number, most: number): Promise<readonly { readonly runId: string; readonly position: number; readonly body: string }[]>
  /** What was charged to an account, by every process that writes into this store. */
  charged(account: Account): Promise<Spending>
  close(): Promise<void>
}

/** The same store as somebody sees it who checks it: the tree over all rows of all runs, and what was signed of it. */
export interface LedgerArchive {
  /** The signed head over all rows that are stored. */
  head(): Promise<StoredCheckpoint>
  /** The checkpoints of fewer rows than `below` that were kept, the latest first. */
  kept(below: number, most: number): Promise<readonly StoredCheckpoint[]>
  /** Keeps the head, so that later bundles are shown to continue it; returns it. */
  keep(): Promise<StoredCheckpoint>
  /** Everything that is stored, as it is at one moment, whoever writes meanwhile. */
  snapshot<Result>(read: (view: LedgerView) => Promise<Result>): Promise<Result>
  /** For each position, the hashes that show its row to be in the tree of the first `size` rows; what shows it to continue the tree of each size in `from`. */
  proofs(asked: { readonly positions: readonly number[]; readonly size: number; readonly from: readonly number[] }): Promise<LedgerProofs>
}

/** Rows that follow each other, as an audit reads them. */
export interface StoredPage {
  /** In the order of their positions. `text` is what is hashed of a row (see `leafText`), with a zero character before it. */
  readonly rows: readonly { readonly position: number; readonly text: string }[]
  /** The hashes that are stored for the positions from the first row to the last, 32 bytes each; null if a row or a hash between them is missing. */
  readonly hashes: Uint8Array | null
}

export interface LedgerView {
  readonly head: StoredCheckpoint
  /** Beside the head: how many rows it says there are, and what the tree goes on from. */
  readonly size: number
  readonly edge: Uint8Array
  /** Every checkpoint that was kept, the smallest first. */
  readonly kept: readonly StoredCheckpoint[]
  /** All rows, in the order of their positions, some at a time. */
  pages(): AsyncIterable<StoredPage>
  /** The hash that is stored for a position; null if there is none. */
  hashAt(position: number): Uint8Array | null
  /** The row at a position with all its columns; undefined if there is none. */
  rowAt(position: number): HashedRow | undefined
}

export interface LedgerProofs {
  readonly inclusion: readonly (readonly Buffer[])[]
  readonly consistency: readonly (readonly Buffer[])[]
}
