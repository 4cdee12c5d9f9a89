import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createValueScanner } from '../secret-scan/index.ts'

/**
 * Every file that a run left, the ledger included, in which the planted credential stands in any form that the scanner
 * knows. The workspace is not looked into: what an agent wrote there is its work, and is never published as it is.
 */
export function leftoversOf(stateDirectory: string, canary: string): string[] {
  const scanner = createValueScanner(() => [canary])
  const entries = readdirSync(stateDirectory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => relative(stateDirectory, join(entry.parentPath, entry.name)))
  const kept = paths.filter((path) => !/^runs\/[^/]+\/workspace\//.test(path))
  return kept.filter((path) => scanner.scan(Buffer.from(path)).length > 0 || scanner.scan(readFileSync(join(stateDirectory, path))).length > 0).map((path) => path.replace(/^runs\/[^/]+\//, '').replaceAll(canary, '(withheld)'))
}
