/**
 * A signal that is aborted with the first of the others, with its reason, or after `limitMs` milliseconds, with a `TimeoutError`.
 * Use it where `AbortSignal.any([signal, AbortSignal.timeout(limitMs)])` comes to mind: Node.js holds a timeout only weakly
 * from a signal that was made of it, so that the limit may never come where the signal is only looked at, or heard later.
 */
export function withinLimit(limitMs: number, ...others: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  const ended: (() => void)[] = []
  const end = (reason: unknown): void => {
    for (const each of ended) each()
    controller.abort(reason)
  }
  const timer = setTimeout(() => end(new DOMException(`not ended within ${limitMs} ms`, 'TimeoutError')), limitMs)
  // What only waits for a limit must not keep a process that has nothing else to do.
  timer.unref()
  ended.push(() => clearTimeout(timer))
  for (const other of others) {
    if (other.aborted) {
      end(other.reason)
      break
    }
    const hear = (): void => end(other.reason)
    other.addEventListener('abort', hear, { once: true })
    ended.push(() => other.removeEventListener('abort', hear))
  }
  return controller.signal
}
