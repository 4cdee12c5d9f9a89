import { type Checkpoint, openNote } from './checkpoint.ts'
import { type TreeHead, verifyConsistency } from './merkle.ts'
import type { Problem } from './verify-chain.ts'
import type { VerificationKey } from './verification-key.ts'

/** What a verification believes from the start. */
export interface Trust {
  readonly keys: readonly VerificationKey[]
  /** Notes of checkpoints that somebody kept where nobody else could write. */
  readonly anchors: readonly string[]
}

/** The anchors that one of the keys signed. One that is not believed is a problem: it was given because it matters. */
export function openAnchors({ keys, anchors }: Trust): { readonly problems: readonly Problem[]; readonly opened: readonly Checkpoint[] } {
  const problems: Problem[] = []
  const opened: Checkpoint[] = []
  for (const [index, note] of anchors.entries()) {
    const answer = openNote(note, keys)
    if (answer.ok) opened.push(answer.checkpoint)
    else problems.push({ code: answer.fault, where: `anchor ${index + 1}`, found: answer.found })
  }
  return { problems, opened }
}

/** The anchors of one ledger. If there are anchors and none is of it, nothing was compared, which must not look like a success. */
export function anchorsOf(origin: string, anchors: readonly Checkpoint[]): { readonly problems: readonly Problem[]; readonly own: readonly Checkpoint[] } {
  const own = anchors.filter((anchor) => anchor.origin === origin)
  if (anchors.length === 0 || own.length > 0) return { problems: [], own }
  return { problems: [{ code: 'anchor_unproven', where: 'anchors', found: `${anchors.length}, none of them of ${origin}` }], own }
}

export const nameOf = ({ size, at }: Checkpoint): string => `anchor of ${size} rows, ${at}`

export const forked = (where: string, size: number): Problem => ({ code: 'ledger_forked', where, found: `another root over the first ${size} rows: the history before it was rewritten` })

/**
 * Compares anchors with a head of which only proofs are known, as in a bundle. `proofFrom` is what shows the head to
 * continue a smaller tree; undefined where there is nothing that shows it. `latest`: the ledger is there, and this is its head.
 */
export function compareAnchors(head: Checkpoint & { readonly latest: boolean }, anchors: readonly Checkpoint[], proofFrom: (size: number) => readonly Buffer[] | undefined): Problem[] {
  return anchors.flatMap((anchor): Problem[] => {
    const where = nameOf(anchor)
    if (anchor.size > head.size) return [beyond(anchor, head)]
    const proof = anchor.size === head.size ? [] : proofFrom(anchor.size)
    if (proof === undefined) return [{ code: 'anchor_unproven', where, found: `nothing that shows ${head.size} rows to continue it. Export the bundle again with this anchor` }]
    return continues(anchor, head, proof) ? [] : [forked(where, anchor.size)]
  })
}

const continues = (earlier: TreeHead, later: TreeHead, proof: readonly Buffer[]): boolean => verifyConsistency(earlier, later, proof)

/** A larger anchor that is older shows that rows are gone; a younger one shows nothing yet. */
function beyond(anchor: Checkpoint, head: Checkpoint & { readonly latest: boolean }): Problem {
  const where = nameOf(anchor)
  if (head.latest || Date.parse(anchor.at) <= Date.parse(head.at)) return { code: 'ledger_rolled_back', where, found: `${head.size} rows at ${head.at}: the ledger was put back to an older one` }
  return { code: 'anchor_unproven', where, found: `a checkpoint of ${head.size} rows from before it. Export the bundle again with this anchor` }
}
