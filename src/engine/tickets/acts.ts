import type { Digest } from '../../contract/verdict.ts'
import { type Actor, canMoveByHand, holdsSession, isLive, leaseOf, MOST_ATTACHMENTS, MOST_EVIDENCE, MOST_ITEMS, MOST_RUNS, MOVES_BY_HAND, screenMark, type Ticket, type TicketClaim, type TicketItem, type TicketSession, type TicketState, triage, type TriageDecision, type TriageRule } from '../../gates/dispatch/index.ts'
import type { Decision, Outcome, TicketBook } from './book.ts'
import { closedRuntime, runtimeOf } from './sessions.ts'

/** How tickets of a project find their agent, as portcullis.yaml says it. */
export interface TriagePolicy {
  readonly threshold: number
  readonly rules: readonly TriageRule[]
}

export const comment = (book: TicketBook, id: string, actor: Actor, text: string, origin: 'observed' | 'mirrored' = 'observed'): Promise<Outcome<Ticket>> =>
  book.change(id, actor, (ticket) => {
    if (ticket.state === 'closed') return illegal(ticket, 'a comment', [])
    const mark = screenMark(text)
    // Whoever reads it later could take an echo on a screen for words that somebody said.
    if (mark !== undefined) return { refusal: { reason: 'screen_text', message: 'A comment says something in words; this comes from the screen of a terminal.', asked: `a comment on ${id}`, found: mark, remedy: 'Write what you saw. The raw terminal of a session is kept beside the ticket.' } }
    return { kind: 'commented', text, origin }
  })

/** Moves a card by hand. What begins by a claim or ends by a proof cannot be reached so. */
export function move(book: TicketBook, id: string, actor: Actor, asked: { readonly to: TicketState; readonly reason: string }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    const legal = MOVES_BY_HAND[ticket.state]
    if (!canMoveByHand(ticket.state, asked.to)) return illegal(ticket, asked.to, legal)
    // A session that goes on would report into a ticket that nobody works on any more.
    if (isLive(ticket.runtime.state) && asked.to !== 'review') return { refusal: { reason: 'runtime_busy', message: 'A live session is attached to the ticket.', asked: `${id} to ${asked.to}`, found: `a session that is ${ticket.runtime.state}`, remedy: 'Wait for its end, or interrupt it first.' }, details: { observed: ticket.runtime.state, ways_out: ['wait', 'interrupt', 'restart'] } }
    const parked = ticket.state === 'question'
    return {
      kind: parked ? 'overruled' : 'moved',
      text: asked.reason,
      data: { from: ticket.state, to: asked.to, ...(parked ? { question: ticket.terminal?.summary ?? null } : {}) },
      set: { state: asked.to, reason: null, claim: null, retry_at: null, resolution: asked.to === 'closed' ? 'declined' : null, ...(ticket.state === 'blocked' ? { dispatch_failures: 0, review_rejections: 0 } : {}), ...(asked.to === 'closed' && ticket.runtime.state !== 'none' ? { runtime: closedRuntime(ticket.runtime, book.now()) } : {}) },
    }
  })
}

/** True for the one who holds the claim: by name, by the credential that claimed, and in its epoch. Whoever has the name alone is somebody else. */
export const holdsClaim = ({ claim: held }: Ticket, actor: Actor, epoch: number): boolean => held !== null && held.holder === actor.id && held.shown_by === actor.holder && held.epoch === epoch

const hasEnded = (book: TicketBook, { claim: held }: Ticket): boolean => held !== null && book.hasLapsed(held.lease, held.expires_at)

const leased = (book: TicketBook, leaseMs: number): Pick<TicketClaim, 'expires_at' | 'lease'> => ({ expires_at: new Date(book.now().getTime() + leaseMs).toISOString(), lease: leaseOf(leaseMs, book.moment()) })

/**
 * An atomic claim: of two at once exactly one gets it, and the other is told who did (MC-022). It ends by itself after
 * `leaseMs`: one that has ended is taken back first, so that nobody has to tidy up before work goes on.
 */
