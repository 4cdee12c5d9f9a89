import { sha256 } from '../../contract/canonical.ts'
import { milliseconds, printMilliseconds } from '../../contract/units.ts'
import { type ApiSmokePayload, endedCleanly, type Exchange, EXCHANGE_FAULTS, type ServiceEnd } from '../../gates/acceptance/index.ts'
import { type ApiSmokeProbe, type DeclaredRequest, faultsOfShape, type ProbeDefinition, type ProbeService } from '../../gates/catalog/index.ts'
import { ProcessError } from '../process/index.ts'
import { type Answer, ask } from './ask.ts'
import { environmentOf } from './environment.ts'
import type { ProbeFinding, ProbeKindRunner, ProbePlace } from './kind.ts'
import { type Limit, startLimit } from './limit.ts'
import { matchesInTime } from './matching.ts'
import { startService, type StartedService } from './service.ts'

/** No JSON text, and a beginning of one, so that a parser that reads as it goes is caught as well. */
const MALFORMED = '{"unfinished": ['

/** A service that must answer as declared, refuse what no service should take, and end when asked to (ACC-50). */
export const apiSmoke: ProbeKindRunner = {
  async run(definition, place) {
    const probe = apiSmokeOf(definition)
    const { environment, names, withheld } = environmentOf(probe.environment, place)
    const blank = { ...blankPayload(probe), environment: [...names], environment_withheld: [...withheld] }
    const limit = startLimit(milliseconds(probe.timeout), place.signal)
    try {
      const service = await startService(probe.service, { workspace: place.workspace, environment, keptBytes: place.withheld.keptBytes(), limit })
      return await judgeService(probe, place, service, limit, blank)
    } catch (fault) {
      if (!(fault instanceof ProcessError)) throw fault
      return { status: 'error', summary: `the service could not be started: ${fault.code}`, payload: { ...blank, error: fault.code } }
    } finally {
      limit.close()
    }
  },
  notBegun: (definition, cause) => ({ ...blankPayload(apiSmokeOf(definition)), error: cause }),
}

function apiSmokeOf(definition: ProbeDefinition): ApiSmokeProbe {
  if (definition.kind !== 'api_smoke') throw new TypeError(`Expected a definition of api_smoke, got ${definition.kind}`)
  return definition
}

const blankPayload = (probe: ApiSmokeProbe): ApiSmokePayload => ({ error: null, declared: probe.requests.length, ready_after_ms: null, exchanges: [], end: null, stdout: null, stderr: null, environment: [], environment_withheld: [] })

async function judgeService(probe: ApiSmokeProbe, place: ProbePlace, service: StartedService, limit: Limit, blank: ApiSmokePayload): Promise<ProbeFinding> {
  const { readiness } = service
  const exchanges = readiness.ready ? await askEverything(probe, place, service.port, limit) : []
  const reached = limit.ended()
  const { asked, exit } = await service.stop()
  const { stdout, stderr, code, signal, leaked, durationMs } = exit
  const payload: ApiSmokePayload = {
    ...blank,
    ready_after_ms: readiness.ready ? Math.round(readiness.afterMs) : null,
    exchanges,
    end: { asked, exit_code: code, signal, leaked },
    stdout: place.withheld.preview(stdout),
    stderr: place.withheld.preview(stderr),
  }
  if (reached === 'cancelled') return { status: 'cancelled', summary: 'was cancelled before it ended', payload }
  if (reached === 'limit') return { status: 'timed_out', summary: `did not end within ${probe.timeout}`, payload }
  if (!readiness.ready) return { status: 'failed', summary: `the service ${place.withheld.redact(readiness.why)}`, payload }
  const faulty = exchanges.filter(({ faults }) => faults.length > 0)
  const [first] = faulty
  if (first !== undefined) return { status: 'failed', summary: `${first.method} ${first.path}: ${first.faults.join(', ')}${faulty.length > 1 ? `; and ${faulty.length - 1} more` : ''}`, payload }
  if (!endedCleanly(payload.end)) return { status: 'failed', summary: `the service answered as declared, but it ${endOfService(probe.service, payload.end)}`, payload }
  return { status: 'passed', summary: `answered ${exchanges.length} requests as expected and ended cleanly, in ${printMilliseconds(durationMs)}`, payload }
}

