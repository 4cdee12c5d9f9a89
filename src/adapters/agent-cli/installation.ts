import { readFile } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import * as z from 'zod'
import { findProgram, isAbsent, resolvedPath } from '../runtime-process/index.ts'
import { parseLine } from './lines.ts'

const PackageFile = z.looseObject({ name: z.string(), version: z.string() })

/** Where a program is looked for: exactly at `program` if given, else in `node_modules/.bin` from `directory` upwards, else along `searchPath`. */
export interface CliLocation {
  readonly program: string | undefined
  readonly directory: string
  readonly searchPath: string
}

/** A package on this machine, as its files say; nothing of it is started to find out. */
export interface CliPackage {
  /** The folder of the package, with every link resolved. */
  readonly folder: string
  readonly version: string
}

/** Finds the package that the program `name` belongs to. Undefined if there is none, or if what is found belongs to another package. */
export async function findPackage(name: string, packageName: string, { program, directory, searchPath }: CliLocation): Promise<CliPackage | undefined> {
  const found = program ?? (await inParents(name, directory)) ?? (await onPath(name, searchPath, directory))
  const path = found === undefined ? undefined : await resolvedPath(found)
  return path === undefined ? undefined : await packageOf(path, packageName)
}

/** The file in one of the places where npm puts a package that another one depends on: beside it, or below it. */
export async function findBeside(folder: string, packageName: string, file: string): Promise<string | undefined> {
  const own = folder.slice(0, folder.lastIndexOf('/node_modules/'))
  for (const root of [join(folder, 'node_modules'), join(own, 'node_modules')]) {
    const found = await findProgram(join(root, packageName, file), '', '/')
    if (found !== undefined) return await resolvedPath(found)
  }
  return undefined
}

async function inParents(name: string, directory: string): Promise<string | undefined> {
  for (let folder = directory; ; folder = dirname(folder)) {
    const found = await linked(join(folder, 'node_modules/.bin', name))
    if (found !== undefined || folder === parse(folder).root) return found
  }
}

async function onPath(name: string, searchPath: string, directory: string): Promise<string | undefined> {
  for (const folder of searchPath.split(':').filter((each) => each.startsWith('/'))) {
    const found = await linked(join(folder, name))
    if (found !== undefined) return found
  }
  return await findProgram(name, searchPath, directory)
}

/** What npm links a program to may not be executable, where the scripts of packages were not run: the link still says whose it is. */
const linked = async (path: string): Promise<string | undefined> => ((await resolvedPath(path)) === undefined ? undefined : path)

/** The package that a file belongs to: the one of the nearest package.json above it, if it has this name. */
async function packageOf(path: string, packageName: string): Promise<CliPackage | undefined> {
  for (let folder = dirname(path); folder !== parse(folder).root; folder = dirname(folder)) {
    const text = await readIfThere(join(folder, 'package.json'))
    if (text === undefined) continue
    const read = PackageFile.safeParse(parseLine(text))
    return read.success && read.data.name === packageName ? { folder, version: read.data.version } : undefined
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