export async function claim(book: TicketBook, id: string, actor: Actor, leaseMs: number): Promise<Outcome<Ticket>> {
  if (hasEnded(book, await book.get(id))) await releaseEnded(book, id, actor)
  return book.change(id, actor, (ticket) => {
    if (ticket.claim !== null) {
      const { holder, expires_at } = ticket.claim
      return { refusal: { reason: 'ticket_claimed', message: `${holder} works on ${id}.`, asked: `${id} for ${actor.id}`, found: `a claim of ${holder} until ${expires_at}`, remedy: 'Take another ticket, or wait until the claim has ended.' }, details: { holder, expires_at } }
    }
    if (ticket.state !== 'todo') return illegal(ticket, 'in_progress', MOVES_BY_HAND[ticket.state])
    // Said before the work: its result would have no room, and all of it would be for nothing.
    if (ticket.runs.length >= MOST_RUNS) return full(id, 'another run', `${ticket.runs.length} runs`)
    if (ticket.retry_at !== null && Date.parse(ticket.retry_at) > book.now().getTime()) return { refusal: { reason: 'ticket_claimed', message: `${id} is tried again later.`, asked: `${id} for ${actor.id}`, found: `a retry at ${ticket.retry_at}`, remedy: 'Wait until then.' }, details: { holder: null, expires_at: ticket.retry_at } }
    const epoch = ticket.epoch + 1
    const kindOfWorker = actor.kind === 'service' ? 'background worker' : actor.kind
    return {
      kind: 'claimed',
      text: `${actor.id} picks up this ticket (${kindOfWorker}).`,
      data: { epoch, worker: actor.id, worker_kind: kindOfWorker },
      set: { state: 'in_progress', reason: null, epoch, owner: ticket.owner ?? actor.id, retry_at: null, claim: { holder: actor.id, shown_by: actor.holder, kind: actor.kind, epoch, ...leased(book, leaseMs) } },
    }
  })
}

/** So many claims that have ended are taken back before the next ticket is chosen. */
const MOST_RELEASED = 100

/** The most urgent ticket that waits, claimed; undefined if there is none. `owners`: for whom else than nobody it may be. */
export async function claimNext(book: TicketBook, actor: Actor, asked: { readonly leaseMs: number; readonly owners: readonly string[] | 'any' }): Promise<Ticket | undefined> {
  await releaseExpired(book, actor, MOST_RELEASED)
  for (;;) {
    const next = await book.store.nextTodo(book.now(), asked.owners)
    if (next === undefined) return undefined
    const claimed = await claim(book, next.id, actor, asked.leaseMs)
    if (claimed.ok) return claimed.value
    // One that is full would be found again and again, and nobody would get the next.
    if (claimed.refusal.reason === 'ticket_full') await blockFull(book, next.id, actor)
  }
}

const blockFull = (book: TicketBook, id: string, actor: Actor): Promise<Outcome<Ticket>> =>
  book.change(id, actor, (ticket) => (ticket.state === 'todo' && ticket.runs.length >= MOST_RUNS ? { kind: 'moved', text: 'It has as many runs as it may.', data: { from: 'todo', to: 'blocked' }, set: { state: 'blocked', reason: 'ticket_full' } } : 'nothing'))

/** Says that the holder of a claim is alive. An older epoch is a zombie's, and is refused. */
export function renewClaim(book: TicketBook, id: string, actor: Actor, asked: { readonly epoch: number; readonly leaseMs: number }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    const held = ticket.claim
    if (held === null || !holdsClaim(ticket, actor, asked.epoch) || hasEnded(book, ticket)) return { refusal: stale(ticket, actor, asked.epoch), details: { holder: held?.holder ?? null, epoch: ticket.epoch } }
    return { kind: 'claim_renewed', set: { claim: { ...held, ...leased(book, asked.leaseMs) } } }
  })
}

/** The holder gives its claim back, because the work could not go on; another may take the ticket up at once. Changes nothing of what is not its own. */
export function releaseClaim(book: TicketBook, id: string, actor: Actor, asked: { readonly epoch: number; readonly why: string }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, async (ticket) => {
    if (!holdsClaim(ticket, actor, asked.epoch)) return 'nothing'
    // A session goes on by itself, and somebody holds it; a run that was noted here has ended with its worker.
    if (isLive(ticket.runtime.state) && (await sessionAttached(book, ticket)) !== undefined) return 'nothing'
    return { kind: 'released', text: asked.why, data: { holder: actor.id, epoch: asked.epoch }, set: { claim: null, ...endedRun(book, ticket), ...(ticket.state === 'in_progress' ? { state: 'todo', reason: null } : {}) } }
  })
}

const sessionAttached = async (book: TicketBook, { runtime }: Ticket): Promise<TicketSession | undefined> => (isLive(runtime.state) && runtime.session !== null ? book.store.session(runtime.session) : undefined)

/** The runtime of a run that nobody carries any more, closed. */
const endedRun = (book: TicketBook, { runtime }: Ticket): Pick<Partial<Ticket>, 'runtime'> => (isLive(runtime.state) ? { runtime: closedRuntime(runtime, book.now()) } : {})

