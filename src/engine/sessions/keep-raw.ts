import type { ScannedSurface } from '../../gates/report/index.ts'
import { scanSurface } from '../scan.ts'
import type { World } from '../world.ts'
import type { RawRecord } from './runtime.ts'

export interface KeptRaw {
  /** What the scan found: goes to the report gate like every other surface. */
  readonly surface: ScannedSurface
  /** What may be kept for people. Undefined for what holds a credential, or was not scanned to its end (MC-133). */
  readonly artefact: { readonly name: string; readonly content: Buffer; readonly truncated: boolean } | undefined
}

/** Scans what a session printed. It is for people: nothing that decides may read what comes out of here. */
export function keepRaw(world: Pick<World, 'scanner' | 'clock'>, session: string, raw: RawRecord): KeptRaw {
  const name = `session/${session}.${raw.format === 'terminal' ? 'terminal' : 'jsonl'}`
  const surface = scanSurface(world, name, raw.content)
  const clean = surface.scanned && surface.findings.length === 0
  return { surface, artefact: clean ? { name, content: raw.content, truncated: raw.truncated } : undefined }
}
