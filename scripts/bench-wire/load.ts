import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant } from './contestants.ts'

export interface Load {
  readonly name: string
  readonly body: Buffer
  /** What every whole answer ends with; anything else is a failed request, and a contestant that fails one gets no figure. */
  readonly endsWith: string
}

const message = (bytes: number): object => ({ role: 'user', content: 'y'.repeat(bytes) })
const question = (user: string, bytes: number, stream: boolean): Buffer => Buffer.from(JSON.stringify({ user, model: 'coder-1', stream, messages: [message(bytes)] }))

export const JSON_2KB: Load = { name: '2 KB JSON', body: question('json', 2_000, false), endsWith: '}' }
export const JSON_100KB: Load = { name: '100 KB request', body: question('json', 100_000, false), endsWith: '}' }
export const SSE_50: Load = { name: 'SSE, 50 events', body: question('sse', 2_000, true), endsWith: 'data: [DONE]\n\n' }
export const SLOW: Load = { name: 'slow stream', body: question('slow', 200, true), endsWith: 'data: [DONE]\n\n' }

/** One request, to its end. Gives its time in milliseconds; rejects if the answer is not whole. */
export function once({ port, path, headers }: Contestant, load: Load, agent: Agent, onData?: (bytes: Buffer) => void): Promise<number> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers: { ...headers, 'content-length': load.body.length } }, (answer) => {
      let last: Buffer = Buffer.alloc(0)
      answer.on('data', (bytes: Buffer) => {
        onData?.(bytes)
        last = bytes.length >= 20 ? bytes : Buffer.concat([last, bytes]).subarray(-20)
      })
      answer.on('end', () => (answer.statusCode === 200 && answer.complete && last.toString('latin1').endsWith(load.endsWith) ? resolve(performance.now() - began) : reject(new Error(`status ${answer.statusCode}, ending in ${JSON.stringify(last.toString('latin1').slice(-40))}`))))
      answer.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(load.body)
  })
}

/** Sends `count` requests over `connections` at once, each after the other. Gives requests a second. */
export async function closedLoop(contestant: Contestant, load: Load, count: number, connections: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const began = performance.now()
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await once(contestant, load, agent)
  }
  await Promise.all(Array.from({ length: connections }, worker))
  agent.destroy()
  return (count * 1_000) / (performance.now() - began)
}

/** Sends requests at a fixed rate whatever becomes of the ones before, and gives each one's time. */
export async function openLoop(contestant: Contestant, load: Load, perSecond: number, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const running: Promise<number>[] = []
  const began = performance.now()
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const due = began + (sent * 1_000) / perSecond
    if (due > performance.now()) await delay(due - performance.now())
    running.push(once(contestant, load, agent))
  }
  const times = await Promise.all(running)
  agent.destroy()
  return times
}

/** Opens many slow streams at once, and gives how late each event came, in milliseconds after it was written. */
export async function slowStreams(contestant: Contestant, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: false, maxSockets: count })
  const late: number[] = []
  const one = (): Promise<number> =>
    once(contestant, SLOW, agent, (bytes) => {
      const now = Date.now()
      for (const match of bytes.toString('latin1').matchAll(/at:(\d+)/g)) late.push(now - Number(match[1]))
    })
  await Promise.all(Array.from({ length: count }, one))
  agent.destroy()
  return late
}

/** A wave of clients that leave: some while queued, some before the first byte, some in the middle of a stream. */
export async function disconnectingWave({ port, path, headers }: Contestant, count: number): Promise<void> {
  const leave = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false, headers: { ...headers, 'content-length': SLOW.body.length } }, (answer) => {
        if (index % 3 === 2) answer.once('data', () => outgoing.destroy())
        answer.on('error', () => undefined)
      })
      outgoing.once('error', () => undefined)
      outgoing.once('close', () => resolve())
      outgoing.end(SLOW.body)
      if (index % 3 === 0) setImmediate(() => outgoing.destroy())
      if (index % 3 === 1) setTimeout(() => outgoing.destroy(), 30)
    })
  await Promise.all(Array.from({ length: count }, (_, index) => leave(index)))
}

export const quantile = (values: readonly number[], share: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
