import { delimiter, isAbsolute, join, resolve as resolvePath } from 'node:path'
import { postNote, readNotes, writeNote } from '../adapters/anchors/index.ts'
import { appendText, readText } from '../adapters/evidence-files/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import { LOCAL_WORK_MS, notesIn, parseNote } from '../engine/index.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

export interface AnchorRequest {
  /** A file to add the checkpoint to. */
  readonly file: string | undefined
  /** A git repository whose notes are to hold it. */
  readonly gitNotes: string | undefined
  /** An address to send it to. */
  readonly webhook: string | undefined
}

export interface AnchorAnswer {
  /** The signed note, as it was kept. */
  readonly note: string
  readonly size: number
  readonly at: string
  readonly kept: readonly string[]
}

/**
 * Copies the signed head of the ledger to where whoever can write to the ledger cannot. The ledger keeps it too, so that
 * later bundles are shown to continue it. Throws what the first place throws that does not take it.
 */
export async function anchorLedger(options: AppOptions, request: AnchorRequest): Promise<AnchorAnswer> {
  const address = request.webhook === undefined ? undefined : addressOf(request.webhook)
  const { note } = await keptHead(options)
  const parsed = parseNote(note)?.checkpoint
  if (parsed === undefined) throw new PortcullisError('store_tampered', { asked: 'the signed head of the ledger', found: 'no checkpoint as this version writes it', remedy: 'See what is wrong: npx portcullis verify' })
  const kept: string[] = []
  if (request.file !== undefined) {
    appendText(resolvePath(options.cwd, request.file), note)
    kept.push(request.file)
  }
  if (request.gitNotes !== undefined) {
    await writeNote(gitOptions(options), resolvePath(options.cwd, request.gitNotes), note)
    kept.push(`refs/notes/portcullis of ${request.gitNotes}`)
  }
  if (address !== undefined) {
    await postNote(address, note)
    kept.push(address.origin)
  }
  return { note, size: parsed.size, at: parsed.at, kept }
}

/** The checkpoints in the notes of a git repository. */
export const notesOf = (options: AppOptions, repository: string): Promise<string> => readNotes(gitOptions(options), resolvePath(options.cwd, repository))

/** The checkpoints in a file. A file without one compares nothing, which must not look like a comparison. */
export const anchorsIn = (path: string): string[] => someNotes(readText(path, 'the checkpoints in'), path)

export function someNotes(text: string, where: string): string[] {
  const notes = notesIn(text)
  if (notes.length === 0) throw usage(`a checkpoint in ${where}`, 'none', 'Keep one there: npx portcullis anchor')
  return notes
}

// A relative folder would be looked for in the repository.
const gitOptions = ({ environment }: AppOptions) => ({ path: (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter), timeoutMs: LOCAL_WORK_MS })

async function keptHead(options: AppOptions): Promise<{ readonly note: string }> {
  const path = join(stateDirectoryOf(options), 'ledger.db')
  const onDemand = ledgerIn(options, stateDirectoryOf(options))
  try {
    if ((await onDemand.openExisting()) === undefined) throw new PortcullisError('run_not_found', { asked: `the ledger ${path}`, found: 'no such file', remedy: 'Name its directory with --state, or the configuration beside it with -c.' })
    return await (await onDemand.open()).keep()
  } finally {
    await onDemand.close()
  }
}

function addressOf(text: string): URL {
  const address = URL.parse(text)
  if (address !== null && (address.protocol === 'https:' || address.protocol === 'http:')) return address
  throw usage('an address, as in https://example.com/anchors', 'no http or https address', 'Give --webhook the whole address.')
}
