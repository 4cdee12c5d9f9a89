import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { ModelPair } from '../../contract/model.ts'
import { REASONS } from '../../contract/reasons.ts'
import { Digest } from '../../contract/verdict.ts'
import { ReadinessFacts } from './readiness-facts.ts'

/** Which rules judged a proof; it stands in every record, so that an old proof can be told from a new one (RDY-38). */
export const AGENT_READINESS_VERSION = 'agent-readiness/1'

/** Every way on which an agent can come to be in reach. Each passes the same gate (RDY-12). */
export const AGENT_PATHS = ['create', 'external_create', 'import', 'bundle', 'team', 'restart', 'auto_restart', 'resume', 'wake', 'heartbeat_recovery', 're_register', 'adoption', 'configuration_refresh', 're_proof'] as const
export const AgentPath = z.enum(AGENT_PATHS)
export type AgentPath = z.infer<typeof AgentPath>

const Text = z.string().max(2_000)
const Short = z.string().max(500)

/** Bytes that must have been loaded: their digest, and where we hold them ourselves what only they give with this nonce as the key. */
const ExpectedMaterial = z.strictObject({ sha256: Digest, proof: Digest.nullable() })
const ShownMaterial = z.strictObject({ sha256: Digest, proof: Digest.nullable() })

/** Who the agent must be. `seed` covers everything it is started with (RDY-38). */
export const AgentExpectation = z.strictObject({
  name: Short,
  version: Short,
  persona: ExpectedMaterial,
  build: ExpectedMaterial,
  pair: ModelPair,
  servedModelIds: z.array(z.string().max(500)).min(1).max(100),
  servers: z.array(z.strictObject({ name: Name, url: Text.nullable(), tools: z.array(z.string().max(200)).max(500) })).max(100),
  seed: Digest,
})
export type AgentExpectation = Readonly<z.infer<typeof AgentExpectation>>

const failed = { failure: z.enum(['timeout', 'error']), found: Text }

export const CardFacts = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('read'), url: Text, sha256: Digest, name: Short, version: Short, endpoint: Text }),
  /** An address that may not be called: the card's own, or one that it names. */
  z.strictObject({ status: z.literal('refused'), found: Text }),
  z.strictObject({ status: z.literal('malformed'), found: Text }),
  z.strictObject({ status: z.literal('failed'), ...failed }),
])
export type CardFacts = Readonly<z.infer<typeof CardFacts>>

const asked = { nonce: z.string().min(20).max(200), requestSha256: Digest, responseSha256: Digest }

export const ChallengeFacts = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('answered'),
    ...asked,
    /** What the answer says it is for. */
    bound: z.strictObject({ runId: Short, generation: z.int(), nonce: Short }),
    persona: ShownMaterial.nullable(),
    build: ShownMaterial.nullable(),
    /** Claims: recorded, and they satisfy nothing (RDY-10). */
    claims: z.strictObject({ model: Short.nullable(), provider: Short.nullable() }),
    servers: z.array(z.strictObject({ name: Short, url: Text })).max(100),
  }),
  /** It said something, but nothing that answers the question: what a generic agent does. */
  z.strictObject({ status: z.literal('unanswered'), ...asked, found: Text }),
  z.strictObject({ status: z.literal('failed'), ...failed }),
  z.strictObject({ status: z.literal('unasked') }),
])
export type ChallengeFacts = Readonly<z.infer<typeof ChallengeFacts>>

/** What was seen of one required server, at the address that the agent itself uses. */
export const ServerFacts = z.strictObject({
  name: Name,
  /** `unnamed`: the agent uses no such server. `elsewhere`: it uses another than the one that was meant. `unasked`: nobody could be asked which. */
  status: z.enum(['listed', 'unnamed', 'elsewhere', 'refused', 'failed', 'unasked']),
  url: Text.nullable(),
  found: Text.nullable(),
  tools: z.array(z.string().max(200)).max(5_000),
  listSha256: Digest.nullable(),
})
export type ServerFacts = Readonly<z.infer<typeof ServerFacts>>

/** A call of the agent's own licence that arrived on the wire while it was being asked. */
export const SeenCall = z.strictObject({
  evidence: Digest,
  number: z.int().positive(),
  inference: z.boolean(),
  outcome: z.enum(['answered', 'refused', 'failed']),
  reason: z.enum(REASONS).nullable(),
  requestedModel: z.string().nullable(),
  admitted: ModelPair,
  servedModel: z.string().nullable(),
})
export type SeenCall = Readonly<z.infer<typeof SeenCall>>

/** Everything that was observed of one agent, once. Observations only; what the agent says of itself stands under `claims`. */
export const AgentReadinessFacts = z.strictObject({
  rules: z.literal(AGENT_READINESS_VERSION),
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive(),
  agent: Name,
  runId: RunId,
  generation: z.int().positive(),
  path: AgentPath,
  /** `light` asks for everything but a call of the model. It can find something missing, and never proves. */
  depth: z.enum(['full', 'light']),
  expected: AgentExpectation,
  card: CardFacts,
  challenge: ChallengeFacts,
  servers: z.array(ServerFacts).max(100),
  calls: z.array(SeenCall).max(1_000),
  /** What the kernel and the disk show of a process that Portcullis started; null for one that somebody else did. */
  process: ReadinessFacts.nullable(),
})
export type AgentReadinessFacts = Readonly<z.infer<typeof AgentReadinessFacts>>

export const AgentReadinessEvidence = definePredicate('https://portcullis.dev/evidence/agent-readiness/v1', AgentReadinessFacts)
