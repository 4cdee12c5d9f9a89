import type { AliasOverride } from './catalog.ts'

/** What stands beside the configuration: no override, one that reads well, or one that does not and therefore blocks (MC-085). */
export type OverrideState = null | { readonly value: AliasOverride } | { readonly invalid: string }

/** Reads the override anew for each resolution, so that a change needs no restart (MC-084). */
export interface OverrideReader {
  loadOverride(directory: string): OverrideState
}
