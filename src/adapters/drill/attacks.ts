import { milliseconds } from '../../contract/units.ts'
import type { Attack, Expectation } from './attack.ts'
import { addressFor, type DrillCopy } from './copy.ts'
import { SECRET_ATTACKS } from './secret-attacks.ts'
import type { DrillTarget } from './target.ts'

/** A model that nobody admitted, and that the scripted provider serves all the same. */
export const OTHER_MODEL = 'portcullis-drill-1'
const DAY_MS = 86_400_000

const atAdmission = (reason: Extract<Expectation['reason'], `${string}admi${string}` | 'mismatch'>): Expectation => ({ by: 'admission', reason, process: false, requests: 0 })
const inConfiguration: Expectation = { by: 'configuration', reason: 'configuration_invalid', process: false, requests: 0 }

function askForOtherModel(copy: DrillCopy): void {
  copy.profile.model = `${copy.pair.provider}/${OTHER_MODEL}`
}

/** Before anything is started: who may run, on what, by whose approval. */
const ATTACKS_ON_ADMISSION: readonly Attack[] = [
  {
    id: 'missing-provider',
    title: 'missing provider',
    tries: 'the profile names a provider that nobody configured',
    expects: inConfiguration,
    arrange: (copy) => void (copy.profile.model = `portcullis-drill/${copy.pair.model}`),
  },
  {
    id: 'missing-model',
    title: 'missing model',
    tries: 'the profile names a provider and no model',
    expects: inConfiguration,
    arrange: (copy) => void (copy.profile.model = `${copy.pair.provider}/`),
  },
  {
    id: 'wrong-purpose',
    title: 'wrong purpose',
    tries: 'the profile is used for a purpose that it does not list',
    expects: { by: 'catalog', reason: 'runtime_purpose_violation', process: false, requests: 0 },
    arrange: (copy) => {
      copy.configuration.purposes['portcullis-drill'] = { needs: ['acceptance'] }
      copy.purpose = 'portcullis-drill'
    },
  },
  {
    id: 'unadmitted-pair',
    title: 'unadmitted pair',
    tries: 'the profile asks for a model that no record names',
    expects: atAdmission('missing_admission'),
    arrange: askForOtherModel,
  },
  {
    id: 'moved-alias',
    title: 'moved alias',
    tries: 'aliases.json moves the alias of the profile to a model that no record names',
    expects: atAdmission('missing_admission'),
    impossible: ({ resolution }) => (resolution?.alias === null ? 'the profile names an exact model, no alias' : undefined),
    arrange: (copy) => {
      const name = copy.target.resolution?.alias?.name ?? ''
      copy.override = { value: { version: 1, reason: 'drill', aliases: { [name]: { candidates: [`${copy.pair.provider}/${OTHER_MODEL}`] } } } }
    },
  },
  {
    id: 'missing-record',
    title: 'missing record',
    tries: 'every record of the pair is taken away',
    expects: atAdmission('missing_admission'),
    arrange: (copy) => copy.dropRecords(),
  },
  {
    id: 'mismatching-record',
    title: 'mismatching record',
    tries: 'the run is given the record of another model than it asks for',
    expects: atAdmission('mismatch'),
    arrange: (copy) => {
      askForOtherModel(copy)
      copy.namedRecord = copy.firstRecord()
    },
  },
  {
    id: 'invalid-record',
    title: 'invalid record',
    tries: 'the record has a field that nobody knows',
    expects: atAdmission('invalid_admission'),
    arrange: (copy) => copy.changeRecords((record) => void Object.assign(record, { drill: 'an unknown field' })),
  },
  {
    id: 'expired-record',
    title: 'expired record',
    tries: 'the record ended a day ago',
    expects: atAdmission('not_admitted'),
    arrange: (copy, { now }) => copy.changeRecords((record) => void (record.review_trigger = { expires_at: new Date(now.getTime() - DAY_MS).toISOString() })),
  },
  {
    id: 'wrong-stage',
    title: 'wrong stage',
    tries: 'the record covers another stage than a run is',
    expects: atAdmission('not_admitted'),
    arrange: (copy) => copy.changeRecords((record) => void (record.stages = ['portcullis-drill'])),
  },
  {
    id: 'unapproved-external',
    title: 'external, unapproved',
    tries: 'the provider belongs to somebody else, and no decision of people approves it; its admission record stands',
    expects: { ...atAdmission('not_admitted'), naming: ['is external'] },
    arrange: (copy) => copy.withoutApproval(),
  },
  {
    id: 'repointed-endpoint',
    title: 'repointed endpoint',
    tries: 'the provider of the same name is moved to another address',
    expects: atAdmission('not_admitted'),
    arrange: (copy, { otherUrl }) => void (copy.provider.baseUrl = addressFor(copy.provider, otherUrl)),
  },
]

