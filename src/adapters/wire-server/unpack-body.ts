import { promisify } from 'node:util'
import { brotliDecompress, gunzip, zstdDecompress } from 'node:zlib'
import { systemCode } from '../../contract/errors.ts'

/** `decoded` is undefined for a body that is not compressed, or in a way that is not undone here; that is for the gate to judge. */
export type BodyUnpacked = { readonly ok: true; readonly decoded: Buffer | undefined } | { readonly ok: false; readonly problem: 'too_large' | 'broken' }

type Decode = (body: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
])

/**
 * Undoes one content encoding, to read what stands in the body; the body itself goes on as it came (WIR-11). No more than
 * `maxBytes` are ever made, so that a small body cannot fill the memory (WIR-40). More than one encoding is not undone.
 */
export async function unpackBody(body: Buffer, contentEncoding: string | null, maxBytes: number): Promise<BodyUnpacked> {
  const decode = body.length === 0 ? undefined : DECODERS.get(contentEncoding?.trim().toLowerCase() ?? '')
  if (decode === undefined) return { ok: true, decoded: undefined }
  try {
    return { ok: true, decoded: await decode(body, { maxOutputLength: maxBytes }) }
  } catch (error) {
    // Anything else that a decoder says means that nobody can tell what the body asks.
    return { ok: false, problem: systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'broken' }
  }
}
