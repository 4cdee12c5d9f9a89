import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { isAbsent, resolvedPath } from './digests.ts'

/** True if there is a regular file under this path. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function isExecutable(path: string): Promise<boolean> {
  if (!(await isFile(path))) return false
  try {
    await access(path, constants.X_OK)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/**
 * The absolute path of a program: a name with a slash is looked up from `directory`, another one along `searchPath`.
 * Undefined if there is none. Links are kept: some programs ask under which name they were called.
 */
export async function findProgram(name: string, searchPath: string, directory: string): Promise<string | undefined> {
  const candidates = name.includes('/') ? [resolve(directory, name)] : searchPath.split(delimiter).filter(isAbsolute).map((folder) => join(folder, name))
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate
  return undefined
}

/** What the kernel makes of an argv: the interpreter of a script stands before it, so that we plan and hash what really runs. */
export interface ResolvedCommand {
  /** The file the kernel runs, with every link resolved. */
  readonly executable: string
  readonly argv: readonly [string, ...string[]]
}

const SHEBANG_BYTES = 256

/** Resolves `#!` lines, `/usr/bin/env NAME` included, until a program is found. Undefined if one is missing or they nest too deep. */
export async function resolveCommand(argv: readonly string[], searchPath: string, directory: string, depth = 0): Promise<ResolvedCommand | undefined> {
  const [name, ...rest] = argv
  const path = name === undefined || depth > 4 ? undefined : await findProgram(name, searchPath, directory)
  if (path === undefined) return undefined
  const interpreter = await interpreterOf(path)
  if (interpreter !== undefined) return await resolveCommand([...interpreter, path, ...rest], searchPath, directory, depth + 1)
  const executable = await resolvedPath(path)
  return executable === undefined ? undefined : { executable, argv: [path, ...rest] }
}

/** The interpreter that a script names in its first line, or undefined for a program. */
async function interpreterOf(path: string): Promise<string[] | undefined> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SHEBANG_BYTES), 0, SHEBANG_BYTES, 0)
    const match = /^#![ \t]*(\S+)[ \t]*([^\n]*)/.exec(buffer.subarray(0, bytesRead).toString('latin1'))
    if (match?.[1] === undefined) return undefined
    const argument = (match[2] ?? '').trim()
    // The kernel gives the rest of the line as one argument; `env` only searches for the
    // program, which we do ourselves unless the line needs more of it (assignments, quotes).
    if (match[1].endsWith('/env')) {
      const words = argument.replace(/^-S\s*/, '').split(/\s+/)
      if (/^[^-=][^=]*$/.test(words[0] ?? '') && (words.length === 1 || argument.startsWith('-S')) && !/["'\\$]/.test(argument)) return words
    }
    return argument === '' ? [match[1]] : [match[1], argument]
  } finally {
    await file.close()
  }
}
