import * as z from 'zod'
import { parseSize } from '../../contract/units.ts'
import type { Profile } from '../catalog/index.ts'

/** What an agent may take of the machine while it runs. Null: its profile names no such limit. */
export const Bounds = z.strictObject({
  /** Memory of its own, of all its processes together, in bytes. */
  memoryBytes: z.int().positive().nullable(),
  /** Processes at one time. */
  processes: z.int().positive().nullable(),
  /** Length of one file, in bytes. */
  fileBytes: z.int().positive().nullable(),
})
export type Bounds = Readonly<z.infer<typeof Bounds>>

/** By what name the profile calls a bound. */
export const BOUND_NAMES = ['memory', 'processes', 'fileSize'] as const

/** A bound that an agent went beyond, in words for people. */
export interface Exceeded {
  readonly limit: (typeof BOUND_NAMES)[number]
  readonly asked: string
  readonly found: string
}

/** The bounds of a profile; undefined where it names none. Throws RangeError for a size that cannot be read: a limit is never guessed. */
export function boundsOf({ limits }: Pick<Profile, 'limits'>): Bounds | undefined {
  const { memory, processes, fileSize } = limits
  if (memory === undefined && processes === undefined && fileSize === undefined) return undefined
  return { memoryBytes: bytes(memory), processes: processes ?? null, fileBytes: bytes(fileSize) }
}

function bytes(size: string | undefined): number | null {
  if (size === undefined) return null
  const parsed = parseSize(size)
  if (parsed === undefined || parsed < 1) throw new RangeError(`Expected a size as in 10MiB, got ${JSON.stringify(size)}`)
  return parsed
}
