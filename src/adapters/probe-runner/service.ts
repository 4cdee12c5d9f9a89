import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { withinLimit } from '../../contract/time-limit.ts'
import { milliseconds } from '../../contract/units.ts'
import type { ProbeService } from '../../gates/catalog/index.ts'
import { type ProcessExit, type RunningProcess, startProcess } from '../process/index.ts'
import { ask } from './ask.ts'
import type { Limit } from './limit.ts'

/** Between two looks at whether the service is ready. */
const POLL_MS = 25
/** One look. A service that takes a connection before it can answer would otherwise use up all the time there is. */
const LOOK_MS = 1_000

export interface ServicePlace {
  readonly workspace: string
  readonly environment: Readonly<Record<string, string>>
  readonly keptBytes: number
  readonly limit: Limit
}

/** A service that was started. `stop` must be called, however it went. */
export interface StartedService {
  readonly port: number
  /** How long it took to become ready, or why it did not. */
  readonly readiness: { readonly ready: true; readonly afterMs: number } | { readonly ready: false; readonly why: string }
  /** Asks it to end and waits for as long as its definition allows; at the limit of the probe, no longer. */
  stop(): Promise<{ readonly asked: boolean; readonly exit: ProcessExit }>
}

/**
 * Starts a service on a free port of this machine and waits until it is ready. Rejects with ProcessError if it does not
 * start. The port was free a moment before; should another program take it, the service cannot listen, ends, and fails.
 */
export async function startService(service: ProbeService, place: ServicePlace): Promise<StartedService> {
  const port = await freePort()
  const [program = '', ...rest] = service.command
  const running = await startProcess({ argv: [program, ...rest], cwd: place.workspace, env: { ...place.environment, [service.portVariable]: String(port) }, stdin: 'ignore', keep: { headBytes: place.keptBytes, tailBytes: place.keptBytes } })
  let exit: ProcessExit | undefined
  void running.exited.then((ended) => (exit = ended))
  const readiness = await awaitReady(service, port, place.limit, () => exit)
  return { port, readiness, stop: () => stopService(service, running, place.limit, () => exit) }
}

async function awaitReady({ ready }: ProbeService, port: number, limit: Limit, exited: () => ProcessExit | undefined): Promise<StartedService['readiness']> {
  const startedAt = performance.now()
  const until = startedAt + milliseconds(ready.within)
  let last: string | undefined
  while (!limit.signal.aborted && performance.now() < until) {
    const exit = exited()
    if (exit !== undefined) return { ready: false, why: `ended with ${exit.code === null ? (exit.signal ?? 'a signal') : `code ${exit.code}`} before it was ready` }
    const lookMs = Math.max(1, Math.min(LOOK_MS, until - performance.now()))
    const answer = await ask({ method: 'GET', port, path: ready.path, body: undefined, signal: withinLimit(Math.ceil(lookMs), limit.signal) })
    // Who answers must be ours: one that has ended meanwhile did not.
    if (answer.ok && answer.status === ready.status && exited() === undefined) return { ready: true, afterMs: performance.now() - startedAt }
    const found = answer.ok ? `${ready.path} answered ${answer.status}, not ${ready.status}` : answer.found
    // The look that the limit cut short says less than the one before it.
    if (answer.ok || last === undefined || performance.now() < until) last = found
    await wait(POLL_MS)
  }
  return { ready: false, why: limit.signal.aborted ? 'was ended before it was ready' : `did not become ready within ${ready.within}: ${last ?? 'no answer'}` }
}

async function stopService(service: ProbeService, running: RunningProcess, limit: Limit, exited: () => ProcessExit | undefined): Promise<{ asked: boolean; exit: ProcessExit }> {
  const asked = exited() === undefined
  const onAbort = (): void => void running.stop(0).catch(() => undefined) // The call below reports it.
  limit.signal.addEventListener('abort', onAbort)
  try {
    await running.stop(limit.signal.aborted ? 0 : milliseconds(service.stopWithin))
    return { asked, exit: await running.exited }
  } finally {
    limit.signal.removeEventListener('abort', onAbort)
  }
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new TypeError('a listener without a port'))))
    })
  })
}
