import { PortcullisError } from '../../contract/errors.ts'
import { type GitCall, type GitOptions, lastLine, tryGit } from '../workspace/index.ts'

const REF = 'portcullis'
const IDENTITY = { GIT_AUTHOR_NAME: 'portcullis', GIT_AUTHOR_EMAIL: 'portcullis@localhost', GIT_COMMITTER_NAME: 'portcullis', GIT_COMMITTER_EMAIL: 'portcullis@localhost' }

/** Adds a checkpoint to the notes of the commit that is checked out, under refs/notes/portcullis. Pushing them is up to whoever owns the repository. */
export async function writeNote(options: GitOptions, repository: string, note: string): Promise<void> {
  await run(options, repository, { arguments: ['notes', `--ref=${REF}`, 'append', '--file=-', 'HEAD'], cwd: repository, environment: IDENTITY, input: note })
}

/** The text of every note under refs/notes/portcullis, whichever commit it is about. */
export async function readNotes(options: GitOptions, repository: string): Promise<string> {
  const listed = await run(options, repository, { arguments: ['notes', `--ref=${REF}`, 'list'], cwd: repository })
  const texts: string[] = []
  for (const line of listed.split('\n').filter((each) => each !== '')) texts.push(await run(options, repository, { arguments: ['cat-file', 'blob', line.split(' ')[0] ?? ''], cwd: repository }))
  return texts.join('\n')
}

async function run(options: GitOptions, repository: string, call: GitCall): Promise<string> {
  const exit = await tryGit(options, call)
  if (exit.code === 0) return exit.stdout.head.toString('utf8')
  throw new PortcullisError('file_unreadable', { asked: `the notes of the git repository ${repository}`, found: `exit ${exit.code ?? exit.signal}: ${lastLine(exit)}`, remedy: 'Name a git repository with a commit in it, which this user may write to.' })
}
