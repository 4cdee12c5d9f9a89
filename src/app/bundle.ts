import { join, resolve as resolvePath } from 'node:path'
import { writeText } from '../adapters/evidence-files/index.ts'
import { openSigner, trustedKeys } from '../adapters/keys/index.ts'
import type { Store } from '../adapters/store-sqlite/index.ts'
import type { Refusal } from '../contract/gate.ts'
import { exitCodeOf } from '../contract/reasons.ts'
import { isFinal, openNote, printEnvelopes, type Problem, proveRun, readHistory, type RunHistory, sealEnvelope, statementsOf, verifyOneRun } from '../engine/index.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'
import { anchorsIn } from './anchor.ts'

export interface BundleRequest {
  readonly runId: string
  /** Files with checkpoints that whoever will verify it holds. */
  readonly anchors: readonly string[]
  /** Where it is written; undefined returns it. */
  readonly out: string | undefined
}

export type BundleAnswer = { readonly ok: true; readonly text: string; readonly lines: number; readonly exitCode: 0 } | { readonly ok: false; readonly refusal: Refusal; readonly exitCode: number }

/**
 * The bundle of a run, proven against the ledger as it is now. Refused for a run that does not verify: a signature under
 * it would say that it does. Throws `run_not_found` for one that has not ended.
 */
export async function bundleOf(options: AppOptions, { runId, anchors, out }: BundleRequest): Promise<BundleAnswer> {
  const stateDirectory = stateDirectoryOf(options)
  const onDemand = ledgerIn(options, stateDirectory)
  try {
    const ledger = await onDemand.openFor(runId)
    const { history } = await readHistory({ ledger }, runId)
    if (!isFinal(history.run.state)) throw usage('the bundle of a run that has ended', `run ${runId} is ${history.run.state}`, 'Wait for its end; an interrupted run is never accepted, start it again.')
    const keys = trustedKeys(join(stateDirectory, 'keys'))
    const verified = await verifyOneRun(ledger, history, openRunDirectory(stateDirectory, runId), { keys, anchors: [] })
    const problems = verified.problems.filter((problem) => !problem.code.startsWith('file_'))
    if (problems.length > 0) return { ok: false, exitCode: exitCodeOf('ledger_tampered', false), refusal: tampered(runId, problems) }
    const notes = anchors.flatMap((path) => anchorsIn(resolvePath(options.cwd, path)))
    const from = notes.flatMap((note) => {
      const opened = openNote(note, keys)
      return opened.ok ? [opened.checkpoint.size] : []
    })
    const text = await sealedBundle(ledger, history, stateDirectory, 'now', from)
    if (out !== undefined) writeText(resolvePath(options.cwd, out), text)
    return { ok: true, text, lines: text.split('\n').length - 1, exitCode: 0 }
  } finally {
    await onDemand.close()
  }
}

/** Signs the statements of a run anew. Throws `key_missing` or `key_invalid`. */
export async function sealedBundle(ledger: Store, history: RunHistory, stateDirectory: string, at: 'end' | 'now', from: readonly number[]): Promise<string> {
  const signer = openSigner(join(stateDirectory, 'keys'))
  const { read } = await readHistory({ ledger }, history.run.runId)
  const statements = statementsOf(history, read, await proveRun(ledger, history, at, from))
  return printEnvelopes(statements.map((statement) => sealEnvelope(statement, signer)))
}

/** What is said of a run whose evidence does not hold: nothing is rendered from it, and nothing signed. */
export const tampered = (runId: string, problems: readonly Problem[]): Refusal => ({
  reason: 'ledger_tampered',
  message: `Run ${runId} does not verify.`,
  asked: `the report of run ${runId}`,
  found: problems.map((problem) => `${problem.code} at ${problem.where}: ${problem.found}`).join('; '),
  remedy: `See all of it: npx portcullis verify ${runId}. Nothing is rendered from evidence that does not hold.`,
})
