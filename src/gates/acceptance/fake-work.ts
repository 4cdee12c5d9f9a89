import * as z from 'zod'
import { definePredicate, type Evidence, evidenceDigest } from '../../contract/evidence.ts'
import { RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'

/**
 * What the fake backend left on its own copy of the repository, measured as the agent's work is. It plays what an agent
 * that does nothing achieves, so a change in it is one that our own instruments see where nobody worked.
 */
export const FakeWork = z.strictObject({
  backend: z.literal('fake'),
  script: z.literal('nothing'),
  run_id: RunId,
  attempt: z.int().positive(),
  before: Digest,
  after: Digest,
  files_changed: z.int().nonnegative(),
})
export type FakeWork = z.infer<typeof FakeWork>

export const FakeWorkEvidence = definePredicate('https://portcullis.dev/evidence/fake-work/v1', FakeWork)

/** The statement of the fake backend's work. Throws ZodError for an invalid one. */
export const fakeWorkStatement = (work: FakeWork): Evidence<FakeWork> => FakeWorkEvidence.state([{ name: 'workspace', digest: { sha256: work.after } }], work)

/** The digest by which it stands in the verdict. */
export const fakeWorkDigest = (work: FakeWork): Digest => evidenceDigest(fakeWorkStatement(work))
