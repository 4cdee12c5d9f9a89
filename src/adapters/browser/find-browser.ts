import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import type { BrowserProgram } from '../../gates/catalog/index.ts'

/** A browser that is there, and whether its sandbox is used. */
export interface BrowserPlace {
  readonly program: string
  readonly sandboxed: boolean
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'] as const

/** The configured browser, or the first Chromium or Chrome along the search path; undefined if there is none. */
export function findBrowser(configured: BrowserProgram | undefined, searchPath: string): BrowserPlace | undefined {
  if (configured !== undefined) return isProgram(configured.program) ? { program: configured.program, sandboxed: configured.sandbox } : undefined
  // A relative folder would be looked for in the workspace.
  const folders = searchPath.split(delimiter).filter(isAbsolute)
  const program = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
  return program === undefined ? undefined : { program, sandboxed: process.getuid?.() !== 0 }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch (error) {
    if (systemCode(error) !== undefined) return false
    throw error
  }
}
