import type { Dialect } from '../../contract/model.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { ProbeDefinition, ReviewerDefinition } from '../catalog/index.ts'
import type { ProbePhase, ProbeRecord } from './probe-record.ts'
import type { ReviewAnswer } from './review-answer.ts'
import type { Finding as ReviewFinding } from './review-record.ts'

/** One probe to run on one copy of the work. */
export interface ProbeRequest {
  readonly name: string
  readonly definition: ProbeDefinition
  readonly phase: ProbePhase
  /** What the workspace must be; a workspace with another digest is not looked at. */
  readonly subjectDigest: Digest
  readonly workspace: string
  /** Our own environment, of which the probe sees the basic variables and those its definition names, less every credential. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly runId: string
  readonly attempt: number
  readonly taskClass: string
  /** Aborted: the probe is ended with all its processes, and its record says `cancelled`. */
  readonly signal: AbortSignal
  /** Takes a file that people may want to see beside the record; answers with its name in the directory of the run, or null if it is not kept. */
  keep(name: string, content: Buffer): string | null
}

/** What a person has approved for a definition of a probe, by the record of the approval. */
export interface ApprovedRender {
  readonly approval: string
  readonly sha256: Digest
  /** Undefined if the image is not there any more, or is another one. */
  readonly image: Buffer | undefined
}

/** What people have approved. An approval that does not verify is none. */
export interface Approvals {
  /** The last approval for exactly this definition; undefined if there is none. */
  render(probe: string, definitionDigest: Digest): Promise<ApprovedRender | undefined>
}

/** Runs probes. Whatever a probe does, the answer is a record; a rejection means that the runner itself is broken. */
export interface ProbeRunner {
  run(request: ProbeRequest): Promise<ProbeRecord>
}

/** Where a reviewer that is a model asks: the wire, with a licence of its own. */
export interface ReviewTarget {
  readonly token: string
  readonly baseUrl: Readonly<Record<Dialect, string>>
  readonly dialect: Dialect
  /** The exact id, as the wire expects it. */
  readonly model: string
  /** The words of the answer, as the wire read them; null if there was none. */
  answer(): string | null
}

/** One reviewer to ask about one head. */
export interface ReviewRequest {
  readonly name: string
  readonly definition: ReviewerDefinition
  /** What is judged; a workspace with another digest is not shown to anybody. */
  readonly head: Digest
  readonly base: Digest
  readonly workspace: string
  readonly diff: { readonly bytes: Buffer; readonly whole: boolean }
  /** Paths that differ, relative to the workspace; removed ones too. */
  readonly files: readonly string[]
  readonly task: { readonly id: string; readonly title: string; readonly prompt: string }
  readonly items: readonly { readonly id: number; readonly text: string }[]
  /** This reviewer's own earlier findings; null if it gave no review before. Nobody else's: it judges blind (ACC-67). */
  readonly prior: readonly ReviewFinding[] | null
  /** What people answered to questions of reviewers of this run. */
  readonly answers: readonly { readonly question: string; readonly answer: string; readonly by: string }[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly runId: string
  /** Null for a command. */
  readonly target: ReviewTarget | null
  /** Aborted: the reviewer is ended with all its processes. */
  readonly signal: AbortSignal
}

/** What came of asking: an answer, or the failure of the reviewer's runtime, which is no verdict (ACC-65). */
export interface ReviewAnswered {
  readonly answer: ReviewAnswer | null
  readonly failure: { readonly code: string; readonly text: string } | null
  /** What an answer must show to have read its inputs. */
  readonly marks: { readonly diff: string; readonly source: string }
  readonly startedAt: string
  readonly endedAt: string
  readonly runnerVersion: string
}

/** Asks reviewers. Whatever a reviewer does, the answer is a value; a rejection means that the runner itself is broken. */
export interface ReviewRunner {
  run(request: ReviewRequest): Promise<ReviewAnswered>
}
