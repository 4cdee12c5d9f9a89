import { PortcullisError } from '../contract/errors.ts'
import { anchorsOf, compareAnchors, openAnchors, type Trust } from './anchors.ts'
import { BUNDLE_FILE, proveRun } from './bundle.ts'
import { openNote, parseNote } from './checkpoint.ts'
import { isFinal, type LedgerArchive, type RunHistory } from './ledger.ts'
import { unprovenRows } from './read-bundle.ts'
import type { RunDirectory } from './run-directory.ts'
import type { Problem } from './verify-chain.ts'
import { unsignedLines } from './verify-bundle.ts'
import { type VerifiedRun, verifyRun } from './verify-run.ts'

/** Checks a run of a ledger that is audited as a whole: what is stored of it, its files, and who signed them. */
export function verifyRunOf(history: RunHistory, directory: Pick<RunDirectory, 'read' | 'files'>, { keys }: Trust): VerifiedRun {
  const verified = verifyRun(history, directory)
  const bundle = history.run.kind === 'task' && isFinal(history.run.state) ? directory.read(BUNDLE_FILE) : undefined
  const unsigned = bundle === undefined ? [] : unsignedLines(bundle.toString('utf8'), keys).map((problem) => ({ ...problem, where: `${problem.where} of ${BUNDLE_FILE}` }))
  const ended = history.checkpoint === null ? undefined : openNote(history.checkpoint.note, keys)
  const unended: Problem[] = ended === undefined || ended.ok ? [] : [{ code: ended.fault, where: 'checkpoint of the end', found: ended.found }]
  return { ...verified, problems: [...verified.problems, ...unsigned, ...unended] }
}

/** Checks one run of a ledger without reading the others: its rows must lead to the signed head, and that to every anchor. */
export async function verifyOneRun(archive: LedgerArchive, history: RunHistory, directory: Pick<RunDirectory, 'read' | 'files'>, trust: Trust): Promise<VerifiedRun> {
  const verified = verifyRunOf(history, directory, trust)
  return { ...verified, problems: [...verified.problems, ...(await provenProblems(archive, history, trust))] }
}

async function provenProblems(archive: LedgerArchive, history: RunHistory, trust: Trust): Promise<Problem[]> {
  const opened = openNote((await archive.head()).note, trust.keys)
  const anchors = openAnchors(trust)
  if (!opened.ok) return [{ code: opened.fault, where: 'head of the ledger', found: opened.found }, ...anchors.problems]
  const head = opened.checkpoint
  const { problems, own } = anchorsOf(head.origin, anchors.opened)
  const ended = history.checkpoint === null ? undefined : parseNote(history.checkpoint.note)?.checkpoint
  const compared = [...own, ...(ended === undefined ? [] : [ended])]
  const proof = await proofOrProblem(archive, history, compared.map((each) => each.size).filter((size) => size <= head.size))
  if ('code' in proof) return [proof, ...anchors.problems, ...problems]
  const proofFrom = (size: number): readonly Buffer[] | undefined => proof.consistency.find((each) => each.size === size)?.proof
  return [...unprovenRows(history, proof, head), ...anchors.problems, ...problems, ...compareAnchors({ ...head, latest: true }, compared, proofFrom)]
}

/** A row or a hash that the tree does not have is what was looked for, not a fault of the store. */
async function proofOrProblem(archive: LedgerArchive, history: RunHistory, from: readonly number[]): Promise<Awaited<ReturnType<typeof proveRun>> | Problem> {
  try {
    return await proveRun(archive, history, 'now', from)
  } catch (error) {
    if (error instanceof PortcullisError && error.code === 'store_failed') return { code: 'row_not_in_tree', where: `rows of ${history.run.runId}`, found: error.found }
    throw error
  }
}
