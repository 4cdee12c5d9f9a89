import type { Digest } from '../../contract/verdict.ts'
import type { ProbeDefinition } from '../catalog/index.ts'
import type { ProbePhase, ProbeRecord } from './probe-record.ts'

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
