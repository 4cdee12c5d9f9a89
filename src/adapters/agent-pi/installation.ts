import { readFile } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import * as z from 'zod'
import { findProgram, isAbsent, resolvedPath } from '../runtime-process/index.ts'

const PACKAGE_NAMES = ['@earendil-works/pi-coding-agent', '@mariozechner/pi-coding-agent']

const PackageFile = z.looseObject({ name: z.string(), version: z.string() })

/** A pi on this machine, as its files say; nothing of it is started to find out. */
export interface PiInstallation {
  /** The program file, with every link resolved. */
  readonly program: string
  /** The folder of code that the program file only loads. */
  readonly folder: string
  readonly version: string
}

/** Where to look: exactly at `program` if given, else in `node_modules/.bin` from `directory` upwards, else along `searchPath`. */
export interface PiLocation {
  readonly program: string | undefined
  readonly directory: string
  readonly searchPath: string
}

/** Finds pi. Undefined if there is none, or if what is found does not belong to a package of pi. */
export async function findPi({ program, directory, searchPath }: PiLocation): Promise<PiInstallation | undefined> {
  const found = program ?? (await inParents(directory)) ?? (await findProgram('pi', searchPath, directory))
  const path = found === undefined ? undefined : await resolvedPath(found)
  const version = path === undefined ? undefined : await versionOf(path)
  return path === undefined || version === undefined ? undefined : { program: path, folder: dirname(path), version }
}

async function inParents(directory: string): Promise<string | undefined> {
  for (let folder = directory; ; folder = dirname(folder)) {
    const found = await findProgram(join(folder, 'node_modules/.bin/pi'), '', directory)
    if (found !== undefined || folder === parse(folder).root) return found
  }
}

/** The version in the package.json that the program belongs to: the nearest one above it. */
async function versionOf(program: string): Promise<string | undefined> {
  for (let folder = dirname(program); folder !== parse(folder).root; folder = dirname(folder)) {
    const text = await readIfThere(join(folder, 'package.json'))
    if (text === undefined) continue
    const read = PackageFile.safeParse(parseJson(text))
    return read.success && PACKAGE_NAMES.includes(read.data.name) ? read.data.version : undefined
  }
  return undefined
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
