import type { Clock } from '../../contract/clock.ts'
import type { AgentOutcome, AgentProcess, AgentSession, DeliveryResult, StartAgent } from '../../engine/agent.ts'
import { spendTurn } from '../../gates/dispatch/index.ts'
import { notDelivered, unlessAborted } from '../runtime-process/index.ts'
import { claimOf } from './parse.ts'

/** One process, one prompt on its standard input, and its exit code as all it says about itself. */
export async function openSession<Process extends AgentProcess>(start: StartAgent<Process>, now: Clock): Promise<AgentSession<Process>> {
  // The output is kept and logged by whoever starts the process; nothing in it is a protocol.
  const process = await start(() => undefined)
  let state: 'idle' | 'running' | 'dead' = 'idle'
  const finished = process.exited.then((exit): AgentOutcome => {
    state = 'dead'
    return { exit, claimedStatus: exit.code === 0 ? 'completed' : 'failed', claim: claimOf(exit), runtimeFailure: null, artefacts: [] }
  })
  return {
    process,
    finished,
    state: () => state,
    ready: () => Promise.resolve({ responded: null, claims: { model: null, provider: null, version: null, effort: null } }),
    async deliver(turn, prompt, signal): Promise<DeliveryResult> {
      spendTurn(turn, { prompt, pid: process.pid }, now())
      if (state !== 'idle') return notDelivered(process.pid, state === 'dead' ? 'the process has ended' : 'the prompt was already written')
      state = 'running'
      const outcome = await unlessAborted(signal, process.write(prompt).then(() => 'written' as const, () => 'closed' as const))
      // Closed whatever came of it: half a prompt with the input left open would be waited for without end.
      process.closeStdin()
      if (outcome === undefined) return notDelivered(process.pid, 'the program did not take the whole prompt in the time given')
      if (outcome === 'closed') return notDelivered(process.pid, 'the program closed its standard input')
      return { ok: true, receipt: `${Buffer.byteLength(prompt)} bytes written to standard input, which was then closed` }
    },
    // Its exit code is all it says.
    objection: () => null,
    stop: (graceMs) => process.stop(graceMs),
  }
}
