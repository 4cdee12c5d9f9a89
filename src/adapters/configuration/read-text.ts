import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/** Why a file could not be read as text. `absent` is told apart: nothing there is not the same as something unreadable. */
export type TextReading = { readonly text: string; readonly bytes: Buffer } | { readonly absent: true } | { readonly problem: string; readonly bytes: Buffer | null }

/** Reads a small regular file as UTF-8, strictly: no replacement characters, no device or pipe that never ends. */
export function readText(path: string, maxBytes: number): TextReading {
  let descriptor: number
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = systemCode(error)
    return code === 'ENOENT' ? { absent: true } : { problem: `cannot be opened (${code ?? 'unknown error'})`, bytes: null }
  }
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { problem: 'is not a regular file', bytes: null }
    if (status.size > maxBytes) return { problem: `is larger than ${maxBytes} bytes`, bytes: null }
    return decode(readFileSync(descriptor))
  } catch (error) {
    return { problem: `cannot be read (${systemCode(error) ?? 'unknown error'})`, bytes: null }
  } finally {
    closeSync(descriptor)
  }
}

function decode(bytes: Buffer): TextReading {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), bytes }
  } catch {
    return { problem: 'is not UTF-8 text', bytes }
  }
}

/** As `readText`, for a file that must be there. Throws `file_missing` or `file_unreadable`. */
export function readRequiredText(path: string, maxBytes: number, what: string): string {
  const reading = readText(path, maxBytes)
  if ('text' in reading) return reading.text
  const asked = `${what} at ${path}`
  if ('absent' in reading) throw new PortcullisError('file_missing', { asked, found: `no file at ${path}`, remedy: `Give the path of ${what}.` })
  throw new PortcullisError('file_unreadable', { asked, found: `${path} ${reading.problem}`, remedy: 'Make it a readable text file.' })
}
