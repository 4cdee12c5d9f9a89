import type { ProcessExit, RunningProcess } from '../process/index.ts'

/** How a probe came to its end. */
export type Ended = 'by itself' | 'limit' | 'cancelled'

/** The time that a probe has, and whether somebody cancelled it first. The two are never mixed (ACC-69). */
export interface Limit {
  /** Aborted at the limit, or when the probe is cancelled. */
  readonly signal: AbortSignal
  ended(): Ended
  close(): void
}

/** Begins to count at once. `close` must be called. */
export function startLimit(limitMs: number, cancelled: AbortSignal): Limit {
  let ended: Ended = 'by itself'
  const controller = new AbortController()
  const end = (why: Ended): void => {
    if (ended !== 'by itself') return
    ended = why
    controller.abort()
  }
  const onAbort = (): void => end('cancelled')
  const timer = setTimeout(() => end('limit'), limitMs)
  cancelled.addEventListener('abort', onAbort)
  if (cancelled.aborted) onAbort()
  return {
    signal: controller.signal,
    ended: () => ended,
    close: () => {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', onAbort)
    },
  }
}

/** Waits for the end; at the limit, or when cancelled, ends the whole of it first. */
export async function exitWithin(running: RunningProcess, limit: Limit): Promise<ProcessExit> {
  const stopped = Promise.withResolvers<void>()
  const onAbort = (): void => void running.stop(0).then(stopped.resolve, stopped.reject)
  limit.signal.addEventListener('abort', onAbort)
  if (limit.signal.aborted) onAbort()
  try {
    return await Promise.race([running.exited, stopped.promise.then(() => running.exited)])
  } finally {
    limit.signal.removeEventListener('abort', onAbort)
  }
}
