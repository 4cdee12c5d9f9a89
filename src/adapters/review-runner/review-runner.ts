import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import type { Clock } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { ReviewAnswered, ReviewRequest, ReviewRunner } from '../../gates/acceptance/index.ts'
import { createWithheld } from '../probe-runner/index.ts'
import { workspaceDigest } from '../workspace/index.ts'
import { askCommand } from './command.ts'
import { askModel } from './model.ts'
import type { Failure, Parsed } from './parse.ts'
import { sourceDigest } from './source.ts'

export interface ReviewRunnerOptions {
  /** The credentials we know, asked anew for each review. */
  readonly secrets: () => readonly string[]
  readonly clock: Clock
}

/** Changes when what a review means changes. */
export const REVIEW_RUNNER_VERSION = 'review-runner/1'

/** Asks reviewers of every kind. The work must be the one to be judged before and after each of them. */
export function createReviewRunner(options: ReviewRunnerOptions): ReviewRunner {
  return {
    async run(request) {
      const startedAt = options.clock()
      const { parsed, marks } = await ask(options, request)
      const endedAt = new Date(Math.max(startedAt.getTime(), options.clock().getTime()))
      return { ...('answer' in parsed ? { answer: parsed.answer, failure: null } : { answer: null, failure: parsed.failure }), marks, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), runnerVersion: REVIEW_RUNNER_VERSION }
    },
  }
}

interface Asked {
  readonly parsed: Parsed
  readonly marks: ReviewAnswered['marks']
}

async function ask(options: ReviewRunnerOptions, request: ReviewRequest): Promise<Asked> {
  const unread = (failure: Failure): Asked => ({ parsed: { failure }, marks: { diff: '', source: '' } })
  if (request.signal.aborted) return unread({ code: 'cancelled', text: 'it was not asked: the run was cancelled' })
  const other = await differenceOf(request)
  if (other !== undefined) return unread(other)
  const scratch = await mkdtemp(join(tmpdir(), 'portcullis-review-'))
  try {
    const asked = await askKind(options, request, scratch)
    const changed = await differenceOf(request)
    return changed === undefined ? asked : { ...asked, parsed: { failure: { code: 'workspace_changed', text: 'the work was another one when it had ended' } } }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function askKind(options: ReviewRunnerOptions, request: ReviewRequest, scratch: string): Promise<Asked> {
  const { definition } = request
  const withheld = createWithheld(options.secrets)
  switch (definition.kind) {
    case 'command': {
      const marks = { diff: sha256(request.diff.bytes), source: await sourceDigest(request.workspace, request.files) }
      return { parsed: await askCommand(definition, request, scratch, withheld), marks }
    }
    case 'model':
      return askModel(definition, request, withheld)
  }
}

/** Why the workspace is not the one to be judged. */
async function differenceOf({ workspace, head }: ReviewRequest): Promise<Failure | undefined> {
  try {
    return (await workspaceDigest(workspace)) === head ? undefined : { code: 'workspace_changed', text: 'the workspace is not the one to be judged' }
  } catch (error) {
    if (error instanceof PortcullisError) return { code: 'workspace_unreadable', text: `the workspace could not be read (${error.found})`.slice(0, 400) }
    throw error
  }
}
