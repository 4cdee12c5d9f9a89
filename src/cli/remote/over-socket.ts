import { Agent, fetch } from 'undici'
import type { Ask } from './client.ts'

/** Asks over a Unix socket, which the global fetch does not know. */
export function askOverSocket(socketPath: string): Ask {
  const dispatcher = new Agent({ connect: { socketPath } })
  return async (url, init) => {
    const answer = await fetch(url, { ...init, dispatcher })
    return answer
  }
}
