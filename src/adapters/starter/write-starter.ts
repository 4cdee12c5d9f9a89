import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { makeDirectory } from '../directories/index.ts'

const STATE_ENTRY = '.portcullis/'

export interface Starter {
  /** Paths that were written, relative to the directory, in order. */
  readonly written: readonly string[]
  readonly task: string
  readonly script: string
  /** What has to be installed before the example can run. */
  readonly agentPackage: string
}

/**
 * Puts the shipped example, whose directory is `example`, into the directory `target`: portcullis.yaml and admissions/ at its top, the example task with its
 * repository and the script of the provider in example/, and a line in .gitignore. It writes over nothing: if one of
 * the files is there, none is written and `usage` is thrown.
 */
export function writeStarter(target: string, example: string): Starter {
  const directory = resolve(target)
  const files = starterFiles(example)
  const taken = [...files.keys()].filter((path) => existsSync(join(directory, path)))
  if (taken.length > 0) {
    throw new PortcullisError('file_exists', {
      asked: `a starter configuration in ${directory}`,
      found: taken.join(', '),
      remedy: 'Use another directory, or move these files away; nothing is overwritten.',
    })
  }
  try {
    for (const [path, content] of files) {
      const absolute = join(directory, path)
      makeDirectory(dirname(absolute))
      writeFileSync(absolute, content, { flag: 'wx' })
    }
    const ignored = addToGitignore(join(directory, '.gitignore'))
    return { written: [...files.keys(), ...(ignored ? ['.gitignore'] : [])], task: 'example/task.yaml', script: 'example/script.yaml', agentPackage: '@earendil-works/pi-coding-agent@0.87.1' }
  } catch (error) {
    throw new PortcullisError('file_unwritable', {
      asked: `a starter configuration in ${directory}`,
      found: `it cannot be written (${systemCode(error) ?? 'unknown error'})`,
      remedy: 'Make the directory writable, and remove what was written of the starter.',
      cause: error,
    })
  }
}

/** Path in the target -> content, generated from the example's own files so that there is no second copy to keep. */
function starterFiles(example: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const add = (from: string, to: string): void => {
    const up = '../'.repeat(to.split('/').length - 1) || './'
    const text = readFileSync(join(example, from))
    // Schemas are found in the installed package from where the copy stands.
    const pointed = text.toString('utf8').replace(/(\$schema(?:=|": "))[./]*(?:node_modules\/portcullis\/)?spec\//, `$1${up}node_modules/portcullis/spec/`)
    files.set(to, Buffer.from(pointed))
  }
  add('portcullis.yaml', 'portcullis.yaml')
  for (const name of readdirSync(join(example, 'admissions')).sort()) add(`admissions/${name}`, `admissions/${name}`)
  for (const name of ['task.yaml', 'script.yaml', 'reference.patch']) add(name, `example/${name}`)
  const repository = join(example, 'repository')
  const inside = readdirSync(repository, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const path of inside.map((entry) => relative(repository, join(entry.parentPath, entry.name)).replaceAll('\\', '/')).sort()) {
    if (!/(^|\/)(node_modules|\.git)\//.test(path)) files.set(`example/repository/${path}`, readFileSync(join(repository, path)))
  }
  return files
}

/** Appends the state directory, unless it is listed. True if the file was changed. */
function addToGitignore(path: string): boolean {
  const present = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (present.split(/\r?\n/).some((line) => ['.portcullis', '.portcullis/', '/.portcullis', '/.portcullis/'].includes(line.trim()))) return false
  const separator = present === '' || present.endsWith('\n') ? '' : '\n'
  writeFileSync(path, `${separator}${STATE_ENTRY}\n`, { flag: 'a' })
  return true
}
