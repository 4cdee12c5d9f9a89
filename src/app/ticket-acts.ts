import { sha256 } from '../contract/canonical.ts'
import { attach, type Outcome, type TicketBook } from '../engine/index.ts'
import type { Actor, Ticket } from '../gates/dispatch/index.ts'

// Surfaces know the app and the contract alone.
export { addItems, claim, claimNext, comment, judgeItem, move, releaseExpired, renewClaim, reviewReady } from '../engine/index.ts'

export const attachBytes = (book: TicketBook, id: string, actor: Actor, file: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }): Promise<Outcome<Ticket>> => attach(book, id, actor, { ...file, sha256: sha256(file.bytes) })
