import { resolve } from 'node:path'
import type { FileDigest, Planned, PlanRequest } from '../../gates/launch/index.ts'
import { workspaceRefusal } from '../agent-cli/index.ts'
import { fileDigest, isFile, plannedLaunch, refusePlan, resolveCommand, resolvedPath } from '../runtime-process/index.ts'
import { environmentOf } from './configuration.ts'

/** Plans any argv that takes a base URL and a token from its environment and its prompt from standard input. */
export const plan = (request: PlanRequest): Promise<Planned> => planCommand(request, environmentOf)

/** What a program is told in its environment; undefined for a dialect of which it cannot be told. */
export type EnvironmentOf = (request: PlanRequest) => { readonly environment: Readonly<Record<string, string>>; readonly settings: Readonly<Record<string, string>> } | undefined

/** Plans the argv of a profile as it stands there. `environmentOf` says where its program finds the wire. */
export async function planCommand(request: PlanRequest, environmentOf: EnvironmentOf): Promise<Planned> {
  const { profile } = request
  if (profile.command === undefined) {
    return refusePlan({
      reason: 'agent_not_installed',
      message: 'The profile names no command to run.',
      asked: `profile ${request.profileName}: command`,
      found: 'none',
      remedy: 'Add the argv of the agent to the profile, as in command: [node, agent.js].',
    })
  }
  const brought = await workspaceRefusal(request, { title: 'the agent', overriding: profile.refuses ?? [] })
  if (brought !== undefined) return refusePlan(brought)
  const environment = environmentOf(request)
  if (environment === undefined) {
    return refusePlan({
      reason: 'dialect_mismatch',
      message: `A command cannot be told where to find ${request.dialect}.`,
      asked: `dialect ${request.dialect} for profile ${request.profileName}`,
      found: 'no environment variables that programs of this dialect read for an address and a key',
      remedy: 'Choose a provider that speaks openai-chat, openai-responses or anthropic-messages.',
    })
  }
  const command = await resolveCommand(profile.command, request.inherited['PATH'] ?? '', request.workspace)
  if (command === undefined) {
    return refusePlan({
      reason: 'agent_not_installed',
      message: 'The program of the command was not found.',
      asked: `profile ${request.profileName}: ${profile.command[0] ?? ''}`,
      found: 'no executable file of this name on PATH, or a script whose interpreter is missing',
      remedy: 'Install it, or name it by its absolute path.',
    })
  }
  const { program, programFiles } = await filesOf(command.argv, request.workspace)
  return await plannedLaunch(request, {
    ...environment,
    command,
    program,
    programFolder: null,
    programFiles,
    versionFound: '',
    files: [],
    readable: [],
    // Whatever a program of unknown making promises, nothing here could hold it to that.
    enforcedBy: profile.permissions === 'bypass' ? 'nothing is asked or refused: the program does what the rights of its process allow' : null,
  })
}

/**
 * Every file that the argv names, by digest. The program is the first of them; where that is the interpreter Portcullis
 * itself runs on, it is the first after it, because the interpreter says nothing about the agent.
 */
async function filesOf(argv: readonly [string, ...string[]], directory: string): Promise<{ program: FileDigest; programFiles: FileDigest[] }> {
  const own = await resolvedPath(process.execPath)
  const paths: string[] = []
  for (const [index, argument] of argv.entries()) {
    const path = resolve(directory, argument)
    const skipped = index === 0 && (await resolvedPath(path)) === own
    if (!skipped && !paths.includes(path) && (await isFile(path))) paths.push(path)
  }
  const [first = process.execPath, ...others] = paths
  const digested = async (path: string): Promise<FileDigest> => ({ path, sha256: await fileDigest(path) })
  return { program: await digested(first), programFiles: await Promise.all(others.map(digested)) }
}
