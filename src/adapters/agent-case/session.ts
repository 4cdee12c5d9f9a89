import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../contract/clock.ts'
import type { AgentExit, AgentOutcome, AgentProcess, AgentSession, DeliveryResult, StartAgent } from '../../engine/agent.ts'
import type { Objection } from '../../gates/acceptance/index.ts'
import { spendTurn } from '../../gates/dispatch/index.ts'
import type { PlannedLaunch } from '../../gates/launch/index.ts'
import { notDelivered, unlessAborted } from '../runtime-process/index.ts'
import { placesBelow, settledFiles } from './configuration.ts'
import { changedFiles, collectLeftovers } from './leftovers.ts'
import { claimsOf } from './parse.ts'
import { examplesIn, readResult } from './result.ts'

/** What was found of Case's own files once it had ended. */
type Aftermath = { readonly artefacts: AgentOutcome['artefacts']; readonly changed: readonly string[] } | { readonly failed: string }

/** One process that waits for its one prompt before Case is loaded, and what it left when it had ended. */
export async function openSession<Process extends AgentProcess>(launch: PlannedLaunch, start: StartAgent<Process>, now: Clock): Promise<AgentSession<Process>> {
  const examples = await examplesOf(launch)
  // The output is kept and logged by whoever starts the process. What Case says on it is read at its end, as a claim.
  const process = await start(() => undefined)
  let state: 'idle' | 'running' | 'dead' = 'idle'
  let aftermath: Aftermath = { failed: 'it has not ended' }
  const finished = process.exited.then(async (exit): Promise<AgentOutcome> => {
    state = 'dead'
    aftermath = await aftermathOf(launch)
    return outcomeOf(exit, aftermath)
  })
  return {
    process,
    finished,
    state: () => state,
    // Until it has its prompt there is nothing of Case to ask.
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
    objection: (_outcome, lastWords) => objectionTo(aftermath, lastWords, examples),
    stop: (graceMs) => process.stop(graceMs),
  }
}

/** The results that the prompts of Case show as examples: a model that only repeats one has done nothing. */
async function examplesOf({ plan }: PlannedLaunch): Promise<string[]> {
  const prompts = plan.programFiles.filter(({ path }) => path.endsWith('.md'))
  return (await Promise.all(prompts.map(({ path }) => readFile(path, 'utf8')))).flatMap(examplesIn)
}

async function aftermathOf({ plan, files }: PlannedLaunch): Promise<Aftermath> {
  try {
    const task = files.find(({ path }) => path.endsWith('.task.json'))
    const runId = basename(task?.path ?? '', '.task.json')
    const changed = await changedFiles(settledFiles(files))
    return { changed, artefacts: await collectLeftovers(plan.workspace, runId, { config: join(placesBelow(plan).caseData, 'config.json'), configuration: plan.configuration }) }
  } catch (error) {
    // Told as an objection: a run whose settings could not be looked at again must not count, and must not be lost either.
    return { failed: error instanceof Error ? error.name : typeof error }
  }
}

const outcomeOf = (exit: AgentExit, aftermath: Aftermath): AgentOutcome => ({ exit, ...claimsOf(exit), artefacts: 'failed' in aftermath ? [] : aftermath.artefacts })

/** Case's own settings first: under others, whatever was answered was answered to somebody else's question (ADM-C2). */
function objectionTo(aftermath: Aftermath, lastWords: string | null, examples: readonly string[]): Objection | null {
  if ('failed' in aftermath) return { reason: 'evidence_invalid', message: 'What Case left behind could not be looked at.', asked: 'its settings and its state, after its end', found: aftermath.failed }
  if (aftermath.changed.length > 0) {
    const names = aftermath.changed.map((path) => join(basename(dirname(path)), basename(path))).join(', ')
    return { reason: 'agent_not_as_planned', message: `The generated settings of Case were changed while it ran: ${names}.`.slice(0, 1_000), asked: 'the generated settings, after the run as before it', found: `changed or gone: ${names}`.slice(0, 1_000) }
  }
  const asked = 'the last answer on the wire to end with one AGENT_RESULT block, complete and consistent'
  const result = lastWords === null ? ({ ok: false, found: 'no answer on the wire' } as const) : readResult(lastWords, examples)
  if (!result.ok) return { reason: 'agent_protocol', message: `case agent result protocol failed: ${result.found}`, asked, found: result.found }
  if (result.status !== 'completed') return { reason: 'agent_failed', message: `Case ends with status ${result.status}.`, asked: 'a result with status completed', found: `status ${result.status}` }
  return null
}
