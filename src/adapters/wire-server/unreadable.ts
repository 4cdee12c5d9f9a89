import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { systemCode } from '../../contract/errors.ts'
import { refusalAnswer, type WireRefusal } from '../../gates/wire/index.ts'

/** What the parser of Node found, as a status and a sentence. Anything else is a request that is no HTTP. */
const PROBLEMS: Readonly<Record<string, readonly [status: number, found: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers that are longer than the wire takes'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'chunk extensions that are longer than the wire takes'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'a request that did not arrive whole in time'],
  HPE_INVALID_TRANSFER_ENCODING: [400, 'a transfer coding that leaves open where the request ends'],
  HPE_INVALID_CONTENT_LENGTH: [400, 'a content-length that leaves open where the request ends'],
  HPE_UNEXPECTED_CONTENT_LENGTH: [400, 'two lengths of one request'],
  HPE_INVALID_CHUNK_SIZE: [400, 'a chunk whose size cannot be read'],
}

/**
 * Answers what cannot be read as a request: no run is known, so none is charged, and the connection ends. Where a request
 * begins and ends must never be a guess, because what comes after a wrong guess would be another request of somebody else.
 */
export function refuseUnreadable(server: Server): void {
  const answering = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (incoming: IncomingMessage, client: ServerResponse) => void answering.set(incoming.socket, client))
  server.on('checkExpectation', (_incoming: IncomingMessage, client: ServerResponse) => {
    const { status, headers, body } = answerOf(417, 'an expectation other than 100-continue')
    client.writeHead(status, { ...headers, connection: 'close' }).end(body)
  })
  server.on('clientError', (error: Error, socket: Duplex) => {
    const open = answering.get(socket)
    // In the middle of an answer a second status line would be read as a part of it.
    if (!socket.writable || (open !== undefined && open.headersSent && !open.writableFinished)) return void socket.destroy()
    const [status, found] = PROBLEMS[systemCode(error) ?? ''] ?? [400, 'something that is not one HTTP/1.1 request']
    const answer = answerOf(status, found)
    const lines = Object.entries({ ...answer.headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
    socket.end([`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`, ...lines, '', answer.body].join('\r\n'), () => socket.destroy())
  })
}

function answerOf(status: number, found: string): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const reason = status === 413 || status === 431 ? 'request_too_large' : 'request_malformed'
  const refusal: WireRefusal = { reason, asked: null, admitted: [], found, remedy: 'Send one HTTP/1.1 request with one length, at once and whole.' }
  const { headers, body } = refusalAnswer(null, refusal)
  return { status, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, body }
}
