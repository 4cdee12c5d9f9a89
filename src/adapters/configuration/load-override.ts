import { join } from 'node:path'
import { AliasOverride, type OverrideState, readStrictJson } from '../../gates/catalog/index.ts'
import { printPath, problemsOf } from './problem.ts'
import { readText } from './read-text.ts'

export const OVERRIDE_FILE = 'aliases.json'
const MAX_BYTES = 262_144

/**
 * Reads aliases.json beside the configuration, anew at each call (MC-084). Null only if there is no such file: whatever
 * is there and cannot be read as an override blocks resolution (MC-085). Whether its targets exist is for the catalog gate.
 */
export function loadOverride(directory: string): OverrideState {
  const reading = readText(join(directory, OVERRIDE_FILE), MAX_BYTES)
  if ('absent' in reading) return null
  if ('problem' in reading) return { invalid: reading.problem }
  const json = readStrictJson(reading.text)
  if ('problem' in json) return { invalid: json.problem }
  const parsed = AliasOverride.safeParse(json.value)
  if (parsed.success) return { value: parsed.data }
  const problems = problemsOf(AliasOverride, json.value).map((problem) => [printPath(problem.path), problem.message].filter((part) => part !== '').join(': '))
  return { invalid: problems.slice(0, 10).join('; ') || 'not an override' }
}
