import { constants } from 'node:fs'
import { lstat, mkdtemp, open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import type { AgentOutcome } from '../../engine/agent.ts'
import type { PlannedFile } from '../../gates/launch/index.ts'
import { isAbsent } from '../runtime-process/index.ts'

/** How much of one file of Case is kept for people. */
const MAX_BYTES = 4 * 1_048_576
const MAX_LOGS = 5

/**
 * What Case left behind that is not work: kept for people, and taken out of the workspace so that it is not counted as a
 * change. All of it goes below `configuration`, where the run looks for credentials: also the markers, and what is too long to keep.
 */
export async function collectLeftovers(workspace: string, runId: string, { config, configuration }: { readonly config: string; readonly configuration: string }): Promise<AgentOutcome['artefacts']> {
  const state = join(workspace, '.case')
  const [settings, plan, events] = await Promise.all([contentOf(config), contentOf(join(state, runId, 'plan.json')), eventsIn(join(state, runId, 'events'))])
  await moveInto(configuration, state)
  return [
    ...(settings === undefined ? [] : [{ name: 'backend/case-config.json', content: settings }]),
    ...(plan === undefined ? [] : [{ name: 'backend/case-plan.json', content: plan }]),
    ...(events.length === 0 ? [] : [{ name: 'backend/case-events.jsonl', content: Buffer.concat(events) }]),
  ]
}

/** Moves a directory, or whatever stands in its place, into a new directory. A link is moved and not followed. */
async function moveInto(parent: string, path: string): Promise<void> {
  if (await isThere(path)) await rename(path, join(await mkdtemp(join(parent, 'left-')), 'case'))
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function eventsIn(folder: string): Promise<Buffer[]> {
  const names = await namesIn(folder)
  const logs = await Promise.all(names.filter((name) => name.endsWith('.jsonl')).sort().slice(-MAX_LOGS).map((name) => contentOf(join(folder, name))))
  return logs.filter((log) => log !== undefined)
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : []
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

/** Paths of files that are not as they were planned: changed, gone, or something else than a file. */
export async function changedFiles(files: readonly PlannedFile[]): Promise<string[]> {
  const same = await Promise.all(files.map(async ({ path, content }) => sha256((await contentOf(path)) ?? '\0') === sha256(content)))
  return files.filter((_, index) => same[index] !== true).map(({ path }) => path)
}

/** The beginning of a plain file; undefined for anything else. Neither a link is followed nor a pipe waited for. */
async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      if (!(await file.stat()).isFile()) return undefined
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
