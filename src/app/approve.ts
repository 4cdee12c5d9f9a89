import type { ApproveParts, Ledger, RecordedApproval } from '../engine/index.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'

export interface ApproveRenderRequest {
  /** A run, or a probe of which the last picture is meant. */
  readonly of: string
  readonly probe: string | undefined
  /** The digest of the picture that was looked at; left out by whoever looked at the file of the run. */
  readonly image?: string | undefined
  readonly approvedBy: string
  readonly reason: string
}

/** Records in the ledger that a person approves a picture. Throws `usage` for one without a name or a reason: both are what makes it an approval. */
export async function approveRender(options: AppOptions, request: ApproveRenderRequest): Promise<RecordedApproval> {
  mustSayWhoAndWhy(request)
  const stateDirectory = stateDirectoryOf(options)
  const [engine, { ledgerIn }] = await Promise.all([import('../engine/index.ts'), import('./store.ts')])
  // The configuration is read so that nothing is approved beside a broken one, whose probes nobody could name.
  configurationOf(options)
  const onDemand = ledgerIn(options, stateDirectory)
  try {
    // One that is there already: an approval of nothing must not make an empty ledger.
    if ((await onDemand.openExisting()) === undefined) throw usage(`a picture of ${request.of}`, 'a state directory without a ledger', 'Run the task first: npx portcullis run task.yaml')
    return await engine.approveRender(await approveParts(options, await onDemand.open()), request)
  } finally {
    await onDemand.close()
  }
}

function mustSayWhoAndWhy(request: ApproveRenderRequest): void {
  for (const [option, text, most] of [['--by', request.approvedBy, 200], ['--reason', request.reason, 1_000]] as const) {
    if (text.trim() === '' || text.length > most) throw usage(`${option} in 1 to ${most} characters`, text.trim() === '' ? 'nothing' : `${text.length} characters`, 'Say who approves it, and why: it stands in the ledger.')
  }
}

/** The same over the ledger of a server that is open. */
export async function approveRenderIn(options: AppOptions, ledger: Ledger, request: ApproveRenderRequest): Promise<RecordedApproval> {
  mustSayWhoAndWhy(request)
  configurationOf(options)
  const { approveRender: approve } = await import('../engine/index.ts')
  return approve(await approveParts(options, ledger), request)
}

/** The pictures of a run and their approvals as they are stored, beside a ledger that is open. */
export async function approveParts(options: AppOptions, ledger: Ledger): Promise<ApproveParts> {
  const stateDirectory = stateDirectoryOf(options)
  const [{ createApprovedImages }, { createCredentials }, { openRunDirectory }, { createSecretScanner }] = await Promise.all([
    import('../adapters/approved-images/index.ts'),
    import('../adapters/credentials/index.ts'),
    import('../adapters/run-directory/index.ts'),
    import('../adapters/secret-scan/index.ts'),
  ])
  const credentials = createCredentials({ environment: options.environment, homeDirectory: options.homeDirectory })
  return { ledger, scanner: createSecretScanner(() => credentials.knownValues()), clock: options.clock, images: createApprovedImages(stateDirectory), directoryOf: (runId) => openRunDirectory(stateDirectory, runId) }
}