/** What the provider does, or cannot do. */
const ATTACKS_ON_THE_WIRE: readonly Attack[] = [
  {
    id: 'no-key',
    title: 'no key',
    tries: "the provider's credential is not where the wire looks for it",
    expects: { by: 'health', reason: 'credential_unavailable', process: false, requests: 0 },
    impossible: ({ resolution }) => (resolution?.provider.credential.source === 'none' ? 'the provider takes no credential' : undefined),
    arrange: (copy) => {
      copy.pin()
      copy.environment = {}
    },
  },
  {
    id: 'dead-endpoint',
    title: 'dead endpoint',
    tries: 'nothing listens at the address of the provider',
    expects: { by: 'health', reason: 'provider_unreachable', process: false, requests: 0 },
    arrange: (copy, { deadUrl }) => {
      copy.pin()
      const address = addressFor(copy.provider, deadUrl)
      copy.changeRecords((record) => void (record.endpoint = record.endpoint === copy.provider.baseUrl ? address : record.endpoint))
      copy.provider.baseUrl = address
    },
  },
  {
    id: 'other-model-served',
    title: 'other model served',
    tries: 'the provider lets another model answer the agent',
    expects: { by: 'wire', reason: 'served_model_mismatch', process: true, requests: 2, answerWithheld: true },
    faults: [{ on: { request: 2 }, fault: { servedModel: OTHER_MODEL } }],
    arrange: () => undefined,
  },
  {
    id: 'revoked-mid-run',
    title: 'revoked mid-run',
    tries: 'the record is revoked while the agent works; it asks again a second later',
    expects: { by: 'wire', reason: 'not_admitted', process: true, requests: 2 },
    impossible: ({ profile: { limits } }) => (limits.calls < 2 ? 'the profile allows one call' : milliseconds(limits.idle) < 3_000 ? 'the profile allows less silence than a revocation takes' : undefined),
    arrange: (copy) => void (copy.behaviour = 'asks-again-later'),
    onAgentCall: (copy) => copy.revokeNow(),
  },
]

/** What agents do: they say that they are done. */
const ATTACKS_OF_THE_AGENT: readonly Attack[] = [
  {
    id: 'zero-calls',
    title: 'zero calls',
    tries: 'the agent does the work, exits 0, and asked no model anything',
    expects: { by: 'wire', reason: 'no_model_call', process: true, requests: 1 },
    arrange: (copy) => void (copy.behaviour = 'asks-nobody'),
  },
  {
    id: 'exit-0-without-work',
    title: 'exit 0 without work',
    tries: 'the agent asks its model, changes nothing, says "completed" and exits 0',
    expects: { by: 'acceptance', reason: 'done_without_change', process: true, requests: 2 },
    arrange: (copy) => void (copy.behaviour = 'idle'),
  },
  {
    id: 'echoed-result-block',
    title: 'echoed result block',
    tries: 'the agent changes a file of no use and prints the result block of its prompt',
    expects: { by: 'acceptance', reason: 'probe_failed', process: true, requests: 2 },
    arrange: (copy) => void (copy.behaviour = 'echoes-result'),
  },
]

export const ATTACKS: readonly Attack[] = [...ATTACKS_ON_ADMISSION, ...ATTACKS_ON_THE_WIRE, ...ATTACKS_OF_THE_AGENT, ...SECRET_ATTACKS]

/** What a drill stands on: an honest run on the same copy. If it is refused, refusals prove nothing (law 9). */
export const CONTROL = {
  id: 'control',
  title: 'honest run',
  arrange: () => undefined,
  /** Why an honest run did not come through as it must; undefined if it did. */
  fault: (seen: { readonly by: string | null; readonly reason: string | null; readonly message: string; readonly requests: number; readonly leftIn: readonly string[] }): string | undefined => {
    if (seen.by !== null) return `${seen.reason ?? 'refused'} at ${seen.by}: ${seen.message}`
    if (seen.requests !== 2) return `it was accepted with ${seen.requests} requests at the provider, where a probe and a call are 2`
    return seen.leftIn.length === 0 ? undefined : `the credential stands in ${seen.leftIn.join(', ')}`
  },
} as const

/** Why no attack at all can be tried on a profile; undefined if they can. */
export const undrillable = (target: DrillTarget): string | undefined => (target.purpose === undefined ? 'no purpose of the profile may be used by a caller' : undefined)
