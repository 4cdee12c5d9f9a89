import { resolve } from 'node:path'
import type { Refusal } from '../../contract/gate.ts'
import type { Planned, PlanRequest } from '../../gates/launch/index.ts'
import type { Profile } from '../../gates/catalog/index.ts'
import { plannedLaunch, refusePlan, resolvedPath, treeDigest } from '../runtime-process/index.ts'
import { APIS, contextTokens, filesOf, settingsOf, THINKING_LEVELS, thinkingOf, TOKEN_VARIABLE } from './configuration.ts'
import { findPi, type PiLocation } from './installation.ts'

/** Plans pi in its RPC mode, with a configuration in which the admitted model, through the wire, is all there is. */
export async function plan(request: PlanRequest, location: Omit<PiLocation, 'searchPath'>): Promise<Planned> {
  const api = APIS[request.dialect]
  if (api === undefined) return refusePlan(dialectRefusal(request))
  const setting = settingRefusal(request.profileName, request.profile)
  if (setting !== undefined) return refusePlan(setting)
  const installation = await findPi({ ...location, searchPath: request.inherited['PATH'] ?? '' })
  if (installation === undefined) return refusePlan(missing(location))
  const { program, folder, version } = installation
  const tools = TOOLS[request.profile.permissions]
  const argv = [process.execPath, program, ...argumentsOf(request, tools?.names)] as const
  return await plannedLaunch(request, {
    versionFound: version,
    program: { path: program, sha256: await treeDigest(folder) },
    programFolder: folder,
    programFiles: [],
    readable: [],
    command: { executable: (await resolvedPath(process.execPath)) ?? resolve(process.execPath), argv },
    environment: { [TOKEN_VARIABLE]: request.runToken },
    settings: settingsOf(request),
    files: filesOf(request, api),
    enforcedBy: tools?.enforcedBy ?? null,
  })
}

/**
 * Pi asks nobody: a tool in its list runs. So a mode is held by the list, and one that has to ask cannot be held at all.
 * The edit tools take any path, so below isolation `fs` the workspace is where they should write, not where they must.
 */
const TOOLS: Readonly<Record<Profile['permissions'], { readonly names: string; readonly enforcedBy: string } | undefined>> = {
  'read-only': { names: 'read,grep,find,ls', enforcedBy: 'tools read, grep, find and ls only; none of them writes or runs a command' },
  ask: undefined,
  'accept-edits': { names: 'read,edit,write,grep,find,ls', enforcedBy: 'tools read, edit, write, grep, find and ls only; no shell. Edits are not asked for, and paths are confined by the isolation level alone' },
  bypass: { names: 'read,bash,edit,write,grep,find,ls', enforcedBy: 'nothing is asked or refused: every tool runs, the shell included' },
}

function argumentsOf({ pair, profile }: PlanRequest, tools: string | undefined): string[] {
  const model = ['--provider', pair.provider, '--model', pair.model, '--thinking', thinkingOf(profile.effort)]
  const held = tools === undefined ? ['--no-tools'] : ['--tools', tools]
  return ['--mode', 'rpc', '--no-session', ...model, ...held, ...NOTHING_FOUND_ON_DISK]
}

/** What pi would pick up by itself from the workspace, the HOME or the network. */
const NOTHING_FOUND_ON_DISK = ['--no-extensions', '--no-skills', '--no-prompt-templates', '--no-themes', '--no-context-files', '--no-approve', '--offline']

function settingRefusal(profileName: string, profile: Profile): Refusal | undefined {
  const refuse = (asked: string, remedy: string): Refusal => ({
    reason: 'agent_setting_unsupported',
    message: 'Pi cannot take a setting of the profile.',
    asked: `profile ${profileName}: ${asked}`,
    found: 'pi would ignore it, or take another value in its place',
    remedy,
  })
  if (profile.command !== undefined) return refuse('command', 'Leave `command` out; it belongs to agent: command.')
  if (profile.effort !== undefined && !THINKING_LEVELS.includes(profile.effort)) return refuse(`effort ${profile.effort}`, `Choose one of ${THINKING_LEVELS.join(', ')}, or leave it out.`)
  if (profile.context !== undefined && contextTokens(profile.context) === undefined) return refuse(`context ${profile.context}`, 'Write it in tokens, as in 200k or 1m, or leave it out.')
  return undefined
}

const dialectRefusal = ({ dialect, profileName }: PlanRequest): Refusal => ({
  reason: 'dialect_mismatch',
  message: `Pi cannot speak ${dialect} through the wire.`,
  asked: `dialect ${dialect} for profile ${profileName}`,
  found: `pi speaks ${Object.keys(APIS).join(', ')} here`,
  remedy: 'Choose a provider that speaks one of these.',
})

const missing = ({ program, directory }: Omit<PiLocation, 'searchPath'>): Refusal => ({
  reason: 'agent_not_installed',
  message: 'pi was not found.',
  asked: program ?? `pi in node_modules/.bin of ${directory} or a folder above it, or on PATH`,
  found: 'no program of the package @earendil-works/pi-coding-agent',
  remedy: 'Install it: npm install --save-dev --save-exact @earendil-works/pi-coding-agent@0.87.1',
})
