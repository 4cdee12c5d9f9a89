import { request } from 'node:http'
import { systemCode } from '../../contract/errors.ts'

/** A body that is longer is no answer to a probe. Read until then, and no further. */
const BODY_BYTES = 1_048_576

export interface Question {
  readonly method: string
  readonly port: number
  readonly path: string
  /** Sent as JSON, as it is. */
  readonly body: string | undefined
  readonly signal: AbortSignal
}

export type Answer =
  | { readonly ok: true; readonly status: number; readonly headers: Readonly<Record<string, string | undefined>>; readonly body: Buffer }
  /** The system's code, and nothing of the text of the error. */
  | { readonly ok: false; readonly found: string }

/** One request to a service on this machine, on a connection of its own: a service that is asked to end must not wait for ours. Never rejects. */
export function ask({ method, port, path, body, signal }: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: unknown): void => resolve({ ok: false, found: `no answer (${signal.aborted ? 'not in time' : (systemCode(error) ?? 'the connection failed')})` })
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false, signal }, (incoming) => {
      const chunks: Buffer[] = []
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= BODY_BYTES) return void chunks.push(chunk)
        resolve({ ok: false, found: `an answer of more than ${BODY_BYTES} bytes` })
        incoming.destroy()
      })
      incoming.once('error', fail)
      incoming.once('end', () => resolve({ ok: true, status: incoming.statusCode ?? 0, headers: joined(incoming.headers), body: Buffer.concat(chunks) }))
    })
    outgoing.once('error', fail)
    outgoing.end(body)
  })
}

const joined = (headers: NodeJS.Dict<string | string[]>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]))
