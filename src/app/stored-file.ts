import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import { type AppOptions, stateDirectoryOf } from './places.ts'

/** A file of a run exactly as it is stored. Throws `nothing_stored` if the run left none of this name. */
export function storedFile(options: AppOptions, runId: string, name: string): Buffer {
  const content = openRunDirectory(stateDirectoryOf(options), runId).read(name)
  if (content !== undefined) return content
  throw new PortcullisError('nothing_stored', { asked: `${name} of run ${runId}`, found: 'the run left no such file', remedy: 'GET /runs shows whether it has ended; an unfinished run has none.' })
}
