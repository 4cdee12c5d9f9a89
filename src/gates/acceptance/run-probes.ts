import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { RunnerState } from './acceptance-facts.ts'
import type { ProbeRequest, ProbeRunner } from './ports.ts'
import type { ProbeDefinition } from '../catalog/index.ts'
import { ProbeRecord } from './probe-record.ts'

/** What one phase came to: the records, and whether the runner held out to the end. */
export interface PhaseResult {
  readonly runner: RunnerState
  readonly records: readonly ProbeRecord[]
}

/**
 * Runs the bound probes of one phase in their order, each once, and keeps only records that validate. A runner that
 * throws or answers with something else has crashed: that is said, and nothing of it counts (ACC-17). Keeps no state.
 */
export async function runProbes(runner: ProbeRunner, probes: readonly { readonly name: string; readonly definition: ProbeDefinition }[], request: Omit<ProbeRequest, 'name' | 'definition'>): Promise<PhaseResult> {
  const records: ProbeRecord[] = []
  for (const { name, definition } of probes) {
    try {
      const answer = ProbeRecord.safeParse(await runner.run({ ...request, name, definition }))
      if (!answer.success) return { runner: { failed: `it answered for ${name} with something that is no record` }, records }
      records.push(answer.data)
    } catch (error) {
      return { runner: { failed: `${causeOf(error)} in ${name}` }, records }
    }
  }
  return { runner: 'ran', records }
}

/** The text of an unknown error may quote a credential or an argv; its class and the system's code cannot. */
function causeOf(error: unknown): string {
  if (error instanceof PortcullisError) return error.message.slice(0, 300)
  const name = error instanceof Error ? error.name : typeof error
  const code = systemCode(error)
  return code === undefined ? name : `${name} ${code}`
}
