import { PortcullisError } from '../contract/errors.ts'

/** No request of ours comes near it. */
export const MAX_BODY_BYTES = 1_048_576

/** The body as JSON; undefined where there is none. Throws `media_type_refused` for any other type, `body_too_large` or `request_invalid`. */
export async function readJson(request: Request): Promise<unknown> {
  // Only these types make a browser ask first whether another origin may send them (AUT-05).
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json(?:;\s*charset=utf-8)?$/i.test(type.trim())) throw new PortcullisError('media_type_refused', { asked: 'Content-Type: application/json, also where there is no body', found: 'another type, or none', remedy: 'Send the header.' })
  const bytes = await readBytes(request)
  if (bytes.length === 0) return undefined
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return document
  } catch {
    throw new PortcullisError('request_invalid', { asked: 'a body in JSON', found: 'text that is not JSON', remedy: 'Mend the request, and send it again.' })
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = new PortcullisError('body_too_large', { asked: `a body of at most ${MAX_BODY_BYTES} bytes`, found: 'a larger one', remedy: 'Send less.' })
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  const stream: ReadableStream<Uint8Array> | null = request.body
  if (stream === null) return Buffer.alloc(0)
  for await (const chunk of stream) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
