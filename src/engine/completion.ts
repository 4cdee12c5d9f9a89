import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Reason } from '../contract/reasons.ts'
import type { Binding, DeliveryClaim, ReviewBinding } from '../gates/acceptance/index.ts'
import { AgentExitEvidence, CompletionEvidence, type CompletionFacts, RunEvidence } from './observations.ts'
import type { RawArtefact } from './finish.ts'
import type { RunRecord } from './read-run.ts'
import type { RunDirectory } from './run-directory.ts'
import { Task } from './task.ts'
import type { World } from './world.ts'

/** What a run needs of its directory, beside its copies, to be completed by another process. Gone with its end. */
const KEPT_TASK = 'kept/task.json'
const KEPT_REFERENCE = 'kept/reference.patch'
const KEPT_ARTEFACTS = 'kept/artefacts.json'

/** The workspace as it was when the agent had ended. */
export interface ObservedWorkspace {
  readonly digest: string
  readonly filesChanged: number
  readonly protectedChanged: readonly string[]
  readonly linksOut: readonly string[]
}

/** What a completion begins with: stored before the first probe, so that an interrupted one can be taken up from it and from nothing else. */
export interface CompletionStart {
  readonly task: Task
  readonly reference: Buffer | null
  readonly stage: string
  readonly watched: boolean
  readonly agent: CompletionFacts['agent']
  readonly before: string
  readonly after: ObservedWorkspace
  readonly claims: readonly DeliveryClaim[]
  readonly binding: Binding
  readonly review: ReviewBinding
}

/** The facts that a completion begins with, as they are stored. */
export const completionFacts = ({ reference, stage, watched, agent, before, after, claims, binding, review }: CompletionStart): CompletionFacts => ({
  reference: reference === null ? null : sha256(reference),
  stage,
  watched,
  agent,
  workspace: { before, after: after.digest, filesChanged: after.filesChanged, protectedChanged: [...after.protectedChanged], linksOut: [...after.linksOut] },
  claims: [...claims],
  binding: [...binding.bound],
  review: review.bound,
})

/** Writes what the facts name by digest. Durable when it returns: the facts are stored after it. */
export function keepForCompletion(directory: RunDirectory, { task, reference }: CompletionStart, artefacts: readonly RawArtefact[]): void {
  directory.write(KEPT_TASK, canonicalJson(task))
  if (reference !== null) directory.write(KEPT_REFERENCE, reference)
  directory.write(KEPT_ARTEFACTS, JSON.stringify(artefacts.map(({ name, content }) => ({ name, base64: content.toString('base64') }))))
}

/** Why a run cannot be completed from what is left of it. */
export interface Unprovable {
  readonly reason: Reason
  readonly found: string
}

/**
 * What is left of an interrupted completion: everything that its stored facts name, unchanged, or why there is none. A copy that
 * is missing or another one proves nothing, and neither does a run whose watch over the target repositories ended with its process.
 */
export async function readCompletion(world: World, record: RunRecord, directory: RunDirectory, bindings: (task: Task) => { readonly binding: Binding; readonly review: ReviewBinding } | undefined): Promise<CompletionStart | Unprovable> {
  const [facts] = record.all(CompletionEvidence)
  const [opened] = record.all(RunEvidence)
  if (facts === undefined || opened === undefined) return { reason: 'interrupted', found: 'the run was interrupted before its agent had ended and its work was pinned' }
  const task = keptTask(directory)
  if (task === undefined || digestOf(task) !== opened.task.digest) return { reason: 'evidence_invalid', found: 'the task that was kept is not the one of the run' }
  const reference = directory.read(KEPT_REFERENCE) ?? null
  if ((reference === null ? null : sha256(reference)) !== facts.reference) return { reason: 'evidence_invalid', found: 'the reference solution that was kept is not the one of the run' }
  if (facts.watched) return { reason: 'interrupted', found: 'nobody watched the target repositories to the end' }
  const { before, after, filesChanged, protectedChanged, linksOut } = facts.workspace
  if ((await digestOrNull(world, directory.untouched)) !== before) return { reason: 'interrupted', found: 'the untouched copy is not there any more, or another one' }
  if ((await digestOrNull(world, directory.workspace)) !== after) return { reason: 'work_not_pinned', found: 'the work is not there any more, or is not what the agent left' }
  const bound = bindings(task)
  if (bound === undefined || canonicalJson(bound.binding.bound) !== canonicalJson(facts.binding) || canonicalJson(bound.review.bound) !== canonicalJson(facts.review)) {
    throw new PortcullisError('usage', { asked: `the probes and reviewers that run ${record.history.run.runId} was begun with`, found: 'the configuration defines them otherwise now', remedy: 'Restore the configuration of the run, or run the task again.' })
  }
  return { task, reference, stage: facts.stage, watched: false, agent: facts.agent, before, after: { digest: after, filesChanged, protectedChanged, linksOut }, claims: facts.claims, ...bound }
}

function keptTask(directory: RunDirectory): Task | undefined {
  try {
    const parsed = Task.safeParse(JSON.parse(directory.read(KEPT_TASK)?.toString('utf8') ?? 'null'))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

async function digestOrNull(world: World, path: string): Promise<string | null> {
  try {
    return await world.workspaces.digest(path)
  } catch (error) {
    if (error instanceof PortcullisError) return null
    throw error
  }
}

/** The raw artefacts of an interrupted run, and which of them are not what the agent printed. */
export function keptArtefacts(record: RunRecord, directory: RunDirectory): { readonly artefacts: readonly RawArtefact[]; readonly changed: readonly string[] } {
  const [exit] = record.all(AgentExitEvidence)
  if (exit === undefined) return { artefacts: [], changed: [] }
  const changed: string[] = []
  const logs = (['stdout', 'stderr'] as const).flatMap((stream): RawArtefact[] => {
    const name = `backend/agent.${stream}.log`
    // Raw, or where a run that waited has put it after it was scanned.
    const content = directory.read(`staging/agent.${stream}.log`) ?? directory.read(name)
    // A log that was cut at its size has another digest by right.
    if (content !== undefined && (exit[stream].bytes > content.length || sha256(content) === exit[stream].sha256)) return [{ name, content }]
    changed.push(name)
    return []
  })
  return { artefacts: [...logs, ...savedArtefacts(directory)], changed }
}

function savedArtefacts(directory: RunDirectory): RawArtefact[] {
  const saved: unknown = JSON.parse(directory.read(KEPT_ARTEFACTS)?.toString('utf8') ?? '[]')
  return Array.isArray(saved) ? saved.flatMap((each: unknown) => (isSaved(each) ? [{ name: each.name, content: Buffer.from(each.base64, 'base64') }] : [])) : []
}

const isSaved = (value: unknown): value is { name: string; base64: string } =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && value.name.startsWith('backend/') && !value.name.includes('..') && 'base64' in value && typeof value.base64 === 'string'
