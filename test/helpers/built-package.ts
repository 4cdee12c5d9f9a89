/**
 * `node --test --test-global-setup`: builds the command once for all test files of a run, as it is packed. The tests start
 * it some two hundred times, and from the source each start compiles a hundred modules.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleCommand } from '../../scripts/build.ts'
import { BUILT_PACKAGE } from './run-cli.ts'

const root = join(import.meta.dirname, '../..')
let place: string | undefined

export function globalSetup(): void {
  place = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-built-'))
  // Inside node_modules, where the command takes what was built and never the source.
  const packaged = join(place, 'node_modules/portcullis')
  mkdirSync(packaged, { recursive: true })
  for (const part of ['bin', 'package.json', 'examples', 'spec']) cpSync(join(root, part), join(packaged, part), { recursive: true, filter: (source) => !source.includes('/.portcullis') })
  symlinkSync(join(root, 'node_modules'), join(packaged, 'node_modules'))
  bundleCommand(root, join(packaged, 'dist/cli'))
  // Inherited by the process of each test file.
  process.env[BUILT_PACKAGE] = packaged
}

export function globalTeardown(): void {
  if (place !== undefined) rmSync(place, { recursive: true, force: true })
}
