import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import * as z from 'zod'
import { globalSetup, globalTeardown } from '../test/helpers/built-package.ts'
import { citedIds } from './requirements.ts'

/*
 * No gate may be relied on until all of this passes (ACC-79): the evidence lasts, and every public way to an accepted run goes
 * through the gate. `npm publish` runs it first, so that what others install has passed it. A test that is skipped or to do is no pass here.
 */

/** The demands of the audit: durable evidence, replay and resume (29 to 35), and the wiring of every entry point (36 to 41). */
export const RELIED_ON: readonly string[] = Array.from({ length: 13 }, (_each, index) => `ACC-${29 + index}`)

/** A test may take as long as a whole campaign on a busy machine; one that takes longer hangs. */
const TEST_LIMIT_MS = 900_000
const CONCURRENCY = 2

/** The ids that a test names at the end of its name, as `verifies` writes them. */
const idsOf = (name: string): readonly string[] => /\[((?:[A-Z]+-[A-Z]?\d+ ?)+)\]$/.exec(name)?.[1]?.split(' ') ?? []

/** The test files that are run with every change and name one of these ids, themselves or by a suite that they run. Those of `npm run test:long` and the like are not among them. */
export function filesNaming(root: string, ids: readonly string[]): string[] {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8')
  const names = (path: string): boolean => citedIds(path, read(path)).citations.some(({ id }) => ids.includes(id))
  const suites = globSync('test/suites/*.ts', { cwd: root }).filter(names).map((path) => path.replaceAll('\\', '/').replace('test/', ''))
  return globSync(['src/**/*.test.ts', 'test/*.test.ts', 'test/e2e/*.test.ts', 'test/campaign/*.test.ts'], { cwd: root })
    .filter((path) => names(path) || suites.some((suite) => read(path).includes(`/${suite}'`)))
    .toSorted()
}

const Ended = z.object({ name: z.string(), file: z.string().optional(), skip: z.union([z.string(), z.boolean()]).optional(), todo: z.union([z.string(), z.boolean()]).optional() })

export interface Relied {
  /** How many tests that name an id have passed. */
  readonly passed: Readonly<Record<string, number>>
  /** Why nothing may be relied on, a sentence each; none if it may. */
  readonly problems: readonly string[]
}

/** Runs every test that names one of the ids, and nothing else of their files. */
export async function proveReliedOn(root: string, ids: readonly string[]): Promise<Relied> {
  const files = filesNaming(root, ids)
  const passed = Object.fromEntries(ids.map((id) => [id, 0]))
  const problems: string[] = []
  // Without files `run` would look for tests of its own choice.
  if (files.length > 0) {
    const events = run({ files: files.map((path) => join(root, path)), cwd: root, concurrency: CONCURRENCY, timeout: TEST_LIMIT_MS, testNamePatterns: ids.map((id) => new RegExp(`\\[(?:[^\\]]* )?${id}(?: [^\\]]*)?\\]$`)) })
    for await (const { type, data } of events) {
      if (type !== 'test:pass' && type !== 'test:fail') continue
      const { name, skip, todo } = Ended.parse(data)
      const kept = (value: string | boolean | undefined): boolean => value !== undefined && value !== false
      if (type === 'test:fail') problems.push(`failed: ${name}`)
      else if (kept(skip) || kept(todo)) problems.push(`${kept(skip) ? 'skipped' : 'to do'}: ${name}${typeof skip === 'string' && skip !== '' ? ` (${skip})` : ''}`)
      else for (const id of idsOf(name).filter((each) => ids.includes(each))) passed[id] = (passed[id] ?? 0) + 1
    }
  }
  return { passed, problems: [...problems, ...ids.filter((id) => passed[id] === 0).map((id) => `no test that names ${id} has passed`)] }
}

if (import.meta.main) {
  globalSetup()
  try {
    const { passed, problems } = await proveReliedOn(join(import.meta.dirname, '..'), RELIED_ON)
    const lines = [...Object.entries(passed).map(([id, count]) => `${id}  ${count} passed`), ...problems.map((problem) => `✘ ${problem}`), problems.length === 0 ? 'The gates may be relied on.' : 'The gates may not be relied on.']
    process.stdout.write(`${lines.join('\n')}\n`)
    process.exitCode = problems.length === 0 ? 0 : 1
  } finally {
    globalTeardown()
  }
}
