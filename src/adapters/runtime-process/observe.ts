import { readlink } from 'node:fs/promises'
import { digestOf } from '../../contract/canonical.ts'
import type { AgentProcess, AgentReadiness } from '../../engine/agent.ts'
import type { FileDigest, LaunchPlan } from '../../gates/launch/index.ts'
import { type AgentObserver, expectationOf, type ReadinessFacts } from '../../gates/readiness/index.ts'
import { processIdentity } from '../process/index.ts'
import { executableIdentity, fileDigest, isAbsent, treeDigest } from './digests.ts'
import { identityAtStart } from './start-agent.ts'

type ObservedFile = ReadinessFacts['observed']['program']

/**
 * Looks at a started agent through the kernel, and at its files on disk. What cannot be seen is null and will
 * not pass; an agent that was not started through the door cannot be seen at all.
 */
export function observerOf(agent: AgentProcess): AgentObserver {
  return {
    async observe(plan) {
      const atStart = identityAtStart(agent)
      const now = processIdentity(agent.pid)
      // The same pid is not the same process: the kernel gives it away again.
      const alive = now !== undefined && now.startTicks === atStart?.startTicks
      return {
        pid: agent.pid,
        startTicks: now?.startTicks ?? null,
        alive,
        executable: alive ? { path: now.executable, identity: await unlessAbsent(() => executableIdentity(`/proc/${agent.pid}/exe`)) } : null,
        program: await observedProgram(plan),
        programFiles: await Promise.all(plan.programFiles.map(observedFile)),
        argvDigest: atStart === undefined ? null : digestOf(atStart.argv),
        workspace: alive ? await unlessAbsent(() => readlink(`/proc/${agent.pid}/cwd`)) : null,
        files: await Promise.all(plan.files.map(observedFile)),
      }
    },
  }
}

/** The facts of the readiness gate: what was planned, what is seen, and beside it what the agent says. */
export async function observeReadiness(
  plan: LaunchPlan,
  agent: AgentProcess,
  readiness: AgentReadiness,
  circumstances: { readonly observedAt: Date; readonly validForMs: number },
): Promise<ReadinessFacts> {
  return {
    observedAt: circumstances.observedAt.toISOString(),
    validForMs: circumstances.validForMs,
    planned: expectationOf(plan),
    observed: { ...(await observerOf(agent).observe(plan)), ...readiness },
  }
}

/** A program may be a folder of code; then the folder is looked at, as it was for the plan. */
async function observedProgram({ program, programFolder }: LaunchPlan): Promise<ObservedFile> {
  const digest = (): Promise<string> => (programFolder === null ? fileDigest(program.path) : treeDigest(programFolder))
  return { path: program.path, sha256: await unlessAbsent(digest) }
}

async function observedFile({ path }: FileDigest): Promise<ObservedFile> {
  return { path, sha256: await unlessAbsent(() => fileDigest(path)) }
}

async function unlessAbsent<Value>(look: () => Promise<Value>): Promise<Value | null> {
  try {
    return await look()
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}
