import { printPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import { readBeside } from './beside-model.ts'
import { readQuery } from './binding.ts'
import { isModelName, replaceModel } from './model-field.ts'
import { candidatesFor } from './failover.ts'
import { type Naming, readNaming } from './naming.ts'
import { type GrantRequest, type Target, targetsOf } from './ports.ts'
import { REMEDIES } from './remedies.ts'
import { findRoute, type Route } from './routes.ts'
import { type ModelSettings, readSettings, settingsProblem } from './settings.ts'

/** One request of a run, read whole; `path` and `query` hold no token. */
export interface Question {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly contentEncoding: string | null
  /** The protocol that the client would like to change to. */
  readonly upgrade: string | null
  /** As received; these bytes go on. */
  readonly body: Uint8Array
  /** What a compressed body holds; undefined if it is not compressed, or not in a way that the wire can undo. */
  readonly decoded: Uint8Array | undefined
  /** The header `anthropic-beta`. */
  readonly flags?: string | undefined
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
  /** What it asks for beside the model; undefined where nothing was to be compared. */
  readonly settings?: ModelSettings | undefined
}

export interface RefusedQuestion {
  readonly admitted: false
  readonly route: Route | undefined
  readonly requestedModel: string | null
  readonly stream: boolean
  readonly reason: Reason
  readonly found: string
  readonly remedy: string
  readonly settings?: ModelSettings | undefined
}

/** Whether a request of a run may go to the provider, and with which bytes (WIR-02, WIR-07, WIR-12). Everything not listed here is refused. Whether there is budget left is asked of the tally afterwards. */
export function admitQuestion(question: Question, grant: GrantRequest): AdmittedQuestion | RefusedQuestion {
  const route = findRoute(question.method, question.path)
  const plain = question.contentEncoding === null || question.contentEncoding.toLowerCase() === 'identity'
  const readable = plain ? question.body : (question.decoded ?? new Uint8Array())
  const naming = readNaming(route, question.query, readable, !plain)
  const query = readQuery(question.query)
  const requestedModel = naming.named ? naming.model : (route?.inPath?.model ?? (query.ok ? query.model : null))
  const stream = naming.named && naming.stream
  const refuse = (reason: Reason, found: string, remedy: string): RefusedQuestion => ({ admitted: false, route, requestedModel: printable(requestedModel), stream, reason, found, remedy })

  // Codex asks for a WebSocket first, and would ask seven times over as many seconds were it told anything but 426.
  if (/\bwebsocket\b/i.test(question.upgrade ?? '')) return refuse('websocket_refused', 'a WebSocket, which nobody could witness', 'Ask over HTTP, with "stream": true for events.')
  if (route === undefined) return refuse('route_not_listed', 'a route that the wire does not list', 'Use the chat completions, responses, messages or generateContent route; nothing else is forwarded.')
  const speakers = targetsOf(grant).filter(({ provider }) => route.dialect === null || route.dialect === provider.dialect)
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
  if (!plain && question.decoded === undefined) return refuse('request_malformed', 'a body in an encoding that the wire does not undo', 'Send the body as it is, or compressed with gzip, br or zstd; the wire reads the model in it.')
  if (!naming.named) return refuse('request_malformed', naming.found, naming.remedy)
  if (query.model !== null) return refuse('request_malformed', `a model in the query string beside the one in the ${route.inPath === undefined ? 'body' : 'path'}`, 'Name the model once, and not in the query string.')
  const candidates = candidatesFor(naming.model, grant, [first, ...others])
  if (candidates === undefined) return refuse('model_not_admitted', `a request for ${naming.model}, which no record admits for this run`, askFor(grant))
  const beside = route.kind === 'inference' ? besideProblem(route, readable, naming, grant, candidates) : undefined
  if (beside !== undefined) return { ...refuse(beside.reason, beside.found, beside.remedy), ...(beside.model === undefined ? {} : { requestedModel: printable(beside.model) }) }
  const isOther = ({ admitted }: Target): boolean => admitted.model !== naming.model
  if (naming.fixed !== undefined && candidates.some(isOther)) return refuse('request_malformed', naming.fixed, 'Ask for the exact model id, or send the body so that the model can be written into it: uncompressed, naming it once.')
  const { field } = naming
  const bodyFor = (candidate: Target): Uint8Array => (field === undefined || !isOther(candidate) ? question.body : replaceModel(question.body, field, candidate.admitted.model))
  const passed: AdmittedQuestion = { admitted: true, route, requestedModel: naming.model, candidates, bodyFor, stream }
  if (route.kind !== 'inference' || route.dialect === null || (grant.settings.effort === null && grant.settings.context === null)) return passed
  const settings = readSettings(route.dialect, plain ? question.body : (question.decoded ?? new Uint8Array()), question.flags)
  if (!settings.ok) return refuse('request_malformed', settings.found, 'Send plain JSON in which each key stands once.')
  const problem = settingsProblem(route.dialect, grant.settings, settings.seen)
  if (problem !== undefined) return { ...refuse('setting_mismatch', problem, 'Ask for what the profile names, or change the profile.'), settings: settings.seen }
  return { ...passed, settings: settings.seen }
}

interface BesideProblem {
  readonly reason: Reason
  readonly found: string
  readonly remedy: string
  /** The model that nobody admitted. */
  readonly model?: string
}

/** Why an admitted question may not go on for what it asks beside the answer of its model; undefined if it may. A name in there is rewritten by nobody, so it must be the exact id. */
function besideProblem(route: Route, body: Uint8Array, { members }: Naming, grant: GrantRequest, candidates: readonly Target[]): BesideProblem | undefined {
  const dialect = route.dialect ?? grant.provider.dialect
  const read = readBeside(dialect, body, members)
  if (!read.ok) return { reason: 'request_malformed', found: read.found, remedy: 'Ask one model, by name, for one answer that comes back on the same request, with tools that can be read in one way.' }
  const model = read.models.find((name) => candidates.some(({ admitted }) => admitted.model !== name))
  if (model !== undefined) return { reason: 'model_not_admitted', found: `a tool that would ask ${printable(model) ?? 'a model of an unprintable name'}, which no record admits for this run`, remedy: askFor(grant), model }
  const tool = read.tools.find((name) => !grant.providerTools.includes(name))
  if (tool !== undefined) return { reason: 'provider_tool_not_allowed', found: `${tool}, which the provider would run by itself`, remedy: REMEDIES.provider_tool_not_allowed ?? '' }
  const fetched = read.fetched.find((name) => !grant.providerTools.includes(name))
  if (fetched === undefined) return undefined
  return { reason: 'provider_tool_not_allowed', found: `${fetched}, by which the provider would fetch from an address`, remedy: 'Send the content itself, as base64 or a data: URL, or list the exact name in `providerTools` of the profile if what a run asks may reach beyond this machine.' }
}

/** Every name by which a grant may be asked: what its listing shows (WIR-06). */
export const namesOf = (grant: GrantRequest): readonly string[] => [...new Set([...(grant.byModelId ? targetsOf(grant).map(({ admitted }) => admitted.model) : []), ...grant.aliases])]

const askFor = (grant: GrantRequest): string => {
  const pairs = targetsOf(grant).map(({ admitted }) => printPair(admitted))
  return `Ask for ${namesOf(grant).join(' or ')}; only ${pairs.join(', ')} ${pairs.length === 1 ? 'is' : 'are'} admitted.`
}

/** Evidence is printed and canonicalised: a name from a query string that is neither printable nor short is left out. */
const printable = (name: string | null): string | null => (name !== null && isModelName(name) ? name : null)
