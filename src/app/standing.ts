import { join } from 'node:path'
import { loadOverride } from '../adapters/configuration/index.ts'
import { trustedKeys } from '../adapters/keys/index.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { printPair } from '../contract/model.ts'
import { verifyOneRun, type WorkItem, workItemOf } from '../engine/index.ts'
import { admissionRequestOf } from '../gates/admission/index.ts'
import { resolveProfile } from '../gates/catalog/index.ts'
import { checkAdmission } from './admissions.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

export interface StandingAnswer {
  readonly pair: string
  readonly runtime: string
  readonly stage: string
  /** Whether the gate admits the pair today. It says nothing about the work item. */
  readonly gate: { readonly status: 'validated' | 'not_validated'; readonly admission_status: string; readonly message: string }
  readonly work_item: WorkItem
  /** 0 only where the work item is unblocked. */
  readonly exitCode: 0 | 3
}

/**
 * Where work stands that waits for a pass report: the gate and the work item, each by itself, because a validated gate never
 * unblocks a work item (ADM-G7). A question: it starts nothing and stores nothing. Throws `usage` for a profile that does not resolve.
 */
export async function standingOf(options: AppOptions, asked: { readonly profile: string; readonly purpose: string }): Promise<StandingAnswer> {
  const { configuration, directory } = configurationOf(options)
  const outcome = resolveProfile({ catalog: configuration, override: loadOverride(directory), ...asked, candidate: 0, capability: null })
  if ('refusal' in outcome) throw usage('a profile that resolves for its purpose', outcome.refusal.found, outcome.refusal.remedy)
  const { requested, runtime, stage } = admissionRequestOf(outcome.resolution, configuration.networkClasses)
  const checked = await checkAdmission(options, { ...asked, file: undefined })
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
  try {
    const store = await ledger.openExisting()
    const keys = trustedKeys(join(stateDirectory, 'keys'))
    const workItem = await workItemOf(store, { pair: requested, runtime, stage }, (history) => {
      if (store === undefined) throw new TypeError('a run of no ledger')
      return verifyOneRun(store, history, openRunDirectory(stateDirectory, history.run.runId), { keys, anchors: [] })
    })
    return {
      pair: printPair(requested),
      runtime,
      stage,
      gate: { status: checked.refusal === null ? 'validated' : 'not_validated', admission_status: checked.status, message: checked.message },
      work_item: workItem,
      exitCode: workItem.status === 'unblocked' ? 0 : 3,
    }
  } finally {
    await ledger.close()
  }
}
