import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { Duration } from '../contract/units.ts'
import { faultOfExpression } from '../gates/acceptance/index.ts'

export const AcceptanceItem = z.strictObject({
  id: z.int().positive(),
  text: z.string().min(1).max(2_000).describe('What must hold, in words.'),
  probes: z.array(Name).min(1).max(100).describe('The probes of portcullis.yaml that prove it.'),
})
export type AcceptanceItem = z.infer<typeof AcceptanceItem>

/** One piece of work (`task.yaml`). Paths are relative to the file. */
export const Task = z.strictObject({
  $schema: z.string().optional(),
  id: Name.describe('Short name; it stands in the name of each run.'),
  title: z.string().min(1),
  class: Name.describe('A task class of portcullis.yaml.'),
  purpose: Name.describe('What the run is for: a purpose of portcullis.yaml that the profile lists.'),
  profile: Name.describe('The profile of portcullis.yaml that does the work.'),
  /** The run works on a copy; the original is never written. */
  repositories: z.array(z.strictObject({ path: z.string().min(1), branch: z.string().min(1) })).length(1, 'exactly one repository can be worked on in a run').describe('The repository to work on, relative to this file.'),
  prompt: z.string().min(1).describe('What the agent is told.'),
  acceptance: z.array(AcceptanceItem).max(100).describe('What must hold in the end.'),
  /** An agent that may edit what judges it can pass any probe: what stands here must be in the end as it was. */
  protected: z.array(z.string().min(1).max(1_000).regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))/, 'expected a path inside the repository, relative to its top')).min(1).max(100).optional().describe('Files and folders of the repository that the agent must leave as they are, such as its tests.'),
  delivery: z
    .strictObject({
      claim: z.string().min(1).max(1_000).regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))/, 'expected a path inside the repository, relative to its top').describe('The file in which the agent says what it delivered, by repository: sha, files and the number of tests. Nothing of it is believed.'),
      repositories: z
        .array(
          z.strictObject({
            name: Name.describe('What the repository is called in the claim.'),
            remote: z.string().min(1).max(1_000).describe('Its address, or its path relative to this file. It is asked without any credential.'),
            branch: z.string().min(1).max(300).regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'expected the name of a branch').describe('The target branch: the commit must be on it.'),
            tests: z
              .strictObject({
                command: z.array(z.string().min(1)).min(1).describe('What runs its tests, in a worktree of the pinned commit.'),
                timeout: Duration.describe('The tests are ended, with all their processes, when they take longer.'),
                count: z.string().min(1).max(200).refine((source) => faultOfExpression(source) === undefined, 'expected an expression that says something').optional().describe('A regular expression whose first group is the number of tests that ran.'),
              })
              .optional()
              .describe('Tests that the gate runs itself.'),
          }),
        )
        .min(1)
        .max(20),
    })
    .optional()
    .describe('Repositories that the work must have reached, on their remotes. The agent delivers; the gate fetches and looks.'),
  /** `untouched: must-fail` runs the probes on the untouched copy, where they must fail; `reference` is a patch with which they must pass. */
  baseline: z.strictObject({ untouched: z.literal('must-fail'), reference: z.string().min(1).optional() }).describe('Proof that the probes can fail, and can pass.'),
})
export type Task = z.infer<typeof Task>