export const stale = (ticket: Ticket, actor: Actor, epoch: number | undefined) => ({
  reason: 'claim_stale' as const,
  message: 'The claim is not in force any more.',
  asked: `${ticket.id} as ${actor.id} in ${epoch === undefined ? 'no epoch' : `epoch ${epoch}`}`,
  found: ticket.claim === null ? `no claim, epoch ${ticket.epoch}` : `${ticket.claim.holder} in epoch ${ticket.claim.epoch}, until ${ticket.claim.expires_at}`,
  remedy: 'Stop the work: nothing of it counts. Claim the ticket again.',
})

const full = (id: string, asked: string, found: string) => ({
  refusal: { reason: 'ticket_full' as const, message: `${id} has no room for more.`, asked: `${asked} of ${id}`, found, remedy: 'Close the ticket, and bring a new one for what is left.' },
})

/** What a model said of the ticket as it was in this version, or why it said nothing. */
export interface AskedModel {
  readonly version: number
  readonly run: string | null
  readonly answer: { readonly ok: true; readonly decision: TriageDecision } | { readonly ok: false; readonly found: string }
}

/** Assigns by rules, or by what a model said where they are not sure, or leaves it to a person (MC-020, MC-021). */
export function autoTriage(book: TicketBook, id: string, actor: Actor, { threshold, rules }: TriagePolicy, asked?: AskedModel): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state !== 'triage') return illegal(ticket, 'todo by triage', MOVES_BY_HAND[ticket.state])
    const byRules = triage(ticket, rules, threshold)
    // What it said of other words says nothing of these.
    const answer = asked !== undefined && asked.version !== ticket.version ? ({ ok: false, found: 'the ticket was changed while it was asked' } as const) : asked?.answer
    const decision: TriageDecision = byRules.assigned || answer === undefined ? byRules : answer.ok ? answer.decision : { ...byRules, reason: `${byRules.reason} The model decided nothing: ${answer.found}.`.slice(0, 1_000) }
    const { agent, confidence, skill, reason, assigned } = decision
    const by = byRules.assigned || asked === undefined ? {} : { by: answer?.ok === true ? 'model' : 'rules', run: asked.run }
    return {
      kind: 'triaged',
      text: assigned ? `auto-triage: assigned to ${agent} (confidence ${confidence}); moved to todo for pick-up. ${reason}` : `auto-triage: left to the operator (confidence ${confidence}). ${reason}`,
      data: { agent, confidence, skill, reason, assigned, ...by },
      set: assigned ? { state: 'todo', reason: null, owner: agent, triage: decision } : { reason: 'triage_unsure', triage: decision },
    }
  })
}

export function choosePhases(book: TicketBook, id: string, actor: Actor, phases: readonly string[]): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => (ticket.state === 'closed' || ticket.state === 'done' ? illegal(ticket, 'other phases', []) : { kind: 'phases_chosen', data: { phases: [...phases] }, set: { phases: [...phases], phase: 0 } }))
}

/** The work is put before a reviewer (MC-026): by whoever holds the claim, in its epoch and from work alone, or by a person. What waits for a person is not taken from there by a program. */
export function reviewReady(book: TicketBook, id: string, actor: Actor, epoch: number | undefined): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    const person = actor.kind === 'human'
    if (ticket.state !== 'in_progress' && !(person && (ticket.state === 'question' || ticket.state === 'done'))) return illegal(ticket, 'review', MOVES_BY_HAND[ticket.state])
    if (!person && (epoch === undefined || !holdsClaim(ticket, actor, epoch) || hasEnded(book, ticket))) return { refusal: stale(ticket, actor, epoch), details: { holder: ticket.claim?.holder ?? null, epoch: ticket.epoch } }
    return { kind: 'review_ready', text: 'Work ready for review', set: { state: 'review', reason: 'review_ready', claim: null } }
  })
}

export function attach(book: TicketBook, id: string, actor: Actor, file: { readonly name: string; readonly mediaType: string; readonly sha256: Digest; readonly bytes: Uint8Array }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state === 'closed') return illegal(ticket, 'an attachment', [])
    if (ticket.attachments.length >= MOST_ATTACHMENTS) return full(id, 'another attachment', `${ticket.attachments.length} attachments`)
    const attachment = { name: file.name, media_type: file.mediaType, sha256: file.sha256, bytes: file.bytes.length, by: actor.id, at: book.now().toISOString() }
    return { kind: 'attached', text: file.name, data: { sha256: file.sha256 }, set: { attachments: [...ticket.attachments, attachment] }, attached: { sha256: file.sha256, bytes: file.bytes } }
  })
}

