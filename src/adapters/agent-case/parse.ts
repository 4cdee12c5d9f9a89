import type { AgentExit, AgentOutcome } from '../../engine/agent.ts'

/** What Case says of its run on its outputs. All of it is a claim. */
export function claimsOf({ stdout, stderr }: Pick<AgentExit, 'stdout' | 'stderr'>): Pick<AgentOutcome, 'claimedStatus' | 'claim' | 'runtimeFailure'> {
  const said = lastMatch(/Pipeline (?:completed successfully|failed at ([a-z]{1,30}) phase)\./g, stdout)
  if (said === undefined) return { claimedStatus: null, claim: '', runtimeFailure: classIn(stderr) }
  const [claim, phase] = said
  if (phase === undefined) return { claimedStatus: 'completed', claim, runtimeFailure: null }
  // The closer opens a pull request, for which a run on a copy has neither a remote nor a credential: that it fails says nothing of the work.
  return { claimedStatus: phase === 'closer' ? null : 'failed', claim, runtimeFailure: classIn(stderr) }
}

/** How Case classes a failure that it tries again, in its log. */
const classIn = (stderr: AgentExit['stderr']): string | null => lastMatch(/"failureClass":"([a-z][a-z0-9-]{0,59})"/g, stderr)?.[1] ?? null

function lastMatch(pattern: RegExp, output: AgentExit['stdout']): readonly [string, string | undefined] | undefined {
  const text = `${output.head.toString('utf8')}${output.truncated ? '\n' : ''}${output.tail.toString('utf8')}`
  const match = [...text.matchAll(pattern)].at(-1)
  return match === undefined ? undefined : [match[0], match[1]]
}
