import * as z from 'zod'
import { type ModelPair, printPair, samePair } from '../../contract/model.ts'
import { Digest } from '../../contract/verdict.ts'
import { entryOf, type NetworkClasses, type ResolvedProfile } from '../catalog/index.ts'
import { AdmissionRecord } from './admission-record.ts'
import { DecisionRecord } from './decision-record.ts'
import { fileNameOf, nameAgrees, readRecordFileName, recordFileName } from './file-name.ts'
import type { AdmissionSource, DecisionSource } from './ports.ts'
import { secretProblems } from '../../contract/secret-like.ts'

const YEAR_MS = 366 * 24 * 3_600_000
const MAX_FILES = 32
const MAX_OTHERS = 50

/** One file as it was found: its record, or what is wrong with it. The text of a file with a problem is nowhere in here. */
export const AdmissionFile = z
  .strictObject({
    path: z.string().min(1).max(1_000),
    /** SHA-256 of the file's bytes; null if they could not be read (ADM-A19). */
    sha256: Digest.nullable(),
    record: AdmissionRecord.nullable(),
    problems: z.array(z.string().min(1).max(1_000)).max(20),
  })
  .refine((file) => (file.record === null) === file.problems.length > 0, 'expected a record or problems, and not both')
  .refine((file) => file.record === null || file.sha256 !== null, 'expected the digest of the file that the record was read from')
  // The last door before the ledger: should a reader let a secret through, the facts cannot be stored at all.
  .refine((file) => secretProblems(file.record).length === 0, 'a record with a secret in it must not be stored')
export type AdmissionFile = z.infer<typeof AdmissionFile>

/** One decision record as it was found: its content, or what is wrong with it. */
export const DecisionFile = z
  .strictObject({ path: z.string().min(1).max(1_000), sha256: Digest.nullable(), decision: DecisionRecord.nullable(), problems: z.array(z.string().min(1).max(1_000)).max(20) })
  .refine((file) => (file.decision === null) === file.problems.length > 0, 'expected a decision or problems, and not both')
  .refine((file) => secretProblems(file.decision).length === 0, 'a decision with a secret in it must not be stored')
export type DecisionFile = z.infer<typeof DecisionFile>

/** What was asked for, and every record that speaks about it. */
export const AdmissionFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive().max(YEAR_MS),
  /** Empty strings mean that none was asked for. */
  requested: z.strictObject({ provider: z.string().max(300), model: z.string().max(300) }),
  /** What the caller asks for beside the profile, where it must (ADM-A1, ADM-E1): empty strings where it does not; null where the profile alone asks. */
  asked: z.strictObject({ provider: z.string().max(300), model: z.string().max(300) }).nullable(),
  /** The agent that will run, as records call it. */
  runtime: z.string().max(300),
  stage: z.string().max(300),
  /** The base URL that the wire will call, and the classes that the provider is configured with. */
  endpoint: z.string().max(2_000),
  networkClass: z.string().max(300),
  credentialClass: z.string().max(300),
  /** Whether the configuration declares the network class as external; null where it does not declare it (ADM-D10). */
  network: z.strictObject({ external: z.boolean().nullable() }),
  /** The decisions about the requested pair, and why the place of decisions could not be read, if so. */
  decisions: z.strictObject({ path: z.string().min(1).max(1_000), problem: z.string().min(1).max(1_000).nullable(), files: z.array(DecisionFile).max(MAX_FILES) }),
  source: z.strictObject({ kind: z.enum(['directory', 'file']), path: z.string().min(1).max(1_000), problem: z.string().min(1).max(1_000).nullable() }),
  /** The named file, or the files that are for the requested pair by their name or by their content. */
  files: z.array(AdmissionFile).max(MAX_FILES),
  /** Files that are for other pairs, to tell people what is there. */
  others: z.array(z.strictObject({ path: z.string().max(1_000), pair: z.string().max(700).nullable() })).max(MAX_OTHERS),
  othersCount: z.int().nonnegative(),
})
export type AdmissionFacts = z.infer<typeof AdmissionFacts>

