import { samePair, printPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { AgentReadinessFacts, SeenCall } from './agent-facts.ts'
import { processRefusal } from './gate.ts'

/** One thing that an agent lacks. */
export interface MissingPart {
  readonly reason: Reason
  readonly expected: string
  readonly observed: string
  /** True where it may only be out of reach for a moment: of an agent that had proven itself, that is borne twice. */
  readonly passing: boolean
}

/** The reasons that the documents spell in capitals. Stored as they stand in the table of reasons, shown as the documents have them. */
const SPELLED: Readonly<Partial<Record<Reason, string>>> = {
  missing_identity: 'MISSING_IDENTITY',
  identity_mismatch: 'IDENTITY_MISMATCH',
  missing_model: 'MISSING_MODEL',
  model_mismatch: 'MODEL_MISMATCH',
  missing_mcp_server: 'MISSING_MCP_SERVER',
  missing_tool: 'MISSING_TOOL',
  stale_deployment: 'STALE_DEPLOYMENT',
  agent_probe_error: 'PROBE_ERROR',
  agent_probe_timeout: 'PROBE_TIMEOUT',
  provision_timeout: 'PROVISION_TIMEOUT',
}

/** A reason of an agent's state, as people and programs read it. */
export const spelled = (reason: Reason): string => SPELLED[reason] ?? reason

/**
 * Everything that an agent lacks to be the one that was meant, all of it at once (RDY-08). Empty only if every part was
 * observed: what could not be looked at is a part that is missing, never one that is there.
 */
export function missingParts(facts: AgentReadinessFacts): readonly MissingPart[] {
  // An address that may not be called is no lack of readiness, and nothing was asked that could show one (RDY-36).
  if (facts.card.status === 'refused') return [part('agent_card_url_rejected', 'an address that may be called', facts.card.found)]
  return [...processParts(facts), ...identityParts(facts), ...modelParts(facts), ...serverParts(facts), ...buildParts(facts), ...unreachableParts(facts)]
}

const part = (reason: Reason, expected: string, observed: string, passing = false): MissingPart => ({ reason, expected, observed, passing })

function processParts({ process }: AgentReadinessFacts): MissingPart[] {
  const refusal = process === null ? undefined : processRefusal(process)
  return refusal === undefined ? [] : [part(refusal.reason, refusal.asked, refusal.found)]
}

function unreachableParts({ card, challenge }: AgentReadinessFacts): MissingPart[] {
  if (card.status === 'read' && challenge.status === 'unasked') return [part('agent_probe_error', 'an answer to who it is', 'it was not asked', true)]
  const unreachable = card.status === 'failed' ? { what: 'its card', ...card } : challenge.status === 'failed' ? { what: 'an answer to who it is', ...challenge } : undefined
  return unreachable === undefined ? [] : [part(unreachable.failure === 'timeout' ? 'agent_probe_timeout' : 'agent_probe_error', unreachable.what, unreachable.found, true)]
}

function identityParts({ card, challenge, expected, runId, generation }: AgentReadinessFacts): MissingPart[] {
  const parts: MissingPart[] = []
  if (card.status === 'malformed') parts.push(part('missing_identity', 'an agent card of A2A 1.0', card.found))
  if (card.status === 'read') {
    if (card.name !== expected.name) parts.push(part('identity_mismatch', `a card of ${expected.name}`, `one of ${card.name}`))
    if (card.version !== expected.version) parts.push(part('identity_mismatch', `a card of version ${expected.version}`, `one of version ${card.version}`))
  }
  if (challenge.status === 'unanswered') parts.push(part('missing_identity', 'an answer to the question who it is', challenge.found))
  if (challenge.status !== 'answered') return parts
  const { bound, nonce, persona } = challenge
  if (bound.nonce !== nonce || bound.runId !== runId || bound.generation !== generation) {
    return [...parts, part('identity_mismatch', `an answer for generation ${generation} and the nonce that was sent`, bound.generation === generation && bound.runId === runId ? 'one for another nonce' : `one for generation ${bound.generation} of ${bound.runId}`)]
  }
  if (persona === null) return [...parts, part('missing_identity', `persona sha256:${expected.persona.sha256}`, 'no persona')]
  const difference = materialDifference('persona', expected.persona, persona)
  return difference === undefined ? parts : [...parts, part('identity_mismatch', ...difference)]
}

type Shown = { readonly sha256: string; readonly proof: string | null }

/** Where the bytes are here, the digest alone is not enough: it can be repeated by who never saw them. */
function materialDifference(name: string, expected: Shown, shown: Shown): readonly [expected: string, observed: string] | undefined {
  if (shown.sha256 !== expected.sha256) return [`${name} sha256:${expected.sha256}`, `sha256:${shown.sha256}`]
  if (expected.proof === null || shown.proof === expected.proof) return undefined
  return [`proof that it holds the bytes of its ${name}`, shown.proof === null ? 'their digest alone' : 'a proof that other bytes give']
}

/** Whether what was asked came back at all. If not, nothing that follows from it was seen, and that it failed is said already. */
const wasHeard = ({ challenge }: AgentReadinessFacts): boolean => challenge.status === 'answered' || challenge.status === 'unanswered'

function modelParts(facts: AgentReadinessFacts): MissingPart[] {
  if (facts.depth === 'light') return claimedModel(facts)
  const { expected, calls } = facts
  const asked = calls.filter((call) => call.inference)
  const wanted = `a call served by ${printPair(expected.pair)}`
  const others = asked.filter((call) => isOther(call, facts))
  if (others.length > 0) return [part('model_mismatch', wanted, others.map(describeCall).join('; '))]
  if (asked.some((call) => call.outcome === 'answered')) return claimedModel(facts)
  if (asked.length > 0) return [part('agent_probe_error', wanted, asked.map(describeCall).join('; '), true)]
  return wasHeard(facts) ? [part('missing_model', wanted, 'it asked no model anything')] : []
}

/** What it says of itself proves nothing; that it says another model is reason enough. */
function claimedModel({ challenge, expected }: AgentReadinessFacts): MissingPart[] {
  if (challenge.status !== 'answered') return []
  const { model, provider } = challenge.claims
  const contradicts = (model !== null && model !== expected.pair.model) || (provider !== null && provider !== expected.pair.provider)
  return contradicts ? [part('model_mismatch', printPair(expected.pair), `it says ${provider ?? 'no provider'}/${model ?? 'no model'}`)] : []
}

const OTHER_MODEL: readonly (Reason | null)[] = ['model_not_admitted', 'served_model_mismatch', 'served_model_unknown']

function isOther(call: SeenCall, { expected }: AgentReadinessFacts): boolean {
  if (call.outcome !== 'answered') return OTHER_MODEL.includes(call.reason)
  return !samePair(call.admitted, expected.pair) || call.servedModel === null || !expected.servedModelIds.includes(call.servedModel)
}

const describeCall = (call: SeenCall): string =>
  `call ${call.number} asked for ${call.requestedModel ?? 'no model'} and was ${call.outcome === 'answered' ? `served by ${call.servedModel ?? 'nobody it names'}` : `${call.outcome} (${call.reason ?? 'no reason'})`}`

function serverParts(facts: AgentReadinessFacts): MissingPart[] {
  if (!wasHeard(facts)) return []
  return facts.expected.servers.flatMap(({ name, url, tools }) => {
    const seen = facts.servers.find((server) => server.name === name)
    const wanted = `tool server ${name}${url === null ? '' : ` at ${url}`}`
    const lacking = (present: readonly string[], passing: boolean): MissingPart[] => tools.filter((tool) => !present.includes(tool)).map((tool) => part('missing_tool', `tool ${tool} of ${name}`, present.length === 0 ? 'none was listed' : `only ${present.slice(0, 20).join(', ')}`, passing))
    if (seen?.status === 'listed') return lacking(seen.tools, false)
    const passing = seen?.status === 'failed'
    return [part('missing_mcp_server', wanted, seen?.found ?? 'it was not looked at', passing), ...lacking([], passing)]
  })
}

/** The running program as the kernel shows it where we started it, and otherwise as the agent proves it. */
function buildParts(facts: AgentReadinessFacts): MissingPart[] {
  const { expected, challenge, process } = facts
  const wanted = `build sha256:${expected.build.sha256}`
  if (process !== null) {
    const { sha256 } = process.observed.program
    return sha256 === expected.build.sha256 ? [] : [part('stale_deployment', wanted, sha256 === null ? 'a program that cannot be read' : `sha256:${sha256}`)]
  }
  if (!wasHeard(facts)) return []
  if (challenge.status !== 'answered' || challenge.build === null) return [part('stale_deployment', wanted, 'a build that it does not name')]
  const difference = materialDifference('build', expected.build, challenge.build)
  return difference === undefined ? [] : [part('stale_deployment', ...difference)]
}
