import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** Far above any real conversation, and still small enough to hold. */
const MAX_BODY_BYTES = 32 * 1_048_576

/** The whole body; undefined if it is larger than 32 MiB. Rejects if the client goes away while sending. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: AsyncIterable<Buffer> = request
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes <= MAX_BODY_BYTES) chunks.push(piece)
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks)
}

/** Parses JSON. Undefined stands for what is none; JSON itself cannot say undefined. */
export function parseJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The key a client sent: a bearer token or, as Anthropic's and Google's clients do, in a header of its own. Null if it sent none. */
export function credentialOf(headers: IncomingHttpHeaders): string | null {
  const [scheme, ...token] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && token.length === 1) return token[0] ?? null
  const key = headers['x-api-key'] ?? headers['x-goog-api-key']
  return typeof key === 'string' ? key : null
}
