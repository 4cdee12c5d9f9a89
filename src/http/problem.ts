import { ERROR_TABLE, type ErrorCode, PortcullisError } from '../contract/errors.ts'
import type { Refusal } from '../contract/gate.ts'
import { REASON_TABLE } from '../contract/reasons.ts'
import * as z from 'zod'

export const PROBLEM_TYPE = 'application/problem+json'

/** RFC 9457, with what every refusal and fault says: what was asked, what was found, what to do. */
export const Problem = z.strictObject({
  type: z.url().describe('The reason, as a place in its documentation.'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().describe('Stable: a reason of a refusal, or the code of a fault.'),
  asked: z.string(),
  found: z.string(),
  remedy: z.string(),
  retry: z.enum(['never', 'later']).describe('Whether the same request can succeed later without a change.'),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.array(z.string())])).optional().describe('What a program needs to go on: what is legal, what was observed, who holds it, the ways out.'),
})
export type Problem = z.infer<typeof Problem>

const typeOf = (code: string): string => `https://portcullis.dev/reasons#${code}`

/** A gate's refusal as a problem. */
export function problemOfRefusal({ reason, message, asked, found, remedy }: Pick<Refusal, 'reason' | 'message' | 'asked' | 'found' | 'remedy'>, details?: Problem['details']): Problem {
  const { title, http, retry } = REASON_TABLE[reason]
  return { type: typeOf(reason), title, status: http, detail: message, code: reason, asked, found, remedy, retry, ...(details === undefined || Object.keys(details).length === 0 ? {} : { details }) }
}

/** A fault as a problem. Of one that is not ours nothing is told: its text was written for nobody. */
export function problemOfFault(error: unknown): Problem {
  if (!(error instanceof PortcullisError)) return problem('unexpected', { asked: 'an answer', found: 'a fault of the server', remedy: 'See its log, and report it.' })
  return problem(error.code, error)
}

export function problem(code: ErrorCode, { asked, found, remedy }: { readonly asked: string; readonly found: string; readonly remedy: string }): Problem {
  const { title, http } = ERROR_TABLE[code]
  return { type: typeOf(code), title, status: http, detail: `${title}: ${found}`, code, asked, found, remedy, retry: http === 503 || http === 429 ? 'later' : 'never' }
}

/** The same words whatever was wrong with what was shown (AUT-06): a guess learns nothing from them. */
export const ACCESS_PROBLEMS = {
  access_denied: problem('access_denied', { asked: 'access', found: 'no token or session that is in force', remedy: 'Send Authorization: Bearer with a token of npx portcullis tokens create.' }),
  access_forbidden: problem('access_forbidden', { asked: 'access', found: 'a token of another kind', remedy: 'Use a token of a kind that the route is open to; GET /openapi.json names them.' }),
  attempts_limited: problem('attempts_limited', { asked: 'access', found: 'too many failed attempts', remedy: 'Wait as long as Retry-After says.' }),
  origin_refused: problem('origin_refused', { asked: 'an answer', found: 'headers that a page of another origin may have caused', remedy: 'Call the server by an address it listens on, from a program or from its own console.' }),
  route_unknown: problem('route_unknown', { asked: 'a route of the server', found: 'none for this method and address', remedy: 'GET /openapi.json lists them.' }),
} as const
