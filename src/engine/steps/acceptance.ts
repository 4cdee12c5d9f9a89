import { milliseconds } from '../../contract/units.ts'
import { type AcceptedContent, acceptanceGate, acceptanceProof, type AcceptanceFacts, bindProbes, type ProbeRecord, ProbeRecordEvidence } from '../../gates/acceptance/index.ts'
import type { Resolution } from '../../gates/catalog/index.ts'
import type { Course, Decided } from '../course.ts'
import { LOCAL_WORK_MS, MARGIN_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import type { TaskRequest } from '../run-task.ts'
import type { World } from '../world.ts'
import type { EndedTurn } from './turn.ts'

export interface AcceptanceInput {
  readonly request: TaskRequest
  readonly directory: RunDirectory
  readonly resolution: Resolution
  readonly turn: EndedTurn
  readonly before: string
  readonly after: { readonly digest: string; readonly filesChanged: number }
  readonly note: (text: string) => void
}
