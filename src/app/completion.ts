import { composeWorld } from '../app.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { ShownRun, World } from '../engine/index.ts'
import { type AppOptions, stateDirectoryOf } from './places.ts'

export type { ShownRun }

/** Opens what a completion needs, for as long as `use` takes. A ledger that is not there is not made for it. */
export async function withRun<Value>(options: AppOptions, runId: string, use: (world: World) => Promise<Value>): Promise<Value> {
  const { ledgerIn } = await import('./store.ts')
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
  try {
    await ledger.openFor(runId)
    return await use(await composeWorld(options, ledger, stateDirectory))
  } finally {
    await ledger.close()
  }
}

/** A run as the store holds it. Reads nothing else, and refuses what does not verify. */
export async function show(options: AppOptions, runId: string): Promise<ShownRun> {
  const [{ ledgerIn }, { correctionsOf, readHistory, showRun, verifyRun }, { openRunDirectory }] = await Promise.all([import('./store.ts'), import('../engine/index.ts'), import('../adapters/run-directory/index.ts')])
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
  try {
    const opened = await ledger.openFor(runId)
    const { history, read } = await readHistory({ ledger: opened }, runId)
    const problem = verifyRun(history, openRunDirectory(stateDirectory, runId)).problems.find(({ code }) => code !== 'run_unfinished' && code !== 'format_other' && !code.startsWith('file_'))
    if (problem !== undefined) throw new PortcullisError('store_tampered', { asked: `run ${runId} as it was written`, found: `${problem.code} at ${problem.where}: ${problem.found}`, remedy: `See all of it: npx portcullis verify ${runId}` })
    return showRun(history, read, await correctionsOf(opened, runId))
  } finally {
    await ledger.close()
  }
}
