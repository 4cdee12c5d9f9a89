import { dirname, join, relative, resolve as resolvePath } from 'node:path'
import { loadOverride } from '../adapters/configuration/index.ts'
import type { Refusal } from '../contract/gate.ts'
import { printPair } from '../contract/model.ts'
import { exitCodeOf } from '../contract/reasons.ts'
import { entryOf, type ResolvedProfile, resolveProfile } from '../gates/catalog/index.ts'
import { type AppOptions, configurationOf, configurationPathOf, usage } from './places.ts'

export interface AdmitCheckAnswer {
  readonly status: string
  readonly message: string
  readonly refusal: Refusal | null
  readonly exitCode: number
}

/** What the admission gate says of a profile today; asks nothing of the network and stores nothing. */
export async function checkAdmission(options: AppOptions, asked: { readonly profile: string; readonly purpose: string; readonly file: string | undefined }): Promise<AdmitCheckAnswer> {
  const { configuration, directory } = configurationOf(options)
  const outcome = resolveProfile({ catalog: configuration, override: loadOverride(directory), profile: asked.profile, purpose: asked.purpose, candidate: 0, capability: null })
  if ('refusal' in outcome) return { status: 'not_resolved', message: outcome.refusal.message, refusal: outcome.refusal, exitCode: exitCodeOf(outcome.refusal.reason, false) }
  return admissionOf(options, outcome.resolution, asked.file)
}

/** The same of one resolution: `file` names the only record that may admit it, undefined has all of them looked through. */
export async function admissionOf(options: AppOptions, resolution: ResolvedProfile, file: string | undefined): Promise<AdmitCheckAnswer> {
  const { configuration, directory } = configurationOf(options)
  const [{ readAdmissions, readAdmissionFile, readDecisions, ADMISSIONS_DIRECTORY, DECISIONS_DIRECTORY }, { admissionFacts, admissionGate, admissionRequestOf, admissionStatus }] = await Promise.all([
    import('../adapters/admission-files/index.ts'),
    import('../gates/admission/index.ts'),
  ])
  const facts = admissionFacts({
    ...admissionRequestOf(resolution, configuration.networkClasses),
    decisions: readDecisions({ directory: join(directory, DECISIONS_DIRECTORY), root: directory }),
    source: file === undefined ? readAdmissions({ directory: join(directory, ADMISSIONS_DIRECTORY), root: directory }) : readAdmissionFile({ file: resolvePath(options.cwd, file), root: directory }),
    observedAt: options.clock(),
    validForMs: 1,
  })
  const finding = admissionGate.decide(facts, ['0'.repeat(64)])
  const refusal = finding.outcome === 'block' ? finding : null
  return { status: admissionStatus(facts), message: `${printPair(resolution.pair)}: ${finding.message}`, refusal, exitCode: refusal === null ? 0 : exitCodeOf(refusal.reason, false) }
}

/** Every record beside the configuration, those that end first at the top. `soonMs` is how near an end must be to be called soon. */
export async function listAdmissionRecords(options: AppOptions, soonMs: number) {
  const directory = dirname(configurationPathOf(options))
  const { listAdmissions, readAdmissions, ADMISSIONS_DIRECTORY } = await import('../adapters/admission-files/index.ts')
  return listAdmissions(readAdmissions({ directory: join(directory, ADMISSIONS_DIRECTORY), root: directory }), options.clock(), soonMs)
}

/** What a record for a pair must say from the configuration itself, so that a person states only what is theirs to state. */
export async function createAdmissionRecord(options: AppOptions, asked: { readonly pair: string; readonly runtime: string; readonly stages: readonly string[]; readonly approvalSource: string; readonly expiresAt: string; readonly conditions: readonly string[]; readonly servedModelIds: readonly string[]; readonly evidenceExpectations: readonly string[] }) {
  const { configuration, directory } = configurationOf(options)
  const { createAdmission, ADMISSIONS_DIRECTORY } = await import('../adapters/admission-files/index.ts')
  const { parsePair } = await import('../contract/model.ts')
  const pair = parsePair(asked.pair)
  const provider = pair === undefined ? undefined : entryOf(configuration.providers, pair.provider)
  if (pair === undefined || provider === undefined) throw usage('an exact provider/model whose provider is configured', JSON.stringify(asked.pair), `Providers: ${Object.keys(configuration.providers).join(', ')}`)
  if (Date.parse(asked.expiresAt) <= options.clock().getTime()) throw usage('a record that admits, until a day to come', `it would have expired on ${asked.expiresAt}`, 'Give --expires a later instant, as in 2027-06-01T00:00:00Z.')
  const created = createAdmission(join(directory, ADMISSIONS_DIRECTORY), {
    status: 'admitted',
    provider: pair.provider,
    model: pair.model,
    endpoint: provider.baseUrl,
    runtime: asked.runtime,
    stages: [...asked.stages],
    credential_source_class: provider.credential.class,
    allowed_network_class: provider.networkClass,
    approval_source: asked.approvalSource,
    admission_timestamp: options.clock().toISOString(),
    review_trigger: { expires_at: asked.expiresAt, ...(asked.conditions.length === 0 ? {} : { conditions: [...asked.conditions] }) },
    served_model_ids: asked.servedModelIds.length === 0 ? [pair.model] : [...asked.servedModelIds],
    evidence_expectations: [...asked.evidenceExpectations],
  })
  return { ...created, path: relative(options.cwd, created.path) }
}

/** Ends every record of a pair, or those for one agent: from this moment on they admit nothing. */
export async function revokeAdmissionRecords(options: AppOptions, asked: { readonly pair: string; readonly runtime: string | undefined }) {
  const directory = dirname(configurationPathOf(options))
  const [{ revokeAdmission, ADMISSIONS_DIRECTORY }, { parsePair }] = await Promise.all([import('../adapters/admission-files/index.ts'), import('../contract/model.ts')])
  const pair = parsePair(asked.pair)
  if (pair === undefined) throw usage('an exact provider/model', JSON.stringify(asked.pair), 'npx portcullis admit list shows the records.')
  return revokeAdmission(join(directory, ADMISSIONS_DIRECTORY), pair, asked.runtime).map((revoked) => ({ ...revoked, path: relative(options.cwd, revoked.path) }))
}

/** Writes down what people decided about a provider. It admits nothing. */
export async function createDecisionRecord(options: AppOptions, document: Readonly<Record<string, unknown>>) {
  const directory = dirname(configurationPathOf(options))
  const { createDecision, DECISIONS_DIRECTORY } = await import('../adapters/admission-files/index.ts')
  const { DECISION_EFFECT } = await import('../gates/admission/index.ts')
  const created = createDecision(join(directory, DECISIONS_DIRECTORY), { ...document, effect: DECISION_EFFECT })
  return { ...created, path: relative(options.cwd, created.path) }
}
