import type { Digest } from '../../contract/verdict.ts'
import { type Actor, canMoveByHand, holdsSession, isLive, MOVES_BY_HAND, type Ticket, type TicketItem, type TicketState, triage, type TriageRule } from '../../gates/dispatch/index.ts'
import type { Decision, Outcome, TicketBook } from './book.ts'
import { closedRuntime, runtimeOf } from './sessions.ts'

/** How tickets of a project find their agent, as portcullis.yaml says it. */
export interface TriagePolicy {
  readonly threshold: number
  readonly rules: readonly TriageRule[]
}

export const comment = (book: TicketBook, id: string, actor: Actor, text: string, origin: 'observed' | 'mirrored' = 'observed'): Promise<Outcome<Ticket>> =>
  book.change(id, actor, (ticket) => (ticket.state === 'closed' ? illegal(ticket, 'a comment', []) : { kind: 'commented', text, origin }))

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

/** An atomic claim: of two at once exactly one gets it, and the other is told who did (MC-022). It ends by itself after `leaseMs`. */
export function claim(book: TicketBook, id: string, actor: Actor, leaseMs: number): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.claim !== null) {
      const { holder, expires_at } = ticket.claim
      return { refusal: { reason: 'ticket_claimed', message: `${holder} works on ${id}.`, asked: `${id} for ${actor.id}`, found: `a claim of ${holder} until ${expires_at}`, remedy: 'Take another ticket, or wait until the claim has ended.' }, details: { holder, expires_at } }
    }
    if (ticket.state !== 'todo') return illegal(ticket, 'in_progress', MOVES_BY_HAND[ticket.state])
    if (ticket.retry_at !== null && Date.parse(ticket.retry_at) > book.now().getTime()) return { refusal: { reason: 'ticket_claimed', message: `${id} is tried again later.`, asked: `${id} for ${actor.id}`, found: `a retry at ${ticket.retry_at}`, remedy: 'Wait until then.' }, details: { holder: null, expires_at: ticket.retry_at } }
    const epoch = ticket.epoch + 1
    const kindOfWorker = actor.kind === 'service' ? 'background worker' : actor.kind
    return {
      kind: 'claimed',
      text: `${actor.id} picks up this ticket (${kindOfWorker}).`,
      data: { epoch, worker: actor.id, worker_kind: kindOfWorker },
      set: { state: 'in_progress', reason: null, epoch, owner: ticket.owner ?? actor.id, retry_at: null, claim: { holder: actor.id, kind: actor.kind, epoch, expires_at: new Date(book.now().getTime() + leaseMs).toISOString() } },
    }
  })
}

/** The most urgent ticket that waits, claimed; undefined if there is none. `owners`: for whom else than nobody it may be. */
export async function claimNext(book: TicketBook, actor: Actor, asked: { readonly leaseMs: number; readonly owners: readonly string[] | 'any' }): Promise<Ticket | undefined> {
  for (;;) {
    const next = await book.store.nextTodo(book.now(), asked.owners)
    if (next === undefined) return undefined
    const claimed = await claim(book, next.id, actor, asked.leaseMs)
    if (claimed.ok) return claimed.value
  }
}

/** Says that the holder of a claim is alive. An older epoch is a zombie's, and is refused. */
export function renewClaim(book: TicketBook, id: string, actor: Actor, asked: { readonly epoch: number; readonly leaseMs: number }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    const held = ticket.claim
    if (held === null || held.holder !== actor.id || held.epoch !== asked.epoch || Date.parse(held.expires_at) <= book.now().getTime()) return { refusal: stale(ticket, actor, asked.epoch), details: { holder: held?.holder ?? null, epoch: ticket.epoch } }
    return { kind: 'claim_renewed', set: { claim: { ...held, expires_at: new Date(book.now().getTime() + asked.leaseMs).toISOString() } } }
  })
}

export const stale = (ticket: Ticket, actor: Actor, epoch: number) => ({
  reason: 'claim_stale' as const,
  message: 'The claim is not in force any more.',
  asked: `${ticket.id} as ${actor.id} in epoch ${epoch}`,
  found: ticket.claim === null ? `no claim, epoch ${ticket.epoch}` : `${ticket.claim.holder} in epoch ${ticket.claim.epoch}, until ${ticket.claim.expires_at}`,
  remedy: 'Stop the work: nothing of it counts. Claim the ticket again.',
})

