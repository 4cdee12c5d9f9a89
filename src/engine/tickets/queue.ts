import type { Actor, QueuedMessage, Ticket } from '../../gates/dispatch/index.ts'
import type { Decision, Outcome, TicketBook } from './book.ts'

/** The messages of a ticket that wait, in their order (MC-035). */
export const waiting = async (book: TicketBook, id: string): Promise<readonly QueuedMessage[]> => (await book.store.messages(id)).filter(({ state }) => state === 'pending')

/** Takes a message back that was not sent yet. */
export const removeMessage = (book: TicketBook, id: string, by: Actor, messageId: string): Promise<Outcome<Ticket>> =>
  changeWaiting(book, id, by, messageId, 'removed', (message) => ({ kind: 'message_removed', data: { message: messageId }, messages: [{ ...message, state: 'removed' }] }))

/** Other words for a message that was not sent yet. It keeps its place, and who brought it. */
export const editMessage = (book: TicketBook, id: string, by: Actor, messageId: string, text: string): Promise<Outcome<Ticket>> =>
  changeWaiting(book, id, by, messageId, 'changed', (message) => ({ kind: 'message_changed', data: { message: messageId, bytes: Buffer.byteLength(text) }, messages: [{ ...message, text }] }))

function changeWaiting(book: TicketBook, id: string, by: Actor, messageId: string, how: string, change: (message: QueuedMessage) => Decision): Promise<Outcome<Ticket>> {
  return book.change(id, by, async (): Promise<Decision> => {
    const message = (await book.store.messages(id)).find((each) => each.id === messageId)
    if (message?.state === 'pending') return change(message)
    return { refusal: { reason: 'transition_illegal', message: `Only a message that waits can be ${how}.`, asked: messageId, found: message === undefined ? 'no such message' : `it is ${message.state}`, remedy: 'See the messages that wait.' } }
  })
}
