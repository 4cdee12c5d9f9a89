import { type GitOptions, tryGit } from './git.ts'

/** The commit that a directory is at; null if it is no repository, has no commit, or git cannot say. */
export async function headCommit(options: GitOptions, directory: string): Promise<string | null> {
  try {
    const { code, stdout } = await tryGit(options, { arguments: ['rev-parse', '--verify', '--quiet', 'HEAD'], cwd: directory })
    const commit = stdout.head.toString('utf8').trim()
    return code === 0 && /^[0-9a-f]{40,64}$/.test(commit) ? commit : null
  } catch {
    // It is told beside what was found, and decides nothing.
    return null
  }
}
