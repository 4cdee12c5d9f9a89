import * as z from 'zod'

/** What was claimed of one repository, and what the gate found itself. */
export const ReportedDelivery = z.strictObject({
  name: z.string(),
  remote: z.string(),
  branch: z.string(),
  done_sha: z.string().nullable().describe('The commit that was pinned when the agent was done; null if it named none.'),
  command: z.string(),
  remote_head: z.string().nullable(),
  searched: z.array(z.string()),
  found_in: z.string().nullable(),
  ancestor: z.boolean().describe('The commit is on the target branch of the remote.'),
  is_new: z.boolean().describe('The branch is known not to have had the commit before the agent was started.'),
  files: z.array(z.strictObject({ path: z.string(), tracked: z.boolean(), bytes: z.int().nonnegative(), sha256: z.string().nullable() })),
  tests: z.strictObject({ exit_code: z.int().nullable(), timed_out: z.boolean(), count: z.int().nullable(), claimed: z.int().nullable(), summary: z.string() }).nullable().describe('Run by the gate on the pinned commit.'),
  difference: z.string().nullable().describe('Where what was run differs from what was claimed.'),
})
