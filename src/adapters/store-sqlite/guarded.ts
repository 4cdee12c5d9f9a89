import { PortcullisError } from '../../contract/errors.ts'

/** Turns whatever SQLite throws into one fault. Its text names the operation and the engine's own message, which quotes no bound value. */
export async function guarded<Result>(operation: string, path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof PortcullisError) throw error
    const message = error instanceof Error ? error.message : String(error)
    const busy = /database is (locked|busy)/.test(message)
    throw new PortcullisError(busy ? 'store_busy' : 'store_failed', {
      asked: `to ${operation} the ledger ${path}`,
      found: message,
      remedy: busy ? 'Another process holds the ledger; try again when it is done.' : 'Nothing was written. Check the disk and the file, then try again.',
      cause: error,
    })
  }
}
