import { join } from 'node:path'
import { CONFIGURATION, type Ran, type Scenario, scenario } from './scenario.ts'

const REVIEWER = join(import.meta.dirname, '../fixtures/programs/reviewer.mjs')
/** A reviewer that reads everything and approves, but for the change. */
export const reviewer = (family: string, change: object = {}): object => ({ kind: 'command', command: ['node', REVIEWER, JSON.stringify(change)], timeout: '20s', family })

/** The example, whose class asks for these reviewers beside its probe. */
export async function reviewed(t: Parameters<typeof scenario>[0], reviewers: Record<string, object>, rule: object = {}): Promise<Scenario> {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['reviewers'], reviewers)
  made.set(CONFIGURATION, ['taskClasses', 'code-change', 'review'], { required: Object.keys(reviewers), families: 1, authority: { name: 'release-board', people: ['J. Doe'] }, ...rule })
  return made
}

export const reasons = ({ report, result }: Ran): unknown[] => [result.code, report.status, report.reason, report.review?.outcome]