/** Puts what must hold to a ticket, by a person: what was brought without an item has nothing that could be proven, and never closes as accepted. */
export function addItems(book: TicketBook, id: string, actor: Actor, texts: readonly string[]): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state === 'closed' || actor.kind !== 'human') return illegal(ticket, `more acceptance items by a ${actor.kind}`, MOVES_BY_HAND[ticket.state])
    if (ticket.acceptance.length + texts.length > MOST_ITEMS) return full(id, `${texts.length} more acceptance items`, `${ticket.acceptance.length} acceptance items`)
    const last = Math.max(0, ...ticket.acceptance.map((item) => item.id))
    const added = texts.map((text, index): TicketItem => ({ id: last + index + 1, text, verdict: null, reason: null, evidence: [], by: null, at: null }))
    return { kind: 'edited', data: { items: added.map((item) => item.id) }, set: { acceptance: [...ticket.acceptance, ...added] } }
  })
}

/** A digest that nothing here has is a claim, whoever brings it. */
const unfounded = (asked: string, found: readonly string[]): Decision => ({
  refusal: { reason: 'item_unproven', message: 'What was named shows nothing of this ticket.', asked, found: `${found.join(', ')}: no row of an accepted run of the ticket, and nothing that a person may judge by`, remedy: 'Name evidence of a run of the ticket that was accepted; a person may also name an attachment of the ticket.' },
})

/** What somebody attached or said is a claim: it counts only where a person answers for it with a name. A gate counts what runs of the ticket have proven. */
const countsFor = (actor: Actor, runs: 'accepted' | 'any') => ({ runs, claims: actor.kind === 'human' })

/** What a gate or reviewer found of one acceptance item (MC-119). */
export function judgeItem(book: TicketBook, id: string, actor: Actor, judged: { readonly item: number; readonly verdict: 'pass' | 'fail'; readonly reason: string; readonly evidence: readonly Digest[] }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, async (ticket) => {
    if (actor.kind !== 'gate' && actor.kind !== 'human') return illegal(ticket, `a verdict of a ${actor.kind}`, MOVES_BY_HAND[ticket.state])
    if (ticket.state !== 'done' && ticket.state !== 'review') return illegal(ticket, 'a verdict on an item', MOVES_BY_HAND[ticket.state])
    const known = ticket.acceptance.some((item) => item.id === judged.item)
    if (!known || (judged.verdict === 'pass' && judged.evidence.length === 0)) return { refusal: { reason: 'item_unproven', message: 'The verdict on the item does not count.', asked: `item ${judged.item} of ${id} as ${judged.verdict}`, found: known ? 'a pass without evidence' : 'no such item', remedy: 'Give the digest of what shows it.' } }
    // What was rejected may show that an item does not hold, and never that it does.
    const invented = await book.store.unknownEvidence(id, ticket.runs, judged.evidence, countsFor(actor, judged.verdict === 'pass' ? 'accepted' : 'any'))
    if (invented.length > 0) return unfounded(`item ${judged.item} of ${id} as ${judged.verdict}`, invented)
    const at = book.now().toISOString()
    const acceptance = ticket.acceptance.map((item): TicketItem => (item.id === judged.item ? { ...item, verdict: judged.verdict, reason: judged.reason, evidence: [...judged.evidence], by: actor.id, at } : item))
    return { kind: 'item_judged', text: judged.reason, data: { item: judged.item, verdict: judged.verdict, evidence: [...judged.evidence] }, set: { acceptance } }
  })
}

/** The gate that the run of a ticket speaks for. No person closes in its name. */
export const ACCEPTANCE_GATE = 'acceptance'

export interface Closing {
  readonly gate: string
  readonly reason: string
  readonly evidence: readonly Digest[]
  readonly runs: readonly string[]
}

/** Which items keep a ticket open. One without any has nothing that was proven, and that is not the same as everything. */
function openItems(ticket: Ticket): { readonly items: readonly string[]; readonly found: string } | undefined {
  if (ticket.acceptance.length === 0) return { items: [], found: 'no acceptance item' }
  const open = ticket.acceptance.filter(({ verdict, evidence }) => verdict !== 'pass' || evidence.length === 0).map((item) => String(item.id))
  return open.length === 0 ? undefined : { items: open, found: `no pass with evidence for item ${open.join(', ')}` }
}

/**
 * The authoritative gate closes (MC-120): only finished work, with a verdict and evidence for each item. A second closer
 * finds it closed and changes nothing. The source is reconciled by this event alone (MC-121).
 */
