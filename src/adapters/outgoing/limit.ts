/** A limit of time that is over with what it was for: `AbortSignal.timeout` keeps all that waits for it until its time has come, for each of thousands of agents. */
export function limitOf(timeoutMs: number): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}
