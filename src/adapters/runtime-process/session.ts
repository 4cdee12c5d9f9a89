import type { DeliveryResult } from '../../engine/agent.ts'

/** A delivery that did not happen, or of which it is not known that it did. */
export const notDelivered = (pid: number, found: string): DeliveryResult => ({
  ok: false,
  refusal: {
    reason: 'failed_to_inject',
    message: 'The prompt did not enter the session.',
    asked: `delivery of the prompt to process ${pid}`,
    found,
    remedy: 'Start a new run; a prompt is never sent a second time into a session that may already have it.',
  },
})

/** The value, or undefined if the signal comes first. The listener does not outlive the wait. */
export async function unlessAborted<Value>(signal: AbortSignal, value: Promise<Value>): Promise<Value | undefined> {
  if (signal.aborted) return undefined
  let onAbort = (): void => undefined
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([value, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
