import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pool } from 'undici'
import type { ModelPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { Provider } from '../../gates/catalog/index.ts'
import {
  type AdmittedQuestion, type CredentialReader, type WireRefusal, type Withdrawal,
  admitQuestion, bindRequest, dialectOfPath, findRoute, isModelName, MAX_TARGET_LENGTH, namesOf, refusalAnswer, REMEDIES, targetsOf,
} from '../../gates/wire/index.ts'
import { askInTurn } from './ask-in-turn.ts'
import type { GrantTable, LiveGrant } from './grant-table.ts'
import { type Head, readHead, webPageSign } from './headers.ts'
import type { HealthBoard } from './health-board.ts'
import { MAX_REQUEST_BYTES } from './limits.ts'
import { listingOf } from './listing.ts'
import { type OpenCall, notForwarded } from './open-call.ts'
import { readBody } from './read-body.ts'
import { NOT_COMPRESSED, unpackBody } from './unpack-body.ts'

export interface Desk {
  readonly grants: GrantTable
  readonly credentials: CredentialReader
  readonly health: HealthBoard
  poolOf(provider: Provider): Pool
  /** Called for every request that belongs to no live run. */
  onUnbound(): void
  /** Why nothing may be asked any more, whoever asks. Rejects if nobody can say, and then nothing is. */
  withdrawn(): Promise<Withdrawal | undefined>
  /** Resolves once what the grants rest on has been read lately, or when that has been waited for long enough. It decides nothing. */
  caughtUp(): Promise<void>
}

/** Serves one request from its first header to its durable record. `own` is the run whose socket it came in on; undefined on the port that all share. */
export async function serve(desk: Desk, incoming: IncomingMessage, client: ServerResponse, own: LiveGrant | undefined): Promise<void> {
  const head = readHead(incoming.rawHeaders)
  const binding = bindRequest({ target: incoming.url ?? '', ...head })
  const method = incoming.method ?? ''
  const shown = binding.bound ? desk.grants.find(binding.token) : undefined
  // On a run's own socket a call is this run's, so that it stands in its record; anything else that is shown there is not this run's, whoever holds it.
  const named = binding.bound || binding.presented
  const grant = own === undefined ? shown : !own.revoked && (!named || shown === own) ? own : undefined
  if (grant !== undefined) {
    const call = grant.open({ method, route: routeForEvidence(method, binding.path), dialect: dialectOfPath(binding.path) })
    // First of all: whatever happens from here on, a client that leaves must end what it started (WIR-13, WIR-55).
    client.once('close', () => {
      if (!client.writableFinished) call.cut('client')
    })
    return serveBound({ desk, incoming, client, grant, call, head, keyed: binding.bound, path: binding.path, query: binding.query, method })
  }
  desk.onUnbound()
  const web = webPageSign(head)
  // Some agents greet without a credential to see whether anybody is there; the greeting tells nothing.
  if (web === undefined && !binding.bound && !binding.presented && findRoute(method, binding.path)?.kind === 'greeting') {
    client.writeHead(200).end()
    return
  }
  const reason: Reason = web !== undefined ? 'route_not_listed' : binding.bound ? 'run_unknown' : binding.reason
  const found = web ?? (binding.bound ? 'a run token that is not live: unknown, revoked or of another wire' : binding.found)
  sendRefusal(client, method, binding.path, { reason, asked: null, admitted: [], found, remedy: 'Send the run token of one live run, as bearer, x-api-key or in the path /run/<token>/.' })
}

interface BoundRequest {
  readonly desk: Desk
  readonly incoming: IncomingMessage
  readonly client: ServerResponse
  readonly grant: LiveGrant
  readonly call: OpenCall
  readonly head: Head
  /** Whether the run token was shown. On a run's own socket a call without it is still known as the run's. */
  readonly keyed: boolean
  readonly method: string
  readonly path: string
  readonly query: string
}

async function serveBound(bound: BoundRequest): Promise<void> {
  try {
    await answerBound(bound)
  } catch (error) {
    // A fault of ours is recorded like any other failure, by its class only, and never ends as an answer.
    await bound.call.conclude({ ...notForwarded('refused', null, false), outcome: 'failed', fault: { reason: 'gate_crashed', detail: `the wire threw ${error instanceof Error ? error.name : typeof error}` } })
    bound.client.destroy()
    return
  }
}

async function answerBound(bound: BoundRequest): Promise<void> {
  const { incoming, client, grant, call, method, path, query, desk } = bound
  // Before anything can refuse it: a question to a model that was refused unread was still asked, and its run has no answer to it.
  call.inference = findRoute(method, path)?.kind === 'inference'
  const web = webPageSign(bound.head)
  if (web !== undefined) return refuse(bound, 'route_not_listed', web, 'Call the wire from a program on this machine, at its loopback address.')
  // The socket says whose call it is, and the token that it may be made: what runs beside the agent in its seal has the one without the other.
  if (!bound.keyed && findRoute(method, path)?.kind !== 'greeting') return refuse(bound, 'run_unknown', 'a request without the run token, on the socket of the run', 'Send the run token as bearer, x-api-key, x-goog-api-key or in the path /run/<token>/.')
  const ended = await endOf(bound)
  if (ended !== undefined) return refuse(bound, ended.reason, ended.found, ended.remedy)
  if ((incoming.url ?? '').length > MAX_TARGET_LENGTH) return refuse(bound, 'request_malformed', `a request target of more than ${MAX_TARGET_LENGTH} characters`, 'Send a listed route.')

  const coding = incoming.headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return refuse(bound, 'request_malformed', 'a transfer coding other than chunked', 'Send the body as it is, with its length or in chunks.')

  const read = await readBody(incoming, MAX_REQUEST_BYTES)
  if (!read.ok && read.problem === 'too_large') return refuse(bound, 'request_too_large', `a body of more than ${MAX_REQUEST_BYTES} bytes`, 'Send less: compact the conversation or leave files out.')
  if (!read.ok) return refuse(bound, call.cutBy === undefined ? 'request_malformed' : 'interrupted', 'a request whose body did not arrive whole', 'Send the request again, whole.')
  call.received(read.body)
  // What stands behind the body could name another run or another model to whoever reads it later.
  if (incoming.rawTrailers.length > 0) return refuse(bound, 'request_malformed', 'fields behind the body (trailers)', 'Send every header before the body.')

  const contentEncoding = incoming.headers['content-encoding'] ?? null
  const unpacked = contentEncoding === null ? NOT_COMPRESSED : await unpackBody(read.body, contentEncoding, MAX_REQUEST_BYTES)
  if (!unpacked.ok && unpacked.problem === 'too_large') return refuse(bound, 'request_too_large', `a compressed body that holds more than ${MAX_REQUEST_BYTES} bytes`, 'Send less: compact the conversation or leave files out.')
  if (!unpacked.ok) return refuse(bound, 'request_malformed', 'a compressed body that cannot be undone as its Content-Encoding says', 'Send the body whole, and compressed as its header says.')
  const question = admitQuestion({ method, path, query, contentEncoding, upgrade: incoming.headers.upgrade ?? null, body: read.body, decoded: unpacked.decoded, flags: flagsOf(incoming) }, grant.request)
  call.settings = question.settings
  call.requestedModel = question.requestedModel !== null && isModelName(question.requestedModel) ? question.requestedModel : null
  if (call.cutBy !== undefined) return refuse(bound, 'interrupted', 'a request that was cut off before it was forwarded', 'Send the request again in a live run.', question.stream)
  if (!question.admitted) return refuse(bound, question.reason, question.found, question.remedy, question.stream)
  if (question.route.kind === 'greeting' || question.route.kind === 'listing') return answerHere(bound, question)

  const over = await overBudgets(bound)
  if (over !== undefined) return refuse(bound, over.reason, over.found, REMEDIES[over.reason] ?? '', question.stream)
  // A machine that stood still for a moment has read nothing lately. A call that waits for that is better than a run that ends by it.
  await desk.caughtUp()
  // Reading the question took time, in which the claim may have been lost, and the token revoked.
  const lost = await endOf(bound)
  if (lost !== undefined) return refuse(bound, lost.reason, lost.found, lost.remedy, question.stream)
  const asked = await askInTurn({ desk, call, client, question, query, rawHeaders: incoming.rawHeaders })
  if ('refused' in asked) return refuse(bound, asked.refused.reason, asked.refused.found, asked.refused.remedy, question.stream)
  asked.deliver(await call.conclude(asked.conclusion, asked.words))
}

/** Why nothing may be asked under this grant: for itself, or because what the whole wire rests on has ended; then so has the grant, for good. */
async function endOf({ desk, grant, call }: BoundRequest): Promise<Withdrawal | undefined> {
  if (grant.expired) return { reason: 'run_unknown', found: `a run token that expired at ${grant.request.expiresAt.toISOString()}`, remedy: 'Start the run again; a token ends with its run.' }
  if (desk.grants.isStale(grant)) return { reason: 'stale_epoch', found: `the token of generation ${grant.request.epoch}; the run has a later one`, remedy: 'Use the token of the present generation; this one was replaced.' }
  if (call.cutBy !== undefined) return { reason: 'interrupted', found: 'a request that was cut off before it was forwarded', remedy: 'Send the request again in a live run.' }
  const withdrawn = await desk.withdrawn()
  // Whatever was set while that was asked stays.
  if (withdrawn !== undefined) grant.withdrawal ??= withdrawn
  return grant.withdrawal
}

/** Why a question may not be forwarded although it is admitted. Counting tokens is no call that a budget counts. */
async function overBudgets({ call, grant }: BoundRequest): Promise<{ readonly reason: Reason; readonly found: string } | undefined> {
  if (!call.inference) return undefined
  try {
    const found = await grant.take(call)
    return found === undefined ? undefined : { reason: 'budget_exhausted', found }
  } catch {
    // What was spent cannot be read, so nobody can say that anything is left.
    return { reason: 'evidence_unavailable', found: 'what was spent so far could not be read' }
  }
}

/** Routes that the wire answers by itself, once the record of them is durable. */
async function answerHere({ client, call, grant }: BoundRequest, question: AdmittedQuestion): Promise<void> {
  const body = question.route.kind === 'listing' ? JSON.stringify(listingOf(question.candidates[0].provider.dialect, namesOf(grant.request), grant.request.admitted.provider)) : ''
  if (await call.conclude(notForwarded('answered', 200, false))) {
    client.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }).end(body)
    return
  }
  sendRefusal(client, call.asking.method, call.asking.route, evidenceUnavailable(grant.request.admitted))
}