export interface AdmissionRequest {
  readonly requested: ModelPair
  /** What the caller asks for beside the profile; null where the profile alone asks. */
  readonly asked: ModelPair | null
  readonly runtime: string
  readonly endpoint: string
  readonly networkClass: string
  readonly credentialClass: string
  /** What the configuration declares of the network class; null if nothing. */
  readonly external: boolean | null
  /** What the run is, as records call what they cover. */
  readonly stage: string
}

/** The stage of a run whose purpose names none: work on a copy. Records name the stages they cover (ADM-A15). */
export const WORK_STAGE = 'work'

/** Runs of Case are the one stage that its records were made for, unless their purpose names another (ADM-A15). */
const CASE_STAGE = 'stage-2'

/** The stage that a run asks to be admitted for: what its purpose says, or what runs of its agent are. */
const stageOf = ({ purposeRules, profile }: Pick<ResolvedProfile, 'profile' | 'purposeRules'>): string => purposeRules.stage ?? (profile.agent === 'case' ? CASE_STAGE : WORK_STAGE)

/** What a resolved profile asks to be admitted for, by itself. */
export const admissionRequestOf = (resolution: Pick<ResolvedProfile, 'pair' | 'profile' | 'provider' | 'purposeRules'>, networkClasses: NetworkClasses | undefined): AdmissionRequest => ({
  requested: resolution.pair,
  asked: null,
  runtime: resolution.profile.agent,
  endpoint: resolution.provider.baseUrl,
  networkClass: resolution.provider.networkClass,
  credentialClass: resolution.provider.credential.class,
  external: entryOf(networkClasses, resolution.provider.networkClass)?.external ?? null,
  stage: stageOf(resolution),
})

/** True if a file claims to decide about this pair, by its name or by what it holds. */
export const isAboutPair = ({ path, decision }: DecisionFile, pair: ModelPair): boolean =>
  fileNameOf(path) === recordFileName(pair) || (decision !== null && samePair({ provider: decision.provider, model: decision.model }, pair))

/** True if a file claims to be for this pair: by its name, or by what it holds. Either is enough to let its faults deny. */
const isFor = (file: AdmissionFile, pair: ModelPair): boolean =>
  nameAgrees(fileNameOf(file.path), pair) || (file.record !== null && samePair({ provider: file.record.provider, model: file.record.model }, pair))

/** The facts of one question. `validForMs` is how long an answer may be used before the record is read again. */
export function admissionFacts(question: AdmissionRequest & { readonly source: AdmissionSource; readonly decisions: DecisionSource; readonly observedAt: Date; readonly validForMs: number }): AdmissionFacts {
  const { requested, runtime, stage, endpoint, networkClass, credentialClass, external, source, decisions } = question
  const speaking = source.files.filter((file) => source.kind === 'file' || isFor(file, requested))
  const others = source.files.filter((file) => !speaking.includes(file))
  return {
    observedAt: question.observedAt.toISOString(),
    validForMs: question.validForMs,
    requested: { provider: requested.provider, model: requested.model },
    asked: question.asked === null ? null : { provider: question.asked.provider, model: question.asked.model },
    runtime,
    stage,
    endpoint,
    networkClass,
    credentialClass,
    network: { external },
    // Those that are cut off are of other names than the one that is right, and a pair has only one.
    decisions: { path: decisions.path, problem: decisions.problem, files: decisions.files.filter((file) => isAboutPair(file, requested)).slice(0, MAX_FILES) },
    // What is cut off may be the record that denies: then there is nothing to judge.
    source: { kind: source.kind, path: source.path, problem: source.problem ?? (speaking.length > MAX_FILES ? `more than ${MAX_FILES} files speak about ${printPair(requested)}` : null) },
    files: speaking.slice(0, MAX_FILES),
    others: others.slice(0, MAX_OTHERS).map((file) => ({ path: file.path, pair: pairShown(file) })),
    othersCount: others.length,
  }
}

function pairShown(file: AdmissionFile): string | null {
  if (file.record !== null) return printPair({ provider: file.record.provider, model: file.record.model })
  const named = readRecordFileName(fileNameOf(file.path))
  return named === undefined ? null : `${printPair(named)} (not valid)`
}
