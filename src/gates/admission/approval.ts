import { printPair, samePair } from '../../contract/model.ts'
import { classifyAddress } from '../catalog/index.ts'
import { type AdmissionFacts, type DecisionFile, isAboutPair } from './admission-facts.ts'
import { InstantOrDay } from './admission-record.ts'
import { fileNameOf, recordFileName } from './file-name.ts'

/** The decision by which people approved an external provider. */
export interface Approval {
  readonly path: string
  readonly sha256: string
  /** ISO instant at which it ends; null if no date ends it. */
  readonly expiresAt: string | null
}

/** `approval` is null where none is needed. */
export type ApprovalFinding = { readonly approval: Approval | null } | { readonly found: string; readonly remedy: string }

/**
 * Whether the calls of this question leave the machines that people here answer for. What the configuration says of the
 * network class decides. Where it says nothing, only a loopback address that stands in it is not external: nothing is
 * concluded from a name, neither that of a class nor that of a host.
 */
export function isExternal({ network, endpoint }: Pick<AdmissionFacts, 'network' | 'endpoint'>): boolean {
  if (network.external !== null) return network.external
  const host = URL.parse(endpoint)?.hostname.replace(/^\[|\]$/g, '') ?? ''
  return classifyAddress(host) !== 'loopback'
}

/** External providers need the recorded approval of people, whatever records exist (ADM-D10). Pure and total. */
export function judgeApproval(facts: AdmissionFacts): ApprovalFinding {
  if (!isExternal(facts)) return { approval: null }
  const { decisions, networkClass, network, requested } = facts
  const pair = printPair(requested)
  const why = network.external === null ? `network class ${networkClass} is not declared, so it counts as external` : `network class ${networkClass} is external`
  const declare = network.external === null ? ` If the class is not external, declare it: networkClasses: { ${networkClass}: { external: false } }.` : ''
  const remedy = `Have people decide, then: npx portcullis decide --status external_provider_approved --pair ${pair}.${declare}`
  const refuse = (found: string): ApprovalFinding => ({ found: `${why}, and ${found}`, remedy })
  if (decisions.problem !== null) return refuse(`${decisions.path} ${decisions.problem}`)
  const speaking = decisions.files.filter((file) => isAboutPair(file, requested))
  const [first, ...rest] = speaking.map((file) => ({ file, fault: faultOf(file, facts) }))
  if (first === undefined) return refuse(`no decision in ${decisions.path} approves ${pair}`)
  const faulty = [first, ...rest].find(({ fault }) => fault !== undefined)
  if (faulty?.fault !== undefined) return refuse(`${faulty.file.path}: ${faulty.fault}`)
  const { path, sha256 } = first.file
  // Without a digest there would have been a fault; said again for the compiler, and denied again.
  if (sha256 === null) return refuse(`${path}: not read`)
  const ends = speaking.flatMap((file) => expiryOf(file) ?? []).sort()
  return { approval: { path, sha256, expiresAt: ends[0] ?? null } }
}

function faultOf(file: DecisionFile, facts: AdmissionFacts): string | undefined {
  const { decision, problems, sha256 } = file
  if (decision === null || sha256 === null) return problems.join('; ') || 'not read'
  const decided = { provider: decision.provider, model: decision.model }
  if (!samePair(decided, facts.requested) || fileNameOf(file.path) !== recordFileName(decided)) return 'its name does not belong to its content'
  if (decision.decision_status !== 'external_provider_approved') return `it says ${decision.decision_status}`
  if (decision.allowed_network_class !== facts.networkClass) return `it approves network class ${decision.allowed_network_class}`
  if (decision.credential_source_class !== facts.credentialClass) return `it approves credential class ${decision.credential_source_class}, and the provider is configured with ${facts.credentialClass}`
  const expiresAt = expiryOf(file)
  if (expiresAt !== null && Date.parse(facts.observedAt) >= Date.parse(expiresAt)) return `it ended at ${expiresAt}`
  return undefined
}

function expiryOf({ decision }: DecisionFile): string | null {
  const trigger = decision?.review_trigger
  const date = typeof trigger === 'string' ? trigger : trigger?.expires_at
  return date !== undefined && InstantOrDay.safeParse(date).success ? new Date(date).toISOString() : null
}
