import type { RequestInit } from 'undici'
import { systemCode } from '../../contract/errors.ts'
import type { ChallengeFacts } from '../../gates/readiness/index.ts'
import { AddressRefused, type GuardedClient, limitOf } from '../outgoing/index.ts'

/** Longer answers are cut off: whoever is asked who it is does not need a megabyte. */
const MAX_BYTES = 262_144

export type Failed = Pick<Extract<ChallengeFacts, { status: 'failed' }>, 'failure' | 'found'>

export type Asked = { readonly status: 'answered'; readonly bytes: Buffer } | { readonly status: 'refused'; readonly found: string } | ({ readonly status: 'failed' } & Failed)

/** One request, its answer in full. Never rejects. */
export async function ask(client: GuardedClient, url: string, timeoutMs: number, init: RequestInit = {}): Promise<Asked> {
  const limit = limitOf(timeoutMs)
  try {
    const answer = await client.fetch(url, { ...init, signal: limit.signal })
    const bytes = await bodyOf(answer.body)
    if (bytes === undefined) return { status: 'failed', failure: 'error', found: `an answer of more than ${MAX_BYTES} bytes` }
    return answer.status === 200 ? { status: 'answered', bytes } : { status: 'failed', failure: 'error', found: `status ${answer.status}` }
  } catch (error) {
    if (error instanceof AddressRefused) return { status: 'refused', found: error.found }
    return { status: 'failed', ...failureOf(error, timeoutMs) }
  } finally {
    limit.clear()
  }
}

/** The class of a failure. Only codes and names are repeated: a message may quote an address. */
export function failureOf(error: unknown, timeoutMs: number): Failed {
  const code = systemCode(error) ?? (error instanceof Error ? error.name : typeof error)
  const late = /Timeout|TIMEOUT|AbortError/.test(code) || (error instanceof Error && /timed out/i.test(error.message))
  return late ? { failure: 'timeout', found: `no answer within ${timeoutMs} ms` } : { failure: 'error', found: `no answer (${code})` }
}

async function bodyOf(body: AsyncIterable<unknown> | null): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    if (!(chunk instanceof Uint8Array)) continue
    length += chunk.length
    if (length > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The parsed JSON of an answer; undefined if it is none. */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