/** Assigns by rules, or leaves it to a person (MC-020, MC-021). */
export function autoTriage(book: TicketBook, id: string, actor: Actor, { threshold, rules }: TriagePolicy): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state !== 'triage') return illegal(ticket, 'todo by triage', MOVES_BY_HAND[ticket.state])
    const decision = triage(ticket, rules, threshold)
    const { agent, confidence, skill, reason, assigned } = decision
    return {
      kind: 'triaged',
      text: assigned ? `auto-triage: assigned to ${agent} (confidence ${confidence}); moved to todo for pick-up. ${reason}` : `auto-triage: left to the operator (confidence ${confidence}). ${reason}`,
      data: { agent, confidence, skill, reason, assigned },
      set: assigned ? { state: 'todo', reason: null, owner: agent, triage: decision } : { reason: 'triage_unsure', triage: decision },
    }
  })
}

export function choosePhases(book: TicketBook, id: string, actor: Actor, phases: readonly string[]): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => (ticket.state === 'closed' || ticket.state === 'done' ? illegal(ticket, 'other phases', []) : { kind: 'phases_chosen', data: { phases: [...phases] }, set: { phases: [...phases], phase: 0 } }))
}

/** The work is put before a reviewer (MC-026). Whoever holds the claim may say so, or an operator. */
export function reviewReady(book: TicketBook, id: string, actor: Actor): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state !== 'in_progress' && ticket.state !== 'question' && ticket.state !== 'done') return illegal(ticket, 'review', MOVES_BY_HAND[ticket.state])
    return { kind: 'review_ready', text: 'Work ready for review', set: { state: 'review', reason: 'review_ready', claim: null } }
  })
}

export function attach(book: TicketBook, id: string, actor: Actor, file: { readonly name: string; readonly mediaType: string; readonly sha256: Digest; readonly bytes: Uint8Array }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, (ticket) => {
    if (ticket.state === 'closed') return illegal(ticket, 'an attachment', [])
    const attachment = { name: file.name, media_type: file.mediaType, sha256: file.sha256, bytes: file.bytes.length, by: actor.id, at: book.now().toISOString() }
    return { kind: 'attached', text: file.name, data: { sha256: file.sha256 }, set: { attachments: [...ticket.attachments, attachment] }, attached: { sha256: file.sha256, bytes: file.bytes } }
  })
}

/** A digest that nothing here has is a claim, whoever brings it. */
const unfounded = (asked: string, found: readonly string[]): Decision => ({
  refusal: { reason: 'item_unproven', message: 'What was named shows nothing of this ticket.', asked, found: `${found.join(', ')}: no row of its runs, no event or attachment of it, or no run that was accepted`, remedy: 'Name evidence of a run of the ticket, or attach what shows it to the ticket first.' },
})

/** What a gate or reviewer found of one acceptance item (MC-119). */
export function judgeItem(book: TicketBook, id: string, actor: Actor, judged: { readonly item: number; readonly verdict: 'pass' | 'fail'; readonly reason: string; readonly evidence: readonly Digest[] }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, async (ticket) => {
    if (ticket.state !== 'done' && ticket.state !== 'review') return illegal(ticket, 'a verdict on an item', MOVES_BY_HAND[ticket.state])
    const known = ticket.acceptance.some((item) => item.id === judged.item)
    if (!known || (judged.verdict === 'pass' && judged.evidence.length === 0)) return { refusal: { reason: 'item_unproven', message: 'The verdict on the item does not count.', asked: `item ${judged.item} of ${id} as ${judged.verdict}`, found: known ? 'a pass without evidence' : 'no such item', remedy: 'Give the digest of what shows it.' } }
    const invented = await book.store.unknownEvidence(id, ticket.runs, judged.evidence)
    if (invented.length > 0) return unfounded(`item ${judged.item} of ${id} as ${judged.verdict}`, invented)
    const at = book.now().toISOString()
    const acceptance = ticket.acceptance.map((item): TicketItem => (item.id === judged.item ? { ...item, verdict: judged.verdict, reason: judged.reason, evidence: [...judged.evidence], by: actor.id, at } : item))
    return { kind: 'item_judged', text: judged.reason, data: { item: judged.item, verdict: judged.verdict, evidence: [...judged.evidence] }, set: { acceptance } }
  })
}

/**
 * The authoritative gate closes (MC-120): only finished work, with a verdict and evidence for each item. A second closer
 * finds it closed and changes nothing. The source is reconciled by this event alone (MC-121).
 */
