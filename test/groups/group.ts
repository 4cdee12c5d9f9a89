/**
 * The tests beside the source, in a few processes instead of one a file: starting Node and compiling the same modules
 * again was a third of the time of `npm test`. Every file is in exactly one group, because the last takes what is left.
 */
import { globSync } from 'node:fs'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '../..')

const GROUPS = {
  /** What takes longest, with many runs, processes or mutations each: part of `npm run test:campaign`, so that `npm test` stays short. */
  campaign: [
    'src/adapters/agent-case/session.test.ts',
    'src/adapters/git-truth/git-truth.test.ts',
    'src/adapters/import/import.test.ts',
    'src/adapters/probe-runner/api-smoke.test.ts',
    'src/adapters/probe-runner/sim-trace.test.ts',
    'src/adapters/secret-scan/scanner.test.ts',
    'src/adapters/session-',
    'src/adapters/store-sqlite/agents.test.ts',
    'src/adapters/store-sqlite/ledger.test.ts',
    'src/adapters/store-sqlite/queue.test.ts',
    'src/adapters/workspace/workspace.test.ts',
    'src/app/health-desk.test.ts',
    'src/app/ledger-watch.test.ts',
    'src/engine/baseline.test.ts',
    'src/engine/give-review.test.ts',
    'src/engine/merkle.test.ts',
    'src/engine/rendering.test.ts',
    'src/engine/resume.test.ts',
    'src/engine/scan.test.ts',
    'src/engine/stages.test.ts',
    'src/engine/tickets/completion.test.ts',
    'src/engine/tickets/dispatcher.test.ts',
    'src/engine/tickets/wall-clock.test.ts',
    'src/engine/verify-bundle.test.ts',
    'src/engine/verify-run.test.ts',
  ],
  wire: ['src/adapters/wire-server/', 'src/gates/wire/'],
  engine: ['src/engine/'],
  processes: ['src/adapters/agent-case/', 'src/adapters/agent-command/', 'src/adapters/agent-pi/', 'src/adapters/health-probe/', 'src/adapters/isolation/', 'src/adapters/probe-runner/', 'src/adapters/process/', 'src/adapters/review-runner/', 'src/adapters/runtime-process/'],
  adapters: ['src/adapters/'],
  rest: ['src/'],
} as const satisfies Record<string, readonly string[]>

export type Group = keyof typeof GROUPS

/** All test files under src/, by the first group that names their folder. Throws if a group has none: it would pass on nothing. */
export function filesOf(group: Group): string[] {
  const files = globSync('src/**/*.test.ts', { cwd: root }).map((file) => file.split(sep).join('/')).toSorted()
  const names = Object.keys(GROUPS)
  const inGroup = files.filter((file) => Object.entries(GROUPS).find(([, folders]) => folders.some((folder) => file.startsWith(folder)))?.[0] === group)
  if (inGroup.length === 0) throw new Error(`The group ${group} of ${names.join(', ')} has no test file`)
  const gone = GROUPS[group].filter((folder) => !files.some((file) => file.startsWith(folder)))
  if (gone.length > 0) throw new Error(`The group ${group} names what has no test file: ${gone.join(', ')}`)
  return inGroup
}

/** Registers the tests of a group in this process. */
export async function importGroup(group: Group): Promise<void> {
  for (const file of filesOf(group)) await import(pathToFileURL(join(root, file)).href)
}
