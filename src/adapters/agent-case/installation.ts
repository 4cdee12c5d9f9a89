import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import * as z from 'zod'
import { isAbsent, isFile, resolvedPath } from '../runtime-process/index.ts'

const PackageFile = z.looseObject({ name: z.string(), version: z.string() })

/** The packages of Pi that Case is made of. */
const PI_PACKAGES = ['pi-agent-core', 'pi-ai', 'pi-coding-agent'] as const

/** A Case on this machine, as its files say; nothing of it is started to find out. */
export interface CaseInstallation {
  /** The program file, with every link resolved. */
  readonly program: string
  /** The folder of its code. */
  readonly folder: string
  readonly packageRoot: string
  /** Case's own version never moves, so Pi's stands beside it: `0.1.0+pi.0.63.2`. */
  readonly version: string
  /** Files beside the code that make it what it is: prompts, package files. */
  readonly files: readonly string[]
  /** The prompts of its roles, among `files`. */
  readonly prompts: readonly string[]
}

/** Reads the Case that a program belongs to. Undefined if there is none, or if its Pi is missing. */
export async function readCase(programPath: string): Promise<CaseInstallation | undefined> {
  const program = await resolvedPath(programPath)
  const packageRoot = program === undefined || !(await isFile(program)) ? undefined : await packageOf(program)
  if (program === undefined || packageRoot === undefined) return undefined
  const packages = PI_PACKAGES.map((name) => join(packageRoot, 'node_modules/@mariozechner', name))
  const own = await readPackage(join(packageRoot, 'package.json'))
  const [pi] = await Promise.all(packages.map((folder) => readPackage(join(folder, 'package.json'))))
  if (own === undefined || pi === undefined) return undefined
  const prompts = await promptsOf(join(packageRoot, 'agents'))
  const wanted = [join(packageRoot, 'package.json'), ...prompts, ...packages.flatMap((folder) => [join(folder, 'package.json'), join(folder, 'dist/index.js')])]
  const there = await Promise.all(wanted.map(isFile))
  if (there.includes(false)) return undefined
  return { program, folder: dirname(program), packageRoot, version: `${own.version}+pi.${pi.version}`, files: wanted, prompts }
}

async function packageOf(program: string): Promise<string | undefined> {
  for (let folder = dirname(program); folder !== parse(folder).root; folder = dirname(folder)) {
    const read = await readPackage(join(folder, 'package.json'))
    if (read !== undefined) return read.name === 'case' ? folder : undefined
  }
  return undefined
}

/** At most a few dozen; a plan holds a hundred files. */
const MAX_PROMPTS = 50

async function promptsOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.md')).sort().slice(0, MAX_PROMPTS).map((name) => join(folder, name))
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

async function readPackage(path: string): Promise<z.infer<typeof PackageFile> | undefined> {
  try {
    const read = PackageFile.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return read.success ? read.data : undefined
  } catch (error) {
    if (isAbsent(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}
