import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { milliseconds } from '../../contract/units.ts'
import { encodeEvent, type ServerEvent } from './dialect.ts'
import type { Fault } from './script.ts'

/** What goes out with an answer, besides its body. */
export type Headers = Readonly<Record<string, string>>

/** Sends JSON whole, with its length. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Headers): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers })
  response.end(bytes)
}

/** Sends an answer as JSON, with what the fault does to it. */
export async function deliverJson(response: ServerResponse, body: unknown, fault: Fault | undefined, headers: Headers): Promise<void> {
  if (!(await pause(response, fault))) return
  const whole = Buffer.from(fault?.garbage === true ? '<html><body><h1>502 Bad Gateway</h1></body></html>' : JSON.stringify(body))
  const half = whole.subarray(0, Math.ceil(whole.length / 2))
  // An answer without its end has a true length: only who parses it can tell. A cut one promises more than it sends.
  const promised = fault?.unfinished === true ? half : whole
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(promised.length), ...headers })
  if (fault?.stall === true || fault?.cut === true) return breakOff(response, [half], fault)
  response.end(promised)
}

/** Sends an answer as server-sent events, with what the fault does to it. */
export async function deliverStream(response: ServerResponse, events: readonly ServerEvent[], fault: Fault | undefined, headers: Headers): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers })
  response.flushHeaders()
  if (fault?.garbage === true) {
    response.end('data: <html><body><h1>502 Bad Gateway</h1></body></html>\n\n')
    return
  }
  const beforeEnd = events.filter(({ ends }) => !ends)
  if (fault?.stall === true || fault?.cut === true) {
    return breakOff(response, beforeEnd.slice(0, Math.ceil(beforeEnd.length / 2)).map(encodeEvent), fault)
  }
  for (const event of fault?.unfinished === true ? beforeEnd : events) {
    if (!(await pause(response, fault)) || !(await write(response, encodeEvent(event)))) return
  }
  response.end()
}

/** Sends these pieces and then nothing more: the connection is destroyed, or stays open in silence. */
async function breakOff(response: ServerResponse, pieces: readonly (string | Buffer)[], fault: Fault): Promise<void> {
  for (const piece of pieces) {
    if (!(await pause(response, fault)) || !(await write(response, piece))) return
  }
  if (fault.cut === true) response.destroy()
}

/** Waits as long as the fault says. False if the client has gone meanwhile. */
async function pause(response: ServerResponse, fault: Fault | undefined): Promise<boolean> {
  if (fault?.slow !== undefined) {
    const gone = new AbortController()
    const stop = (): void => gone.abort()
    response.once('close', stop)
    try {
      await delay(milliseconds(fault.slow), undefined, { signal: gone.signal })
    } catch (error) {
      if (gone.signal.aborted) return false
      throw error
    } finally {
      response.off('close', stop)
    }
  }
  return !response.destroyed
}

/** Resolves when the bytes were handed to the system, so that a slow reader holds the stream back. False if the client has gone. */
function write(response: ServerResponse, chunk: string | Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    response.write(chunk, (error) => resolve(error === undefined || error === null))
  })
}
