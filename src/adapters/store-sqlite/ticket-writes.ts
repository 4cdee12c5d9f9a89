import type { DatabaseSync } from 'node:sqlite'
import { canonicalJson } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { TicketWrite } from '../../engine/index.ts'
import { PRIORITIES, type QueuedMessage, type Ticket, type TicketSession, type TicketTurn } from '../../gates/dispatch/index.ts'

/** The writes of tickets, for use inside the transaction of the event that each belongs to. */
export class TicketWrites {
  readonly #statements

  constructor(database: DatabaseSync) {
    this.#statements = {
      actor: database.prepare('INSERT INTO ticket_actor (id, kind) VALUES (?, ?) ON CONFLICT DO NOTHING'),
      kind: database.prepare('SELECT kind FROM ticket_actor WHERE id = ?'),
      insert: database.prepare('INSERT INTO ticket (id, number, version, position, state, resolution, priority, project, owner, epoch, claimed_until, retry_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
      update: database.prepare('UPDATE ticket SET version = ?, position = ?, state = ?, resolution = ?, priority = ?, project = ?, owner = ?, epoch = ?, claimed_until = ?, retry_at = ?, body = ? WHERE id = ? AND version = ?'),
      session: database.prepare('INSERT INTO ticket_session (id, ticket, epoch, state, token_sha256, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET state = ?4, body = ?6'),
      turn: database.prepare(`INSERT INTO ticket_turn (id, ticket, attempt, session, epoch, state, key, nonce_sha256, nonce_spent, lease_until, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`),
      moveTurn: database.prepare('UPDATE ticket_turn SET state = ?2, nonce_spent = ?3, lease_until = ?4, body = ?5 WHERE id = ?1'),
      message: database.prepare('INSERT INTO ticket_message (id, ticket, state, key, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET state = ?3, body = ?5'),
      attachment: database.prepare('INSERT INTO ticket_attachment (ticket, sha256, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    }
  }

  /** Writes one change whose event stands at `position`. Throws `ticket_conflict` if the ticket has changed since it was read. */
  change(position: number, write: TicketWrite): void {
    const { event, ticket } = write
    this.#actor(event.actor.id, event.actor.kind)
    if (ticket.version === 1) this.#insert(position, ticket)
    else this.#update(position, ticket)
    for (const session of write.sessions ?? []) this.#session(session)
    for (const turn of write.turns ?? []) this.#turn(turn)
    for (const message of write.messages ?? []) this.#message(message)
    if (write.attached !== undefined) this.#statements.attachment.run(ticket.id, write.attached.sha256, write.attached.bytes)
  }

  /** An id that was a person's is never a program's as well (MC-015). */
  #actor(id: string, kind: string): void {
    this.#statements.actor.run(id, kind)
    const known = this.#statements.kind.get(id)?.['kind']
    if (known !== kind) throw new PortcullisError('actor_mismatch', { asked: `an act of ${id} as ${kind}`, found: `it is known as ${String(known)}`, remedy: 'Give each person and each program a name of its own.' })
  }

  #insert(position: number, ticket: Ticket): void {
    const { changes } = this.#statements.insert.run(ticket.id, ticket.number, ticket.version, position, ...columnsOf(ticket))
    if (Number(changes) !== 1) throw conflict(ticket)
  }

  #update(position: number, ticket: Ticket): void {
    const { changes } = this.#statements.update.run(ticket.version, position, ...columnsOf(ticket), ticket.id, ticket.version - 1)
    if (Number(changes) !== 1) throw conflict(ticket)
  }

  #session(session: TicketSession): void {
    this.#statements.session.run(session.id, session.ticket, session.epoch, session.state, session.token_sha256, canonicalJson(session))
  }

  #turn(turn: TicketTurn): void {
    const spent = turn.nonce_spent ? 1 : 0
    const { changes } = this.#statements.moveTurn.run(turn.id, turn.state, spent, turn.lease_until, canonicalJson(turn))
    if (Number(changes) === 0) this.#statements.turn.run(turn.id, turn.ticket, turn.attempt, turn.session, turn.epoch, turn.state, turn.key, turn.nonce_sha256, spent, turn.lease_until, canonicalJson(turn))
  }

  #message(message: QueuedMessage): void {
    this.#statements.message.run(message.id, message.ticket, message.state, message.key, canonicalJson(message))
  }
}

const columnsOf = (ticket: Ticket) => [ticket.state, ticket.resolution, PRIORITIES.indexOf(ticket.priority), ticket.project, ticket.owner, ticket.epoch, ticket.claim?.expires_at ?? null, ticket.retry_at, canonicalJson(ticket)] as const

const conflict = ({ id, version }: Ticket): PortcullisError => new PortcullisError('ticket_conflict', { asked: `to change ${id} as it was at event ${version - 1}`, found: 'somebody else changed it in the meantime', remedy: 'Read it again, and decide again.' })