/** How a service that did not end cleanly did end, as the rest of a sentence about it. */
export function endOfService(service: ProbeService, end: ServiceEnd | null): string {
  if (end?.asked !== true) return `ended by itself with ${end?.exit_code == null ? (end?.signal ?? 'a signal') : `code ${end.exit_code}`}`
  if (end.signal === 'SIGKILL') return `did not end within ${service.stopWithin} of SIGTERM`
  if (end.leaked) return 'left processes behind when it ended'
  return `ended with ${end.exit_code === null ? (end.signal ?? 'a signal') : `code ${end.exit_code}`} when it was asked to end`
}

interface Asked extends Pick<Exchange, 'purpose' | 'method' | 'path' | 'expected'> {
  readonly body: string | undefined
  readonly passes: (status: number) => boolean
  readonly request: DeclaredRequest | undefined
}

/** In this order, one after the other: what a service does with a request may depend on the one before. */
async function askEverything(probe: ApiSmokeProbe, place: ProbePlace, port: number, limit: Limit): Promise<Exchange[]> {
  const { requests, unknownPath, malformedBody, service } = probe
  const exactly = (status: number): Pick<Asked, 'expected' | 'passes'> => ({ expected: String(status), passes: (found) => found === status })
  const everything: readonly Asked[] = [
    ...requests.map((request): Asked => ({ purpose: 'declared', method: request.method, path: request.path, body: request.body === undefined ? undefined : JSON.stringify(request.body), request, ...exactly(request.status) })),
    { purpose: 'unknown_path', method: 'GET', path: unknownPath, body: undefined, request: undefined, ...exactly(404) },
    { purpose: 'malformed_body', ...malformedBody, body: MALFORMED, request: undefined, expected: '4xx', passes: (found) => found >= 400 && found <= 499 },
    { purpose: 'afterwards', method: 'GET', path: service.ready.path, body: undefined, request: undefined, ...exactly(service.ready.status) },
  ]
  const exchanges: Exchange[] = []
  for (const asked of everything) {
    if (limit.signal.aborted) break
    const answer = await ask({ method: asked.method, port, path: asked.path, body: asked.body, signal: limit.signal })
    exchanges.push(exchangeOf(asked, answer, place))
  }
  return exchanges
}

function exchangeOf(asked: Asked, answer: Answer, place: ProbePlace): Exchange {
  const { purpose, method, path, expected } = asked
  const common = { purpose, method, path: place.withheld.redact(path).slice(0, 500), expected }
  const faults = faultsOf(asked, answer).slice(0, EXCHANGE_FAULTS).map((text) => place.withheld.redact(text).slice(0, 200).toWellFormed())
  if (!answer.ok) return { ...common, status: null, bytes: null, sha256: null, faults }
  return { ...common, status: answer.status, bytes: answer.body.length, sha256: sha256(answer.body), faults }
}

const WHAT: Readonly<Record<Exchange['purpose'], string>> = { declared: '', unknown_path: ' for an unknown path', malformed_body: ' to a body that is no JSON', afterwards: ' after a body that is no JSON' }

function faultsOf({ purpose, expected, passes, request }: Asked, answer: Answer): string[] {
  if (!answer.ok) return [`${answer.found}${WHAT[purpose]}`]
  return [...(passes(answer.status) ? [] : [`answered ${answer.status}, not ${expected},${WHAT[purpose]}`.replace(/,$/, '')]), ...headerFaults(request, answer), ...bodyFaults(request, answer)]
}

function headerFaults(request: DeclaredRequest | undefined, { headers }: Extract<Answer, { ok: true }>): string[] {
  return Object.entries(request?.headers ?? {}).flatMap(([name, expression]) => {
    const value = headers[name.toLowerCase()]
    if (value === undefined) return [`the header ${name} is missing`]
    const matched = matchesInTime(expression, value)
    return matched === true ? [] : [matched === undefined ? `the header ${name} could not be matched in time` : `the header ${name} is ${JSON.stringify(value)}, which ${expression} does not match`]
  })
}

function bodyFaults(request: DeclaredRequest | undefined, { body }: Extract<Answer, { ok: true }>): string[] {
  if (request?.json === undefined) return []
  const parsed = parseJson(body)
  return parsed === undefined ? ['the body is no JSON'] : faultsOfShape(request.json, parsed.value, EXCHANGE_FAULTS)
}

function parseJson(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown }
  } catch {
    return undefined
  }
}
