import { setTimeout as wait } from 'node:timers/promises'
import { systemCode } from '../../contract/errors.ts'
import { processIdentity } from '../process/index.ts'

/** Ends the process group of a server that is gone, if its leader still is that very process. Another one with its pid is left alone. */
export async function endLeftover(pid: number, startTicks: number): Promise<void> {
  const isThere = (): boolean => processIdentity(pid)?.startTicks === startTicks
  if (!isThere()) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
    return
  }
  for (const limit = performance.now() + 2_000; isThere() && performance.now() < limit; ) await wait(5)
}
