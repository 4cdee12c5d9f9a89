import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { digestOf } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { Digest } from '../../contract/verdict.ts'
import { Task } from '../../engine/task.ts'
import { knownSecretFormat } from '../../contract/secret-like.ts'
import { type Problem, problemAt, problemsOf, secretsIn } from './problem.ts'
import { readRequiredText, readText } from './read-text.ts'
import { readStrictYaml, throwProblems } from './strict-yaml.ts'

const MAX_BYTES = 1_048_576
const MAX_PATCH_BYTES = 16 * 1_048_576

export interface LoadedTask {
  readonly task: Task
  readonly path: string
  readonly directory: string
  /** Absolute path of the one repository, which is there and is a directory. */
  readonly repository: string
  readonly branch: string
  /** Absolute path of the reference patch, which is there; null if the task names none. */
  readonly reference: string | null
  /** Its content, read before anything is started: on disk an agent could put its own solution in its place. */
  readonly referencePatch: Buffer | null
  /** The remotes of its deliveries, by name; a path is absolute. */
  readonly remotes: Readonly<Record<string, string>>
  readonly digest: Digest
  readonly text: string
}

/** Reads and checks a task file. Throws `task_invalid` with every problem and its place, `file_missing` or `file_unreadable`. */
export function loadTask(file: string): LoadedTask {
  const path = resolve(file)
  const directory = dirname(path)
  const text = readRequiredText(path, MAX_BYTES, 'a task file')
  const document = readStrictYaml(text, file, 'task_invalid')
  const parsed = Task.safeParse(document.value)
  const problems = parsed.success ? taskProblems(parsed.data, directory) : problemsOf(Task, document.value)
  throwProblems(file, 'task_invalid', [...problems, ...secretsIn(document.value)], document)
  if (!parsed.success) throw parsed.error
  const task = parsed.data
  const [repository] = task.repositories
  if (repository === undefined) throw new TypeError('A task without repository passed its schema')
  const reference = task.baseline.reference === undefined ? null : resolve(directory, task.baseline.reference)
  return { task, path, directory, repository: resolve(directory, repository.path), branch: repository.branch, reference, referencePatch: reference === null ? null : readPatch(reference), remotes: remotesOf(task, directory), digest: digestOf(task), text }
}

/** An address stays as it is; anything else is a path. */
const remotesOf = ({ delivery }: Task, directory: string): Record<string, string> =>
  Object.fromEntries((delivery?.repositories ?? []).map(({ name, remote }) => [name, /^[a-z+]+:\/\//.test(remote) ? remote : resolve(directory, remote)]))

/** A patch of text that is not UTF-8 is a patch as well. */
function readPatch(path: string): Buffer {
  const reading = readText(path, MAX_PATCH_BYTES)
  if ('bytes' in reading && reading.bytes !== null) return reading.bytes
  throw new PortcullisError('file_unreadable', { asked: `a reference patch at ${path}`, found: 'problem' in reading ? `${path} ${reading.problem}` : `no file at ${path}`, remedy: 'Make it a readable file.' })
}

function taskProblems(task: Task, directory: string): Problem[] {
  const problems = task.repositories.flatMap(({ path }, index) => pathProblems(['repositories', index, 'path'], directory, path, 'directory'))
  if (task.baseline.reference !== undefined) problems.push(...pathProblems(['baseline', 'reference'], directory, task.baseline.reference, 'file'))
  const ids = new Set<number>()
  for (const [index, item] of task.acceptance.entries()) {
    if (ids.has(item.id)) problems.push(problemAt(['acceptance', index, 'id'], `expected an id of its own; found ${item.id} a second time`))
    ids.add(item.id)
  }
  return problems
}

function pathProblems(where: readonly PropertyKey[], directory: string, path: string, kind: 'directory' | 'file'): Problem[] {
  const absolute = resolve(directory, path)
  const shown = knownSecretFormat(absolute) === undefined ? absolute : '(withheld)'
  try {
    const status = statSync(absolute, { throwIfNoEntry: false })
    if (status === undefined) return [problemAt(where, `expected a ${kind}; found nothing at ${shown}`)]
    return (kind === 'directory' ? status.isDirectory() : status.isFile()) ? [] : [problemAt(where, `expected a ${kind}; found something else at ${shown}`)]
  } catch (error) {
    return [problemAt(where, `expected a ${kind}; ${shown} cannot be looked at (${systemCode(error) ?? 'unknown error'})`)]
  }
}
