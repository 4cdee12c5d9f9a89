import { liesInside } from '../../gates/launch/index.ts'
import type { Visible } from './visible.ts'

/** The levels that only a seal around the process reaches. */
export type SealedLevel = 'fs' | 'network'

/** What a sealed process has of the machine. Everything else is not there for it. */
export interface Sealing {
  readonly level: SealedLevel
  /** Read-only, under its own path. */
  readonly visible: readonly Visible[]
  /** Folders that it may write to, under their own path. */
  readonly writable: readonly string[]
  /** Read-only, under another path. */
  readonly shown: readonly { readonly source: string; readonly path: string }[]
  readonly directory: string
  /** How much may lie in the folders that are kept in memory; null for as much as the system lets it. */
  readonly temporaryBytes: number | null
  readonly argv: readonly string[]
}

/**
 * The arguments of bubblewrap. Its environment goes on to the process as it is, and never stands here: an argv is for all to read.
 * The process is in namespaces of its own, has no capability and can gain none (bubblewrap always sets no_new_privs), is in
 * a session of its own, and ends with whoever started it, like everything that it starts.
 */
export function bubblewrapArguments({ level, visible, writable, shown, directory, temporaryBytes, argv }: Sealing): string[] {
  const inMemory = (path: string): string[] => [...(temporaryBytes === null ? [] : ['--size', String(temporaryBytes)]), '--tmpfs', path]
  const mounts = [
    { path: '/proc', words: ['--proc', '/proc'] },
    { path: '/dev', words: ['--dev', '/dev'] },
    { path: '/tmp', words: inMemory('/tmp') },
    // Shared memory is memory: where that is bounded, no folder of it is left that is not.
    ...(temporaryBytes === null ? [] : [{ path: '/dev/shm', words: inMemory('/dev/shm') }]),
    ...visible
      .filter(({ path }) => !writable.some((folder) => folder === path || liesInside(folder, path)))
      .map(({ path, target }) => ({ path, words: target === null ? ['--ro-bind', path, path] : ['--symlink', target, path] })),
    ...shown.map(({ source, path }) => ({ path, words: ['--ro-bind', source, path] })),
    ...writable.map((path) => ({ path, words: ['--bind', path, path] })),
  ]
  return [
    '--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', ...(level === 'network' ? ['--unshare-net'] : []),
    '--hostname', 'sealed', '--die-with-parent', '--new-session', '--cap-drop', 'ALL',
    // A folder before what lies in it, or it would cover that.
    ...mounts.toSorted((a, b) => (a.path < b.path ? -1 : 1)).flatMap(({ words }) => words),
    ...(temporaryBytes === null ? [] : ['--remount-ro', '/dev']), '--remount-ro', '/', '--chdir', directory, '--', ...argv,
  ]
}