/** Refuses a bound request: recorded first, then told in the client's own error shape. */
async function refuse(bound: BoundRequest, reason: Reason, found: string, remedy: string, stream = false): Promise<void> {
  const { client, call, grant, method, path } = bound
  const admitted = targetsOf(grant.request).map((target) => target.admitted)
  const refusal: WireRefusal = { reason, asked: call.requestedModel === null ? null : `${grant.request.admitted.provider}/${call.requestedModel}`, admitted, found, remedy }
  const status = call.cutBy === 'client' ? null : refusalAnswer(dialectOfPath(path), refusal).status
  const durable = await call.conclude(notForwarded('refused', status, stream, { reason, detail: found }))
  // Who lost its claim can write no evidence into the run either; that is why it is refused, and nothing else is said of it.
  sendRefusal(client, method, path, durable || reason === 'stale_epoch' ? refusal : evidenceUnavailable(grant.request.admitted))
}

const evidenceUnavailable = (admitted: ModelPair): WireRefusal => ({
  reason: 'evidence_unavailable', asked: null, admitted: [admitted], found: 'the evidence of this request could not be stored', remedy: REMEDIES.evidence_unavailable ?? '',
})

function sendRefusal(client: ServerResponse, method: string, path: string, refusal: WireRefusal): void {
  if (client.destroyed) return
  const answer = refusalAnswer(dialectOfPath(path), refusal)
  client.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) }).end(method === 'HEAD' ? undefined : answer.body)
}

/** A listed route as it is; of any other only as much as can hold no token and no surprise. */
function routeForEvidence(method: string, path: string): string {
  if (findRoute(method, path) !== undefined) return path
  return /^\/[\x21-\x7e]{0,199}$/.test(path) && !path.includes('pcr_') ? path : '(a route that is not listed)'
}

/** What the client asks of Anthropic's API beside the body; a header that is sent twice is one list. */
function flagsOf({ headers }: IncomingMessage): string | undefined {
  const flags = headers['anthropic-beta']
  return Array.isArray(flags) ? flags.join(',') : flags
}
