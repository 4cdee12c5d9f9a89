import type { ProbeStatus } from '../../gates/acceptance/index.ts'
import type { ProbeDefinition } from '../../gates/catalog/index.ts'
import type { Withheld } from './withheld.ts'

/** Where and with what a probe runs. */
export interface ProbePlace {
  /** The name of the probe, and the run that it belongs to. */
  readonly probe: string
  readonly runId: string
  readonly workspace: string
  /** An empty directory that is gone afterwards: the probe's home and temporary files. */
  readonly scratch: string
  /** Our own environment; a probe sees of it what is listed, less every credential. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly withheld: Withheld
  readonly signal: AbortSignal
  /** Keeps a file for people in the directory of the run, under a name that ends so; answers with the name, or null if it is not kept. */
  keep(suffix: string, content: Buffer): string | null
}

/** What a kind of probe found out. `payload` is what its kind promises, for every status. */
export interface ProbeFinding {
  readonly status: Exclude<ProbeStatus, 'unimplemented'>
  readonly summary: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** One kind of probe. Adding a kind takes an entry in the registry and a test, and no change elsewhere (ACC-71). */
export interface ProbeKindRunner {
  run(definition: ProbeDefinition, place: ProbePlace): Promise<ProbeFinding>
  /** The payload of a probe that was not begun, and why it was not. */
  notBegun(definition: ProbeDefinition, cause: string): Readonly<Record<string, unknown>>
}
