/** `node --test --test-global-setup`: the command as it is packed, and the console in it. */
import { join } from 'node:path'
import { bundleConsole } from '../../scripts/build.ts'
import { globalSetup as buildPackage } from './built-package.ts'
import { BUILT_PACKAGE } from './run-cli.ts'

export { globalTeardown } from './built-package.ts'

export function globalSetup(): void {
  buildPackage()
  const packaged = process.env[BUILT_PACKAGE]
  if (packaged === undefined) throw new Error('the command was not built')
  const fault = bundleConsole(join(import.meta.dirname, '../..'), join(packaged, 'dist/console'))
  if (fault !== undefined) throw new Error(fault)
}
