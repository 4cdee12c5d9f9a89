import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import type { Configuration } from '../../engine/index.ts'
import { type AdmissionRecord, type AdmissionSource, CurrentRecord, type DecisionRecord, type DecisionSource, fileNameOf, scopedRecordFileName, scopeOf } from '../../gates/admission/index.ts'
import type { OverrideState, Profile, Provider } from '../../gates/catalog/index.ts'
import { ADMISSIONS_DIRECTORY, DECISIONS_DIRECTORY, revokeAdmission } from '../admission-files/index.ts'
import { CONFIGURATION_FILE, OVERRIDE_FILE } from '../configuration/index.ts'
import type { DrillTarget } from './target.ts'

/** Names that the drill adds to a copy; a configuration that has them already is given others by nobody, so they are long. */
const OWN_NAME = 'portcullis-drill'
const KEY_VARIABLE = 'PORTCULLIS_DRILL_KEY'
const PROBE_LIMIT = '20s'

/** How the stand-in behaves: examples/drill/agent.mjs has each of them. */
export type Behaviour = 'honest' | 'asks-nobody' | 'idle' | 'echoes-result' | 'prints-secret' | 'complains-of-secret' | 'writes-secret' | 'names-file-after-secret' | 'asks-again-later'

/** A file among the admission records; one that is no valid record is stood for by one that is none either, since its text may hold a secret. */
interface CopiedRecord {
  name: string
  record: AdmissionRecord | null
}

/** A file among the decisions; one that is none is stood for by one that is none either. */
interface CopiedDecision {
  readonly name: string
  readonly decision: DecisionRecord | null
}

/**
 * The user's configuration, records and override as a drill may change them. Every provider is repointed to a scripted one
 * on loopback and every credential is replaced by a planted one; nothing else differs from what the user wrote.
 */
export class DrillCopy {
  readonly directory: string
  readonly target: DrillTarget
  readonly configuration: Configuration
  readonly records: CopiedRecord[]
  readonly decisions: CopiedDecision[]
  /** Stands for the provider's credential in this copy. */
  readonly canary: string
  override: OverrideState
  purpose: string
  behaviour: Behaviour = 'honest'
  /** The one record that the run is told to use, by its name among the records. */
  namedRecord: string | null = null
  /** What the run's environment holds beside PATH. */
  environment: Readonly<Record<string, string>>
  /** Where the agent is handed the credential, although it must not be. */
  handed: 'argv' | 'configuration' | 'environment' | null = null

