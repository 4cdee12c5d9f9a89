import type { Digest } from '../../contract/verdict.ts'
import { defineGate, type Refusal } from '../../contract/gate.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import { ReadinessEvidence, type ReadinessFacts } from './readiness-facts.ts'

/** Gate 5: is it the agent we meant: program, version, configuration? */
export const readinessGate = defineGate({
  name: 'readiness',
  facts: ReadinessEvidence,
  decide(facts, evidence) {
    const refusal = processRefusal(facts)
    if (refusal !== undefined) return { outcome: 'block', ...refusal, evidence }
    return {
      outcome: 'pass',
      message: 'program, version and configuration as planned',
      evidence,
      expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs),
    }
  },
})

export interface ReadyContent {
  readonly pid: number
  /** With the pid, names one process for ever. */
  readonly startTicks: number
  readonly planDigest: Digest
}

/** That the process `pid` was, when it was looked at, the agent of the plan. */
export type Ready = Proof<'readiness', ReadyContent>

export const readinessProof = defineProof(readinessGate, ({ planned, observed }): ReadyContent => {
  // Cannot be reached: a process without a start does not pass.
  if (observed.startTicks === null) throw new TypeError('A process that is not there is not ready')
  return { pid: observed.pid, startTicks: observed.startTicks, planDigest: planned.planDigest }
})

/** What stands against a started process by what was seen of it; undefined if it is what was planned. */
export function processRefusal(facts: ReadinessFacts): Refusal | undefined {
  const { observed, planned } = facts
  if (!observed.alive || observed.startTicks === null) {
    return {
      reason: 'agent_not_started',
      message: 'The agent process is not running.',
      asked: `process ${observed.pid}, started as ${planned.program.path}`,
      found: 'it has ended, or was never there',
      remedy: 'Read backend/agent.stderr.log of the run: the program ended before it was given any work.',
    }
  }
  // All of them, not only the first: whoever repairs one must not find the next only at the next run (RDY-08).
  const differences = [...programDifferences(facts), ...fileDifferences(planned.files, observed.files), ...claimDifferences(facts)]
  if (differences.length > 0) {
    return {
      reason: 'agent_not_as_planned',
      message: `The running agent differs from its plan in ${differences.length} ${differences.length === 1 ? 'part' : 'parts'}.`,
      asked: 'program, arguments, working directory, files and model as planned',
      found: differences.join('; '),
      remedy: 'Something changed between the plan and the start, or the agent chose for itself. Put the named parts right and run again.',
    }
  }
  if (observed.responded === false) {
    return {
      reason: 'agent_not_ready',
      message: 'The agent runs and does not answer.',
      asked: 'an answer on the interface of the agent',
      found: 'none within the time given',
      remedy: 'Read backend/agent.stderr.log of the run, or give the agent more time to start.',
    }
  }
  return undefined
}

function programDifferences({ planned, observed }: ReadinessFacts): string[] {
  const differences: string[] = []
  const { executable } = observed
  if (executable === null) differences.push('executable could not be observed')
  else if (executable.path !== planned.executable.path) differences.push(`executable is ${executable.path}, planned ${planned.executable.path}`)
  else if (executable.identity !== planned.executable.identity) differences.push(`executable ${executable.path} has other content than planned`)
  differences.push(...fileDifferences([planned.program, ...planned.programFiles], [observed.program, ...observed.programFiles]))
  if (observed.argvDigest === null) differences.push('arguments could not be observed')
  else if (observed.argvDigest !== planned.argvDigest) differences.push('arguments differ from the planned ones')
  if (observed.workspace !== planned.workspace) differences.push(`working directory is ${observed.workspace ?? 'unknown'}, planned ${planned.workspace}`)
  return differences
}

type File = { readonly path: string; readonly sha256: Digest | null }

function fileDifferences(planned: readonly File[], observed: readonly File[]): string[] {
  const differences: string[] = []
  for (const file of planned) {
    // Every observation of the file counts: a matching one does not outweigh one that differs.
    const seen = observed.filter(({ path }) => path === file.path).map(({ sha256 }) => sha256)
    if (seen.length === 0 || seen.includes(null)) differences.push(`file ${file.path} cannot be read`)
    else if (seen.some((digest) => digest !== file.sha256)) differences.push(`file ${file.path} was changed`)
  }
  return differences
}

/** Only contradictions count. What an agent says in its favour proves nothing, and what it does not say is not held against it. */
function claimDifferences({ planned, observed: { claims } }: ReadinessFacts): string[] {
  const pairs = [
    ['model', claims.model, planned.model.model],
    ['provider', claims.provider, planned.model.provider],
    ['version', claims.version, planned.version],
    ['effort', claims.effort, planned.effort],
  ] as const
  return pairs
    .filter(([, claimed, expected]) => claimed !== null && claimed !== expected)
    .map(([name, claimed, expected]) => `the agent says ${name} ${JSON.stringify(claimed)}, planned ${expected === null ? 'none' : JSON.stringify(expected)}`)
}
