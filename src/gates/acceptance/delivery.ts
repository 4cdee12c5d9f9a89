import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { type Fault, fault } from './fault.ts'

const CommitId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a whole commit id')

/** Where a branch of a remote stands: `none` where it has no such branch, `unknown` where it could not be asked. */
export const HeadBefore = z.union([CommitId, z.literal('none'), z.literal('unknown')])
export type HeadBefore = z.infer<typeof HeadBefore>

/** What the agent says it delivered to one repository, as it stood when it was done: a later word changes nothing (MC-114). */
export const DeliveryClaim = z.strictObject({
  name: Name,
  remote: z.string().min(1).max(1_000),
  branch: z.string().min(1).max(300),
  /** The pinned commit; null if the agent named none. */
  done_sha: CommitId.nullable(),
  /** Where the target branch stood before the agent was started, of a ticket in the first of its runs: a commit, nowhere yet, or nobody could say. */
  head_before: HeadBefore,
  files: z.array(z.string().min(1).max(1_000)).max(200),
  tests: z.int().nonnegative().nullable(),
})
export type DeliveryClaim = z.infer<typeof DeliveryClaim>

/** What the gate itself found of a claim: in the remote, in the pinned commit, and by running its tests. */
export const DeliveredRepository = z.strictObject({
  claim: DeliveryClaim,
  /** The command that asked, and what the remote's target branch was then; null if it could not be asked. */
  command: z.string().min(1).max(1_000),
  remote_head: CommitId.nullable(),
  /** Where the commit was looked for, in order, and where it was found. */
  searched: z.array(z.string().min(1).max(1_000)).max(20),
  found_in: z.string().max(1_000).nullable(),
  ancestor: z.boolean(),
  /** True only if the branch is known not to have had the commit at `head_before`. */
  is_new: z.boolean(),
  files: z.array(z.strictObject({ path: z.string().min(1).max(1_000), tracked: z.boolean(), bytes: z.int().nonnegative(), sha256: Digest.nullable() })).max(200),
  /** Null: the task names no tests for the repository. */
  tests: z.strictObject({ exit_code: z.int().nullable(), timed_out: z.boolean(), count: z.int().nonnegative().nullable(), summary: z.string().min(1).max(500) }).nullable(),
})
export type DeliveredRepository = z.infer<typeof DeliveredRepository>

const shortOf = ({ name, done_sha }: DeliveryClaim): string => `${name} ${done_sha?.slice(0, 12) ?? '(no commit)'}`

/** Where what was run differs from what was claimed, in words; null where it does not (MC-118). */
export function differenceOf({ claim, tests }: DeliveredRepository): string | null {
  if (tests === null || claim.tests === null || claim.tests === tests.count) return null
  return `${claim.name}: the agent says ${claim.tests} tests, ${tests.count ?? 'an unknown number'} ran`
}

/** Why the work is not delivered; each repository must be, and the first that is not is named (MC-116). */
export function faultOfDelivery({ delivery, deliveryAsked }: { readonly delivery: readonly DeliveredRepository[] | null; readonly deliveryAsked: readonly string[] }): Fault | undefined {
  if (deliveryAsked.length === 0) return undefined
  const asked = `the work of ${deliveryAsked.join(', ')} on the target branches of their remotes`
  const missing = deliveryAsked.find((name) => delivery?.some((each) => each.claim.name === name && each.claim.done_sha !== null) !== true)
  if (missing !== undefined) return fault('delivery_missing', `Nothing was delivered to ${missing}.`, asked, `no commit for ${missing}`)
  for (const each of delivery ?? []) {
    const { claim, found_in: foundIn, searched } = each
    if (foundIn === null) return fault('delivery_unresolved', `The commit of ${shortOf(claim)} was found nowhere; searched: ${searched.join(', ')}.`, asked, `commit ${claim.done_sha ?? ''} in none of ${searched.join(', ')}`)
    if (!each.ancestor) return fault('delivery_not_on_remote', `${shortOf(claim)} is not on ${claim.branch} of ${claim.remote}.`, asked, `found in ${foundIn}; ${claim.branch} is at ${each.remote_head?.slice(0, 12) ?? 'an unknown commit'}`)
    // What was there already would be delivered by whoever changes nothing.
    if (!each.is_new) return fault('delivery_not_new', `${shortOf(claim)} is not shown to have been delivered by this run.`, `a commit that ${claim.branch} of ${claim.remote} did not have before the agent was started`, claim.head_before === 'unknown' ? 'nobody could say what the branch had before' : `the branch was at ${claim.head_before.slice(0, 12)}, and had it or was written anew`)
    const poor = each.files.find((file) => !file.tracked || file.bytes === 0)
    if (poor !== undefined || each.files.length !== claim.files.length) return fault('delivery_files_missing', `${poor?.path ?? 'A claimed file'} is ${poor?.tracked === true ? 'empty' : 'not tracked'} in ${shortOf(claim)}.`, asked, poor === undefined ? `${each.files.length} of ${claim.files.length} files looked at` : `${poor.path}: ${poor.tracked ? 'empty' : 'not tracked'}`)
    if (each.tests !== null && (each.tests.exit_code !== 0 || each.tests.timed_out)) return fault('delivery_tests_failed', `The tests of ${shortOf(claim)} did not pass: ${each.tests.summary}`, asked, `${claim.name}: ${each.tests.summary}`)
  }
  return undefined
}