  constructor(target: DrillTarget, place: { readonly directory: string; readonly providerUrl: string; readonly canary: string }) {
    this.directory = place.directory
    this.target = target
    this.canary = place.canary
    // The user's repositories are not the copy's; a drill stays away from them in any case.
    this.configuration = { ...structuredClone(target.configuration), providers: {}, targetRepositories: undefined }
    for (const [name, provider] of Object.entries(target.configuration.providers)) this.configuration.providers[name] = repointed(provider, place.providerUrl)
    this.configuration.probes[OWN_NAME] = { kind: 'headless_run', command: ['grep', '-qx', 'done', 'answer.txt'], timeout: PROBE_LIMIT, expect: { exitCode: 0 } }
    this.configuration.taskClasses[OWN_NAME] = { completion: 'product', probes: [OWN_NAME] }
    this.records = target.admissions.files.map(({ path, record }) => ({ name: fileNameOf(path), record: record === null ? null : this.#rebound(record) }))
    this.decisions = target.decisions.files.map(({ path, decision }) => ({ name: fileNameOf(path), decision }))
    this.override = target.override
    this.purpose = target.purpose ?? ''
    this.environment = { [KEY_VARIABLE]: place.canary }
  }

  get profile(): Profile {
    const profile = this.configuration.profiles[this.target.profileName]
    if (profile === undefined) throw new TypeError('A copy lost the profile that it is made for')
    return profile
  }

  /** The provider that the profile leads to. Only for a target that resolves. */
  get provider(): Provider {
    const provider = this.configuration.providers[this.pair.provider]
    if (provider === undefined) throw new TypeError('A copy lost the provider that it is made for')
    return provider
  }

  get pair(): NonNullable<DrillTarget['resolution']>['pair'] {
    if (this.target.resolution === undefined) throw new TypeError('A target without an exact pair cannot be attacked')
    return this.target.resolution.pair
  }

  /** Asks for the pair itself, so that no alias leads on to another candidate. */
  pin(): void {
    this.profile.model = `${this.pair.provider}/${this.pair.model}`
  }

  /** Gives the provider a credential, of the class that it has, where its own source is `none`: a scan needs something to find. */
  holdKey(): void {
    this.provider.credential = { source: 'env', name: KEY_VARIABLE, class: this.provider.credential.class }
  }

  /** Declares that the provider belongs to somebody else, and takes every decision about it away. */
  withoutApproval(): void {
    // A table of classes declares that of every provider.
    const all = Object.values(this.configuration.providers).map(({ networkClass }) => [networkClass, { external: true }] as const)
    this.configuration.networkClasses = { ...Object.fromEntries(all), ...this.configuration.networkClasses, [this.provider.networkClass]: { external: true } }
    this.decisions.splice(0)
  }

  /** Changes every valid record of the pair. */
  changeRecords(change: (record: z.infer<typeof CurrentRecord>) => void): void {
    for (const each of this.#ofPair()) {
      const { runtime, stages } = scopeOf(each.record)
      const current = CurrentRecord.parse({ runtime, stages, evidence_expectations: ['none was written'], ...each.record })
      const scoped = each.name === scopedRecordFileName(this.pair, { runtime, stages })
      change(current)
      each.record = current
      // A name that says what the record covers says what it covers now: the attack is on the record, not on its name.
      if (scoped) each.name = scopedRecordFileName(this.pair, current)
    }
  }

  /** Takes every record of the pair away. */
  dropRecords(): void {
    const ofPair = this.#ofPair()
    this.records.splice(0, this.records.length, ...this.records.filter((each) => !ofPair.some((dropped) => dropped.name === each.name)))
  }

  firstRecord(): string | null {
    return this.#ofPair()[0]?.name ?? null
  }

  /** Ends every record of the pair as `admit revoke` does, while the run goes on. */
  revokeNow(): void {
    revokeAdmission(join(this.directory, ADMISSIONS_DIRECTORY), this.pair)
  }

  /** The argv of the stand-in, which is run in the place of the profile's own agent. */
  command(): readonly [string, ...string[]] {
    return [process.execPath, join(this.directory, 'agent.mjs'), this.provider.dialect, this.behaviour, join(this.directory, 'planted.txt'), ...(this.handed === 'argv' ? [this.canary] : [])]
  }

  get taskFile(): string {
    return join(this.directory, 'task.yaml')
  }

  admissionFile(): string | undefined {
    return this.namedRecord === null ? undefined : join(this.directory, ADMISSIONS_DIRECTORY, this.namedRecord)
  }

  /** Writes the copy. `example` is the directory of the shipped stand-in. */
  layOut(example: string): void {
    cpSync(example, this.directory, { recursive: true })
    const write = (name: string, value: unknown): void => writeFileSync(join(this.directory, name), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
    // JSON is YAML as well, and quotes whatever would be read as something else.
    write(CONFIGURATION_FILE, this.configuration)
    write('task.yaml', taskFor(this.target.profileName, this.purpose))
    if (this.override !== null) write(OVERRIDE_FILE, 'value' in this.override ? this.override.value : 'not an override')
    writeFileSync(join(this.directory, 'planted.txt'), this.canary, { mode: 0o600 })
    this.#writeRecords(this.target.admissions)
    this.#writeDecisions(this.target.decisions)
  }

  #writeRecords({ problem }: AdmissionSource): void {
    const folder = join(this.directory, ADMISSIONS_DIRECTORY)
    // Where the user's own records cannot be read, those of the copy cannot be either.
    if (problem !== null) return writeFileSync(folder, '')
    mkdirSync(folder, { recursive: true })
    for (const { name, record } of this.records) writeFileSync(join(folder, name), record === null ? 'not a record' : `${JSON.stringify(record, null, 2)}\n`)
  }

  #writeDecisions({ problem }: DecisionSource): void {
    const folder = join(this.directory, DECISIONS_DIRECTORY)
    if (problem !== null) return writeFileSync(folder, '')
    mkdirSync(folder, { recursive: true })
    for (const { name, decision } of this.decisions) writeFileSync(join(folder, name), decision === null ? 'not a decision' : `${JSON.stringify(decision, null, 2)}\n`)
  }

  /** A record that binds its provider's address binds the address of the copy; any other binding stays, and goes on denying. */
  #rebound(record: AdmissionRecord): AdmissionRecord {
    const before = this.target.configuration.providers[record.provider]
    const after = this.configuration.providers[record.provider]
    if (!('endpoint' in record) || record.endpoint === undefined || before === undefined || after === undefined) return structuredClone(record)
    return withoutSlash(record.endpoint) === withoutSlash(before.baseUrl) ? { ...structuredClone(record), endpoint: after.baseUrl } : structuredClone(record)
  }

  #ofPair(): (CopiedRecord & { record: AdmissionRecord })[] {
    const isOurs = (each: CopiedRecord): each is CopiedRecord & { record: AdmissionRecord } => each.record?.provider === this.pair.provider && each.record.model === this.pair.model
    return this.records.filter(isOurs)
  }
}

const withoutSlash = (url: string): string => (URL.parse(url)?.href ?? url).replace(/\/+$/, '')

/** The same provider on loopback. Its credential, of the same class, is never the user's own. */
function repointed(provider: Provider, url: string): Provider {
  const { credential } = provider
  return {
    ...structuredClone(provider),
    baseUrl: addressFor(provider, url),
    credential: credential.source === 'none' ? credential : { source: 'env', name: KEY_VARIABLE, class: credential.class },
  }
}

/** OpenAI's clients want `/v1` in the address, Anthropic's do not. */
export const addressFor = ({ dialect }: Pick<Provider, 'dialect'>, url: string): string => (dialect === 'anthropic-messages' ? url : `${url}/v1`)

const taskFor = (profile: string, purpose: string): unknown => ({
  id: 'drill',
  title: 'Write what was asked for',
  class: OWN_NAME,
  purpose,
  profile,
  repositories: [{ path: './repository', branch: 'main' }],
  // Agents repeat what they are told; a result block in their output may be this one.
  prompt: 'Write answer.txt. When it is done, print:\n<<<AGENT_RESULT\n{"status":"completed"}\nAGENT_RESULT>>>\n',
  acceptance: [{ id: 1, text: 'answer.txt holds what was asked for', probes: [OWN_NAME] }],
  baseline: { untouched: 'must-fail' },
})
