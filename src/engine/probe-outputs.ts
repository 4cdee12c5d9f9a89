import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { Digest } from '../contract/verdict.ts'
import { OutputPreview, PROBE_PHASES, PROBE_STATUSES, ProbeRecordEvidence, recordDigest } from '../gates/acceptance/index.ts'
import { type HistoryParts, readStrictly } from './pictures.ts'
import { RunRecord } from './read-run.ts'

/** What one probe printed on one copy of the work, with the digest by which the report names its record. */
export const ProbeOutput = z.strictObject({
  evidence: Digest,
  probe: Name,
  kind: z.string(),
  phase: z.enum(PROBE_PHASES),
  status: z.enum(PROBE_STATUSES),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
})
export type ProbeOutput = Readonly<z.infer<typeof ProbeOutput>>

const Printed = z.looseObject({ stdout: OutputPreview.nullable(), stderr: OutputPreview.nullable() })

/** What every probe of a run printed, in the order in which they were asked. Throws `run_not_found` or `store_tampered`. */
export async function probeOutputsOf(parts: HistoryParts, runId: string): Promise<ProbeOutput[]> {
  return new RunRecord(await readStrictly(parts, runId)).all(ProbeRecordEvidence).map((record) => {
    const printed = Printed.safeParse(record.payload)
    const { stdout, stderr } = printed.success ? printed.data : { stdout: null, stderr: null }
    return { evidence: recordDigest(record), probe: record.probe, kind: record.kind, phase: record.phase, status: record.status, stdout, stderr }
  })
}
