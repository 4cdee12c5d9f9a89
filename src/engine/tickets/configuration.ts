import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { Duration, Lease } from '../../contract/units.ts'

/** What a phase is: work by an agent, a review, or a decision of the authority. */
export const PHASE_KINDS = ['agent', 'review', 'decision'] as const

/** Where the live sessions of a project work, and for what. */
export const SessionSettings = z.strictObject({
  purpose: Name.describe('What its profiles must be allowed for.'),
  repository: z.string().min(1).max(1_000).describe('The repository, relative to this file. Each session works on a copy of its own.'),
  branch: z.string().min(1).max(200).describe('Of which branch the copy is.'),
  completion: z.enum(['tool', 'schema']).optional().describe('By what a turn completes its ticket: `schema` holds each answer to a signal and its words, beside the tool complete_ticket, which sealed sessions do not reach. Left out, by the tool alone.'),
  repositories: z
    .record(Name, z.strictObject({ repository: z.string().min(1).max(1_000).describe('The repository, relative to this file.'), branch: z.string().min(1).max(200).describe('Of which branch the copy is.') }))
    .optional()
    .describe('Further repositories, by the name under which a ticket declares them. A session of a ticket that declares none gets none.'),
})

/** How tickets find their agent, which phases they can pass, and how often they are tried. */
export const TicketSettings = z.strictObject({
  triage: z
    .strictObject({
      threshold: z.number().gt(0).max(1).describe('Below this confidence nobody is assigned: the ticket goes to the operator.'),
      model: z
        .strictObject({
          profile: Name.describe('The profile whose model is asked, by name or alias of its own; it passes the gates like any other use.'),
          purpose: Name.describe('What that is for: a purpose that the profile lists.'),
          timeout: Duration.describe('How long it may take to answer.'),
          answerTokens: z.int().min(1).max(100_000).describe('How many tokens its answer may have.'),
        })
        .optional()
        .describe('Asked where the rules are not sure. It chooses among their agents and skills, with a confidence and a reason; below the threshold, and whenever it fails, the ticket goes to the operator. Left out, none is asked.'),
      rules: z.array(z.strictObject({ agent: Name, skill: z.string().min(1).max(300), labels: z.array(z.string().min(1).max(100)).max(50), words: z.array(z.string().min(1).max(100)).max(200) })).min(1).max(200),
    })
    .optional()
    .describe('Rules by labels and words. Without them every ticket goes to the operator.'),
  phases: z.record(Name, z.strictObject({ kind: z.enum(PHASE_KINDS), title: z.string().min(1).max(200), task: z.string().min(1).max(1_000).optional().describe('The task file that the phase runs, relative to this file.') })).optional().describe('Phases that a ticket can pass, by name.'),
  limits: z.strictObject({ dispatch: z.int().min(1).max(100), review: z.int().min(1).max(100) }).optional().describe('How often a ticket is dispatched, and how often its work may be rejected, before it is blocked for the operator: counted apart. 3 each if left out.'),
  pickUp: z.strictObject({ every: Duration.describe('How often the server looks for a ticket that waits.') }).optional().describe('The server works on tickets whose phase is an agent\'s, one after the other. Left out, it works on none by itself.'),
  startTokens: z.int().min(0).optional().describe('How many tokens the context of a fresh session may hold at most, where its agent says so. Left out, none is refused for it.'),
  claim: Lease.optional().describe('How long a claim of a worker is in force without a word of it.'),
  delivery: Lease.optional().describe('How long a session may take to confirm a message.'),
  turn: Lease.optional().describe('How long a turn may take.'),
  sessions: z.record(Name, SessionSettings).optional().describe('Where the live sessions of a project work, by project.'),
})
export type TicketSettings = Readonly<z.infer<typeof TicketSettings>>

/** As the documents give it: after the third failure a person looks (MC-041). */
export const RETRY_LIMIT = 3
