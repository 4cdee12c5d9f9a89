import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { definePredicate } from '../../contract/evidence.ts'
import { ModelPair } from '../../contract/model.ts'
import { Digest } from '../../contract/verdict.ts'
import { ExecutableIdentity, FileDigest, type LaunchPlan, planDigest } from '../launch/index.ts'

const Path = z.string().min(1).max(8_192)

/** A file as it is now: null where it could not be read, which is never taken for a match. */
const ObservedFile = z.strictObject({ path: Path, sha256: Digest.nullable() })

/** What the agent says about itself. A claim can contradict the plan; it satisfies nothing (RDY-10). Null: it does not say. */
export const AgentClaims = z.strictObject({
  model: z.string().max(1_024).nullable(),
  provider: z.string().max(1_024).nullable(),
  version: z.string().max(1_024).nullable(),
  effort: z.string().max(1_024).nullable(),
})
export type AgentClaims = Readonly<z.infer<typeof AgentClaims>>

export const ReadinessFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive(),
  planned: z.strictObject({
    planDigest: Digest,
    executable: z.strictObject({ path: Path, identity: ExecutableIdentity }),
    program: FileDigest,
    programFiles: z.array(FileDigest).max(100),
    argvDigest: Digest,
    workspace: Path,
    files: z.array(FileDigest).max(100),
    model: ModelPair,
    version: z.string().max(8_192),
    effort: z.string().max(100).nullable(),
  }),
  observed: z.strictObject({
    pid: z.int().positive(),
    /** When the process began, in the kernel's own count: tells it from a later one with the same pid. Null: no such process. */
    startTicks: z.int().nonnegative().nullable(),
    /** True while the very process that was started is alive. */
    alive: z.boolean(),
    /** The file the kernel runs under this pid. */
    executable: z.strictObject({ path: Path, identity: ExecutableIdentity.nullable() }).nullable(),
    program: ObservedFile,
    programFiles: z.array(ObservedFile).max(100),
    /** Digest of the argv as the kernel knew it at the start, before the program could rewrite it. */
    argvDigest: Digest.nullable(),
    /** The working directory of the process. */
    workspace: Path.nullable(),
    files: z.array(ObservedFile).max(100),
    /** Whether the agent's own interface answered; null for an agent that has none. */
    responded: z.boolean().nullable(),
    claims: AgentClaims,
  }),
})
export type ReadinessFacts = Readonly<z.infer<typeof ReadinessFacts>>

export const ReadinessEvidence = definePredicate('https://portcullis.dev/evidence/readiness/v1', ReadinessFacts)

/** What readiness expects of a launch plan. */
export function expectationOf(plan: LaunchPlan): ReadinessFacts['planned'] {
  return {
    planDigest: planDigest(plan),
    executable: plan.executable,
    program: plan.program,
    programFiles: plan.programFiles,
    argvDigest: digestOf(plan.argv),
    workspace: plan.workspace,
    files: plan.files,
    model: plan.model,
    version: plan.version.found,
    effort: plan.effort,
  }
}
