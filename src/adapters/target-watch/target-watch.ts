import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { TargetWatcher } from '../../engine/index.ts'
import { armCanary, type Marks, marksOf, touchedIn } from './canary.ts'

export interface TargetWatcherOptions {
  /** Where relative paths start: the directory of the configuration. */
  readonly directory: string
  readonly targets: readonly { readonly path: string; readonly canary?: true | undefined }[]
}

/** How many touched entries are named. */
const NAMED = 20

interface Watched {
  /** As the configuration writes it. */
  readonly path: string
  readonly real: string
  readonly canary: boolean
  readonly before: Marks
}

/**
 * Watches the target repositories of a configuration for one run. A repository itself is never read or listed, not even by
 * us: its root is compared by the marks that a listing or a write leaves there. A canary is armed, and each of its entries compared.
 */
export const createTargetWatcher = ({ directory, targets }: TargetWatcherOptions): TargetWatcher => ({
  watch: async (used) => {
    const places = await Promise.all(used.map(realOf))
    const watched: Watched[] = []
    for (const { path, canary } of targets) {
      const real = await realOf(resolve(directory, path))
      const overlap = places.findIndex((place) => inside(place, real) || inside(real, place))
      if (overlap >= 0) throw new PortcullisError('task_invalid', { asked: `a run that stays away from the target repository ${path}`, found: `it would use ${used[overlap] ?? ''}, which lies in it or around it`, remedy: 'Use a fixture repository, and keep the state directory elsewhere; a run of this stage may not touch a target repository.' })
      watched.push({ path, real, canary: canary === true, before: canary === true ? await armCanary(real) : await marksOf([real]) })
    }
    return {
      look: () =>
        Promise.all(
          watched.map(async ({ path, real, canary, before }) => {
            const touched = await touchedIn(real, before)
            return { path, canary, entries: before.size, touched: touched.slice(0, NAMED).map((name) => name.slice(0, 300).toWellFormed()), touched_count: touched.length }
          }),
        ),
    }
  },
})

const inside = (path: string, root: string): boolean => {
  const between = relative(root, path)
  return between === '' || (!isAbsolute(between) && between !== '..' && !between.startsWith('../'))
}

/** Where a path really leads; of one that is not there, the part of it that is. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    return join(await realOf(dirname(path)), basename(path))
  }
}
