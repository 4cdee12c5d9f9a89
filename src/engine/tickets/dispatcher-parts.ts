import type { Actor, TicketSession } from '../../gates/dispatch/index.ts'
import type { TicketBook } from './book.ts'
import type { ChannelStarter, WorkWatch } from './channel.ts'
import type { Limits } from './endings.ts'

export interface DispatcherParts {
  readonly book: TicketBook
  readonly starter: ChannelStarter
  readonly work: WorkWatch
  /** Who this supervisor is; turns that it left open are ended when it starts again. */
  readonly supervisor: Actor
  /** True for a session whose supervisor is gone: its turns are ended at the start (MC-058). */
  abandoned(session: TicketSession): boolean
  readonly limits: Limits
  /** How long a session may take to confirm a message, and how long a turn may take. */
  readonly deliveryMs: number
  readonly turnMs: number
  /** How many tokens the context of a fresh session may hold at most, where it says so (MC-040). Undefined: no bound was set. */
  readonly startTokens?: number | undefined
}
