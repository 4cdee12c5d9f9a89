import type { IncomingMessage } from 'node:http'

export type BodyRead = { readonly ok: true; readonly body: Buffer } | { readonly ok: false; readonly problem: 'too_large' | 'incomplete' }

/** Reads a request's body whole, up to a limit. What comes after the limit is read and thrown away, so that the sender can hear the refusal. */
export function readBody(incoming: IncomingMessage, limitBytes: number): Promise<BodyRead> {
  return new Promise((resolve) => {
    let pieces: Buffer[] = []
    let bytes = 0
    let over = false
    const end = (read: BodyRead): void => {
      over = true
      pieces = []
      resolve(read)
    }
    if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) end({ ok: false, problem: 'too_large' })
    incoming.on('data', (chunk: Buffer) => {
      if (over) return
      bytes += chunk.length
      if (bytes > limitBytes) end({ ok: false, problem: 'too_large' })
      else pieces.push(chunk)
    })
    incoming.once('end', () => end({ ok: true, body: Buffer.concat(pieces) }))
    incoming.once('error', () => end({ ok: false, problem: 'incomplete' }))
    incoming.once('close', () => end({ ok: false, problem: 'incomplete' }))
  })
}
