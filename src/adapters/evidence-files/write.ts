import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/** Adds to the end of a file, and waits for the disk. Throws `file_unreadable` if it cannot be written. */
export const appendText = (path: string, text: string): void => put(path, 'a', text)

/** Writes a new file. Throws `file_exists` if there is one: evidence is never written over. */
export const writeText = (path: string, text: string): void => put(path, 'wx', text)

function put(path: string, flags: 'a' | 'wx', text: string): void {
  const bytes = Buffer.from(text)
  try {
    const file = openSync(path, flags, 0o644)
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new PortcullisError('file_exists', { asked: `to write ${path}`, found: 'a file of that name', remedy: 'Name another one; nothing is written over.' })
    throw new PortcullisError('file_unreadable', { asked: `to write ${path}`, found: systemCode(error) ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause: error })
  }
}
