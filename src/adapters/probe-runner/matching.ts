import { createContext, runInContext } from 'node:vm'

/** An expression that takes longer is not going to end. */
export const MATCH_LIMIT_MS = 1_000

/** Undefined if it cannot be said in time. In a context of its own, because only there an expression can be interrupted. */
export function matchesInTime(source: string, text: string): boolean | undefined {
  try {
    return runInContext('new RegExp(source, "m").test(text)', createContext({ source, text }), { timeout: MATCH_LIMIT_MS }) === true
  } catch (error) {
    // Made in the other context, so it is no instance of our Error.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}
