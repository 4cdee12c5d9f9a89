import { delimiter, dirname, isAbsolute, join, resolve as resolvePath } from 'node:path'
import { findConfiguration, loadConfiguration, type LoadedConfiguration } from '../adapters/configuration/index.ts'
import type { Clock } from '../contract/clock.ts'
import { PortcullisError } from '../contract/errors.ts'

export interface AppOptions {
  readonly cwd: string
  /** Where the configuration is; undefined searches upward from `cwd`. */
  readonly configurationPath: string | undefined
  /** Where runs and ledger are kept; undefined is `.portcullis` beside the configuration. */
  readonly stateDirectory: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
  readonly clock: Clock
}

const STATE_DIRECTORY = '.portcullis'

export const configurationOf = (options: AppOptions): LoadedConfiguration => loadConfiguration(configurationPathOf(options))

export const configurationPathOf = (options: AppOptions): string => (options.configurationPath === undefined ? findConfiguration(options.cwd) : resolvePath(options.cwd, options.configurationPath))

export const stateDirectoryOf = (options: AppOptions): string => (options.stateDirectory === undefined ? join(dirname(configurationPathOf(options)), STATE_DIRECTORY) : resolvePath(options.cwd, options.stateDirectory))

/** Where programs of ours are looked for. A relative folder would be looked for in the workspace, where an agent may have put a `git` of its own. */
export const searchPathOf = (environment: AppOptions['environment']): string => (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter)

export const usage = (asked: string, found: string, remedy: string): PortcullisError => new PortcullisError('usage', { asked, found, remedy })
