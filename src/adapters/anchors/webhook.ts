import { PortcullisError } from '../../contract/errors.ts'

const TIMEOUT_MS = 10_000

/** Sends a checkpoint to somebody who keeps it, as text. Throws `store_failed` unless the answer says that it was taken. */
export async function postNote(address: URL, note: string): Promise<void> {
  const failed = (found: string): PortcullisError => new PortcullisError('store_failed', { asked: `to send the checkpoint to ${address.origin}`, found, remedy: 'Nothing was kept there. Check the address, and that its server answers with 2xx.' })
  let response: Response
  try {
    response = await fetch(address, { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, body: note, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch {
    // The error of fetch quotes the address, which may hold a token.
    throw failed('no answer')
  }
  await response.body?.cancel()
  if (!response.ok) throw failed(`status ${response.status}`)
}
