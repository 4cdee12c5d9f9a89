import * as z from 'zod'
import type { Refusal } from '../../contract/gate.ts'
import { Name } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { Authority, entryOf, REVIEWER_KINDS, type ReviewerDefinition, reviewerDigest, type TaskClass } from '../catalog/index.ts'

/** A reviewer of this run, and the definition it must have judged by. */
export const BoundReviewer = z.strictObject({ reviewer: Name, kind: z.enum(REVIEWER_KINDS), family: Name, definitionDigest: Digest, advisory: z.boolean() })
export type BoundReviewer = z.infer<typeof BoundReviewer>

/** The reviews that a run needs, as they stand in the facts. */
export const BoundReview = z.strictObject({
  reviewers: z.array(BoundReviewer).max(40),
  families: z.int().min(1),
  authority: Authority,
  authorityMustAgree: z.boolean(),
})
export type BoundReview = z.infer<typeof BoundReview>

export interface NamedReviewer {
  readonly name: string
  readonly definition: ReviewerDefinition
}

/** Null: the task class asks for no review. */
export interface ReviewBinding {
  readonly bound: BoundReview | null
  readonly definitions: readonly NamedReviewer[]
}

export type ReviewBindingResult = { readonly ok: true; readonly binding: ReviewBinding } | { readonly ok: false; readonly refusal: Refusal }

/** Derives the reviewers of a run from its task class. Never throws. */
export function bindReview({ taskClass, taskClasses, reviewers }: { readonly taskClass: string; readonly taskClasses: Readonly<Record<string, TaskClass>>; readonly reviewers: Readonly<Record<string, ReviewerDefinition>> | undefined }): ReviewBindingResult {
  const found = entryOf(taskClasses, taskClass)
  const refuse = (asked: string, text: string, remedy: string): ReviewBindingResult => ({ ok: false, refusal: { reason: 'review_missing', message: `The work cannot be reviewed: ${text}.`, asked, found: text, remedy } })
  if (found?.review === undefined) {
    return found?.completion === 'review' ? refuse(`reviewers for the task class ${taskClass}`, 'it names none', 'Add review to the class: required, families and authority.') : { ok: true, binding: { bound: null, definitions: [] } }
  }
  const { required, advisory = [], families, authority, authorityMustAgree } = found.review
  const definitions: NamedReviewer[] = []
  for (const name of [...required, ...advisory]) {
    const definition = entryOf(reviewers, name)
    if (definition === undefined) return refuse(`the reviewer ${name}`, 'the configuration has no reviewer of this name', 'Name one of the reviewers, or add this one to reviewers.')
    definitions.push({ name, definition })
  }
  const bound = definitions.map(({ name, definition }): BoundReviewer => ({ reviewer: name, kind: definition.kind, family: definition.family, definitionDigest: reviewerDigest(definition), advisory: advisory.includes(name) }))
  return { ok: true, binding: { bound: { reviewers: bound, families, authority, authorityMustAgree: authorityMustAgree === true }, definitions } }
}
