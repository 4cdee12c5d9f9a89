import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { digestOf } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { Digest } from '../../contract/verdict.ts'
import { Configuration } from '../../engine/configuration.ts'
import { crossChecks } from './cross-checks.ts'
import { problemsOf, secretsIn } from './problem.ts'
import { readRequiredText } from './read-text.ts'
import { readStrictYaml, throwProblems } from './strict-yaml.ts'

export const CONFIGURATION_FILE = 'portcullis.yaml'
const MAX_BYTES = 1_048_576

export interface LoadedConfiguration {
  readonly configuration: Configuration
  /** Absolute path of the file, and the directory that its relative paths start from. */
  readonly path: string
  readonly directory: string
  /** Digest of the parsed content: comments and layout do not change it. */
  readonly digest: Digest
  readonly text: string
}

/** Path of the nearest portcullis.yaml at or above a directory. Throws `file_missing` if there is none. */
export function findConfiguration(from: string): string {
  const start = resolve(from)
  for (let directory = start; ; directory = dirname(directory)) {
    const path = join(directory, CONFIGURATION_FILE)
    if (exists(path)) return path
    if (directory === dirname(directory)) break
  }
  throw new PortcullisError('file_missing', {
    asked: `${CONFIGURATION_FILE} in ${start} or above`,
    found: 'none on the way to the root',
    remedy: 'Write a starter configuration with: npx portcullis init',
  })
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // A directory that may not be looked into could hold the nearest configuration; passing it by would use another one.
    throw new PortcullisError('file_unreadable', { asked: path, found: `cannot be looked at (${systemCode(error) ?? 'unknown error'})`, remedy: 'Make the directory readable, or name the configuration file.' })
  }
}

/** Reads and checks portcullis.yaml. Throws `configuration_invalid` with every problem and its place, `file_missing` or `file_unreadable`. */
export function loadConfiguration(file: string): LoadedConfiguration {
  const path = resolve(file)
  const text = readRequiredText(path, MAX_BYTES, 'a configuration file')
  const document = readStrictYaml(text, file, 'configuration_invalid')
  const parsed = Configuration.safeParse(document.value)
  const problems = parsed.success ? crossChecks(parsed.data) : problemsOf(Configuration, document.value)
  throwProblems(file, 'configuration_invalid', [...problems, ...secretsIn(document.value)], document)
  if (!parsed.success) throw parsed.error
  const configuration = parsed.data
  return { configuration, path, directory: dirname(path), digest: digestOf(configuration), text }
}
