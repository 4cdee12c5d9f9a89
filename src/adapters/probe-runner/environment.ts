import { mkdirSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { ProbePlace } from './kind.ts'

/** What a probe always sees of our environment, where we have it. */
const BASIC_NAMES = ['PATH', 'LANG'] as const

export interface ProbeEnvironment {
  readonly environment: Readonly<Record<string, string>>
  /** Names of the variables that are given, and of those that were asked for and are or hold a credential. */
  readonly names: readonly string[]
  readonly withheld: readonly string[]
}

/**
 * Exactly the variables that are listed, and of those none that is or holds a credential; then what the probe itself
 * sets. Each call makes a home and a directory for temporary files that nothing has used before.
 */
export function environmentOf(listed: readonly string[] | undefined, place: ProbePlace, own: Readonly<Record<string, string>> = {}): ProbeEnvironment {
  const environment: Record<string, string> = {}
  const withheld: string[] = []
  for (const name of [...BASIC_NAMES, ...(listed ?? [])]) {
    const value = name === 'PATH' ? absolutePath(place.environment[name]) : place.environment[name]
    if (value === undefined) continue
    if (place.withheld.isWithheld(name, value)) withheld.push(place.withheld.redact(name).slice(0, 200))
    else environment[name] = value
  }
  const folder = freshFolder(place.scratch)
  for (const [name, part] of [['HOME', 'home'], ['TMPDIR', 'temporary']] as const) {
    environment[name] = join(folder, part)
    mkdirSync(environment[name], { mode: 0o700 })
  }
  Object.assign(environment, own)
  return { environment, names: Object.keys(environment).sort(), withheld: withheld.sort() }
}

/** A directory of its own for each process that a probe starts: what one leaves, the next must not find. */
export function freshFolder(scratch: string): string {
  for (let number = 1; ; number += 1) {
    const folder = join(scratch, `process-${number}`)
    // `mkdir` says nothing if the directory was there already, and its path if it made it.
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) return folder
  }
}

/** A relative folder in PATH is looked for in the workspace, where the agent may have put a `node` of its own. */
const absolutePath = (path: string | undefined): string | undefined => path?.split(delimiter).filter(isAbsolute).join(delimiter)
