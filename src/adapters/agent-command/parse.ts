import type { AgentExit } from '../../engine/agent.ts'

const CLAIM_BYTES = 4_000

/** The last words of a program: the end of its output, or of its errors if it printed nothing else. */
export function claimOf({ stdout, stderr }: Pick<AgentExit, 'stdout' | 'stderr'>): string {
  return endOf(stdout) || endOf(stderr)
}

/** `tail` begins where `head` ends, unless something between them was dropped. A character cut in two is dropped too. */
function endOf({ head, tail, truncated }: AgentExit['stdout']): string {
  const bytes = truncated ? tail : Buffer.concat([head, tail])
  return bytes.subarray(-CLAIM_BYTES).toString('utf8').replace(/^\uFFFD+/, '').trim()
}
