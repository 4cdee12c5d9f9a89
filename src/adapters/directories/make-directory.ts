import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { systemCode } from '../../contract/errors.ts'

/**
 * Makes a directory and what is missing above it, each with `mode` (0o777 if left out, less the umask). Throws the error of the
 * system. Not `mkdir` with `recursive`: that one never returns where a parent is there and nothing can be made in it with
 * ENOENT, as below /proc.
 */
export function makeDirectory(path: string, mode = 0o777): void {
  const missing: string[] = []
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) missing.unshift(at)
  for (const directory of missing) makeOne(directory, mode)
  // A file in its place: the system says so.
  if (missing.length === 0 && !statSync(path).isDirectory()) mkdirSync(path)
}

function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode })
  } catch (error) {
    // Made by somebody else in the meantime: that is as good.
    if (systemCode(error) === 'EEXIST' && statSync(directory).isDirectory()) return
    throw error
  }
}