export async function close(book: TicketBook, id: string, actor: Actor, closing: { readonly gate: string; readonly reason: string; readonly evidence: readonly Digest[]; readonly runs: readonly string[] }): Promise<Outcome<Ticket>> {
  return book.change(id, actor, async (ticket) => {
    if (ticket.state === 'closed') return 'nothing'
    if (actor.kind !== 'gate' && actor.kind !== 'human') return illegal(ticket, `closed by a ${actor.kind}`, MOVES_BY_HAND[ticket.state])
    if (ticket.state !== 'done' && ticket.state !== 'review') return illegal(ticket, 'closed as accepted', MOVES_BY_HAND[ticket.state])
    const open = ticket.acceptance.filter(({ verdict, evidence }) => verdict !== 'pass' || evidence.length === 0).map((item) => item.id)
    const evidence = [...new Set([...ticket.evidence, ...closing.evidence])]
    if (open.length > 0 || evidence.length === 0) {
      const found = open.length > 0 ? `no pass with evidence for item ${open.join(', ')}` : 'no evidence'
      return { refusal: { reason: 'item_unproven', message: `${id} stays open.`, asked: `${id} closed by ${closing.gate}`, found, remedy: 'Have the gate judge each item, with evidence.' }, details: { items: open.map(String) } }
    }
    const strangers = await book.store.unacceptedRuns(closing.runs)
    if (strangers.length > 0) return unfounded(`${id} closed by ${closing.gate}`, strangers)
    const invented = await book.store.unknownEvidence(id, [...ticket.runs, ...closing.runs], evidence)
    if (invented.length > 0) return unfounded(`${id} closed by ${closing.gate}`, invented)
    return {
      kind: 'closed',
      text: closing.reason,
      data: { gate: closing.gate, by: actor.id, evidence, human_input_required: actor.kind === 'human' },
      set: {
        state: 'closed', resolution: 'accepted', reason: null, claim: null, evidence, runs: [...new Set([...ticket.runs, ...closing.runs])],
        ...(ticket.source === null ? {} : { source: { ...ticket.source, reconciled: true } }),
        ...(ticket.runtime.state === 'none' ? {} : { runtime: closedRuntime(ticket.runtime, book.now()) }),
      },
    }
  })
}

/** Takes work back whose claim has ended without a word; the next claim has a higher epoch. Gives how many there were. */
export async function releaseExpired(book: TicketBook, actor: Actor, most: number): Promise<number> {
  let released = 0
  for (const id of await book.store.expiredClaims(book.now(), most)) {
    const outcome = await book.change(id, actor, async (ticket) => {
      if (ticket.claim === null || Date.parse(ticket.claim.expires_at) > book.now().getTime()) return 'nothing'
      const session = isLive(ticket.runtime.state) && ticket.runtime.session !== null ? await book.store.session(ticket.runtime.session) : undefined
      // A turn that is open is ended first, with its record.
      if (session !== undefined && (await book.store.turns(id)).some((turn) => turn.session === session.id && holdsSession(turn.state))) return 'nothing'
      const at = book.now()
      const closed = session === undefined ? undefined : { ...session, state: 'closed' as const, ended_at: at.toISOString() }
      return {
        ...(closed === undefined ? {} : { sessions: [closed] }),
        kind: 'released', text: `The claim of ${ticket.claim.holder} ended without a word.`, data: { holder: ticket.claim.holder, epoch: ticket.claim.epoch }, set: { claim: null, ...(closed !== undefined ? { runtime: runtimeOf(closed) } : isLive(ticket.runtime.state) ? { runtime: closedRuntime(ticket.runtime, at) } : {}), ...(ticket.state === 'in_progress' ? { state: 'todo', reason: 'claim_stale' } : {}) },
      }
    })
    if (outcome.ok && outcome.value.claim === null) released += 1
  }
  return released
}

const illegal = (ticket: Ticket, asked: string, legal: readonly string[]) => ({
  refusal: { reason: 'transition_illegal' as const, message: `${ticket.id} is ${ticket.state}.`, asked: `${ticket.id} to ${asked}`, found: `it is ${ticket.state}`, remedy: legal.length === 0 ? 'Nothing follows it.' : `By hand it can become ${legal.join(', ')}.` },
  details: { state: ticket.state, legal: [...legal] },
})

