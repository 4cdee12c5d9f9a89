import { printPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import { readQuery } from './binding.ts'
import { overBudget, type Spending } from './budget.ts'
import { isModelName, locateModel, replaceModel } from './model-field.ts'
import { candidatesFor } from './failover.ts'
import { type GrantRequest, type Target, targetsOf } from './ports.ts'
import { findRoute, type Route } from './routes.ts'

/** One request of a run, read whole; `path` and `query` hold no token. */
export interface Question {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly contentEncoding: string | null
  readonly body: Uint8Array
}

export interface AdmittedQuestion {
  readonly admitted: true
  readonly route: Route
  readonly requestedModel: string | null
  /** Who may answer, in order. More than one only for a question by alias; a question by model id is pinned to it (WIR-31). */
  readonly candidates: readonly [Target, ...Target[]]
  /** What goes to a candidate: the bytes as received, save for an alias or a background model, which becomes its exact id. */
  bodyFor(candidate: Target): Uint8Array
  readonly stream: boolean
}

export interface RefusedQuestion {
  readonly admitted: false
  readonly route: Route | undefined
  readonly requestedModel: string | null
  readonly stream: boolean
  readonly reason: Reason
  readonly found: string
  readonly remedy: string
}

/** Whether a request of a run may go to the provider, and with which bytes (WIR-02, WIR-07, WIR-12). Everything not listed here is refused. */
export function admitQuestion(question: Question, grant: GrantRequest, spending: Spending): AdmittedQuestion | RefusedQuestion {
  const route = findRoute(question.method, question.path)
  const field = question.body.length === 0 ? undefined : locateModel(question.body)
  const named = field?.found === true ? field : undefined
  const query = readQuery(question.query)
  const requestedModel = named?.model ?? (query.ok ? query.model : null)
  const stream = named?.stream ?? false
  const refuse = (reason: Reason, found: string, remedy: string): RefusedQuestion => ({ admitted: false, route, requestedModel: printable(requestedModel), stream, reason, found, remedy })

  if (route === undefined) return refuse('route_not_listed', 'a route that the wire does not list', 'Use the chat completions, responses or messages route; nothing else is forwarded.')
  const speakers = targetsOf(grant).filter(({ provider }) => provider.dialect !== 'gemini' && (route.dialect === null || route.dialect === provider.dialect))
  const [first, ...others] = speakers
  if (first === undefined) {
    return refuse('dialect_mismatch', `a request in ${route.dialect ?? 'no particular dialect'}; ${grant.admitted.provider} speaks ${grant.provider.dialect}`, 'Point the agent at the base URL of the provider\'s own dialect; nothing is translated.')
  }
  if (!query.ok) return refuse('request_malformed', query.found, 'Send the run token as a header or in the path, and one model in the body.')
  const asksModel = route.kind === 'inference' || route.kind === 'count'
  if (!asksModel) {
    return query.model === null || namesOf(grant).includes(query.model)
      ? { admitted: true, route, requestedModel: query.model, candidates: [first, ...others], bodyFor: () => question.body, stream: false }
      : refuse('model_not_admitted', `the model ${printable(query.model) ?? 'of an unprintable name'} in the query string`, askFor(grant))
  }
  if (question.contentEncoding !== null && question.contentEncoding.toLowerCase() !== 'identity') return refuse('request_malformed', 'a compressed body', 'Send the body uncompressed; the wire reads the model in it.')
  if (field === undefined || !field.found) return refuse('request_malformed', field?.detail ?? 'a request without a body', 'Send one JSON object with one top-level "model" string.')
  if (query.model !== null) return refuse('request_malformed', 'a model in the query string beside the one in the body', 'Name the model once, in the body.')
  const candidates = candidatesFor(field.model, grant, [first, ...others])
  if (candidates === undefined) return refuse('model_not_admitted', `a request for ${field.model}, which no record admits for this run`, askFor(grant))
  const spent = overBudget(grant.limits, spending)
  if (spent !== undefined) return refuse('budget_exhausted', spent, 'Raise the limit of the profile, or end the run; the wire forwards nothing more for it.')
  const bodyFor = ({ admitted }: Target): Uint8Array => (admitted.model === field.model ? question.body : replaceModel(question.body, field, admitted.model))
  return { admitted: true, route, requestedModel: field.model, candidates, bodyFor, stream }
}

/** Every name by which a grant may be asked: what its listing shows (WIR-06). */
export const namesOf = (grant: GrantRequest): readonly string[] => [...new Set([...(grant.byModelId ? targetsOf(grant).map(({ admitted }) => admitted.model) : []), ...grant.aliases])]

const askFor = (grant: GrantRequest): string => {
  const pairs = targetsOf(grant).map(({ admitted }) => printPair(admitted))
  return `Ask for ${namesOf(grant).join(' or ')}; only ${pairs.join(', ')} ${pairs.length === 1 ? 'is' : 'are'} admitted.`
}

/** Evidence is printed and canonicalised: a name from a query string that is neither printable nor short is left out. */
const printable = (name: string | null): string | null => (name !== null && isModelName(name) ? name : null)
