import { brotliDecompress, gunzip, zstdDecompress } from 'node:zlib'
import * as z from 'zod'
import { systemCode } from '../../contract/errors.ts'

/** `decoded` is undefined for a body that is not compressed, or in a way that is not undone here; that is for the gate to judge. */
export type BodyUnpacked = { readonly ok: true; readonly decoded: Buffer | undefined } | { readonly ok: false; readonly problem: 'too_large' | 'broken' }

export const NOT_COMPRESSED: BodyUnpacked = { ok: true, decoded: undefined }

type Decode = (body: Uint8Array, options: { readonly maxOutputLength: number; readonly info: true }, done: (error: Error | null, result: unknown) => void) => void

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([['gzip', gunzip], ['x-gzip', gunzip], ['br', brotliDecompress], ['zstd', zstdDecompress]])

/** What a decoder gives when it is asked for `info`: the text, and how much of the input it took. */
const Undone = z.object({ buffer: z.instanceof(Buffer), engine: z.object({ bytesWritten: z.int() }) })

/**
 * Undoes one content encoding, to read what stands in the body; the body itself goes on as it came (WIR-11). No more than
 * `maxBytes` are ever made, so that a small body cannot fill the memory (WIR-40). More than one encoding is not undone.
 */
export async function unpackBody(body: Buffer, contentEncoding: string | null, maxBytes: number): Promise<BodyUnpacked> {
  const decode = body.length === 0 ? undefined : DECODERS.get(contentEncoding?.trim().toLowerCase() ?? '')
  if (decode === undefined) return NOT_COMPRESSED
  let result: unknown
  try {
    result = await new Promise((resolve, reject) => decode(body, { maxOutputLength: maxBytes, info: true }, (error, undone) => (error === null ? resolve(undone) : reject(error))))
  } catch (error) {
    // Whatever else a decoder says: nobody can tell then what the body asks.
    return { ok: false, problem: systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'broken' }
  }
  const { buffer, engine } = Undone.parse(result)
  // Some decoders stop at the first end and some go on: bytes behind it could ask something else there than they do here.
  return engine.bytesWritten === body.length ? { ok: true, decoded: buffer } : { ok: false, problem: 'broken' }
}