export async function close(book: TicketBook, id: string, actor: Actor, closing: Closing): Promise<Outcome<Ticket>> {
  return book.change(id, actor, async (ticket) => {
    if (ticket.state === 'closed') return 'nothing'
    if (actor.kind !== 'gate' && actor.kind !== 'human') return illegal(ticket, `closed by a ${actor.kind}`, MOVES_BY_HAND[ticket.state])
    if ((actor.kind === 'gate') !== (closing.gate === ACCEPTANCE_GATE)) return illegal(ticket, `closed by a ${actor.kind} in the name of ${closing.gate}`, MOVES_BY_HAND[ticket.state])
    if (ticket.state !== 'done' && ticket.state !== 'review') return illegal(ticket, 'closed as accepted', MOVES_BY_HAND[ticket.state])
    const evidence = [...new Set([...ticket.evidence, ...closing.evidence])]
    const open = openItems(ticket)
    if (open !== undefined || evidence.length === 0) {
      return { refusal: { reason: 'item_unproven', message: `${id} stays open.`, asked: `${id} closed by ${closing.gate}`, found: open?.found ?? 'no evidence', remedy: 'Say what must hold, item by item, and have the gate judge each of them with evidence; or give the ticket up by moving it to closed.' }, details: { items: open?.items ?? [] } }
    }
    const runs = [...new Set([...ticket.runs, ...closing.runs])]
    if (runs.length > MOST_RUNS || evidence.length > MOST_EVIDENCE) return full(id, 'more runs and evidence', `${ticket.runs.length} runs and ${ticket.evidence.length} pieces of evidence`)
    const strangers = await book.store.unacceptedRuns(id, closing.runs)
    if (strangers.length > 0) return unfounded(`${id} closed by ${closing.gate}`, strangers)
    const invented = await book.store.unknownEvidence(id, runs, evidence, countsFor(actor, 'accepted'))
    if (invented.length > 0) return unfounded(`${id} closed by ${closing.gate}`, invented)
    return {
      kind: 'closed',
      text: closing.reason,
      data: { gate: closing.gate, by: actor.id, evidence, human_input_required: actor.kind === 'human' },
      set: {
        state: 'closed', resolution: 'accepted', reason: null, claim: null, evidence, runs,
        ...(ticket.source === null ? {} : { source: { ...ticket.source, reconciled: true } }),
        ...(ticket.runtime.state === 'none' ? {} : { runtime: closedRuntime(ticket.runtime, book.now()) }),
      },
    }
  })
}

/** Takes work back whose claim has ended without a word; the next claim has a higher epoch. Gives how many there were. */
export async function releaseExpired(book: TicketBook, actor: Actor, most: number): Promise<number> {
  let released = 0
  for (const id of await book.store.expiredClaims({ now: book.now(), moment: book.moment() }, most)) {
    const outcome = await releaseEnded(book, id, actor)
    if (outcome.ok && outcome.value.claim === null) released += 1
  }
  return released
}

const releaseEnded = (book: TicketBook, id: string, actor: Actor): Promise<Outcome<Ticket>> =>
  book.change(id, actor, async (ticket) => {
    if (ticket.claim === null || !hasEnded(book, ticket)) return 'nothing'
    const session = await sessionAttached(book, ticket)
    // A turn that is open is ended first, with its record.
    if (session !== undefined && (await book.store.turns(id)).some((turn) => turn.session === session.id && holdsSession(turn.state))) return 'nothing'
    const closed = session === undefined ? undefined : { ...session, state: 'closed' as const, ended_at: book.now().toISOString() }
    return {
      ...(closed === undefined ? {} : { sessions: [closed] }),
      kind: 'released', text: `The claim of ${ticket.claim.holder} ended without a word.`, data: { holder: ticket.claim.holder, epoch: ticket.claim.epoch }, set: { claim: null, ...(closed === undefined ? endedRun(book, ticket) : { runtime: runtimeOf(closed) }), ...(ticket.state === 'in_progress' ? { state: 'todo', reason: 'claim_stale' } : {}) },
    }
  })

const illegal = (ticket: Ticket, asked: string, legal: readonly string[]) => ({
  refusal: { reason: 'transition_illegal' as const, message: `${ticket.id} is ${ticket.state}.`, asked: `${ticket.id} to ${asked}`, found: `it is ${ticket.state}`, remedy: legal.length === 0 ? 'Nothing follows it.' : `By hand it can become ${legal.join(', ')}.` },
  details: { state: ticket.state, legal: [...legal] },
})

