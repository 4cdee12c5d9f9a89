import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import { milliseconds } from '../../contract/units.ts'
import type { Configuration } from '../../engine/index.ts'
import { type CredentialSource, entryOf, expandTarget, type OverrideState, type Provider } from '../../gates/catalog/index.ts'
import { parsePair } from '../../contract/model.ts'
import { describeSource } from '../credentials/index.ts'
import { findProgram } from '../runtime-process/index.ts'
import type { DoctorRow } from './row.ts'

export interface ProviderSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
  readonly searchPath: string
}

/** Two rows for each provider that a profile can lead to: where its credential should be, and whether its address takes a connection. */
export async function providerRows(configuration: Configuration, override: OverrideState, surroundings: ProviderSurroundings): Promise<DoctorRow[]> {
  const used = usedProviders(configuration, override)
  const rows = await Promise.all([...used].map(async ([name, profiles]) => {
    const provider = entryOf(configuration.providers, name)
    if (provider === undefined) return []
    const neededFor = `profiles ${profiles.join(', ')}`
    return Promise.all([credentialRow(name, provider.credential, neededFor, surroundings), addressRow(name, provider, neededFor)])
  }))
  return rows.flat()
}

/** Every provider that a candidate of a profile names, with those profiles. */
function usedProviders({ profiles, providers, aliases }: Configuration, override: OverrideState): Map<string, string[]> {
  const inForce = { ...aliases, ...(override !== null && 'value' in override ? override.value.aliases : {}) }
  const used = new Map<string, string[]>()
  for (const [name, { model }] of Object.entries(profiles)) {
    const expansion = expandTarget(model, { aliases: inForce, providers })
    const named = 'routes' in expansion ? expansion.routes.flatMap(({ pair }) => parsePair(pair)?.provider ?? []) : []
    for (const provider of new Set(named)) used.set(provider, [...(used.get(provider) ?? []), name])
  }
  return used
}

/** Says whether something is where the wire will look. What is there is not read: a doctor holds no credential. */
async function credentialRow(name: string, source: CredentialSource, neededFor: string, surroundings: ProviderSurroundings): Promise<DoctorRow> {
  const common = { area: 'credentials' as const, name, needed_for: neededFor }
  const problem = await sourceProblem(source, surroundings)
  if (problem === undefined) return { ...common, status: 'ok', found: source.source === 'none' ? 'none, as configured' : `${describeSource(source)} is there; not read`, remedy: null }
  return { ...common, status: 'missing', found: `${describeSource(source)}: ${problem}`, remedy: `Put the credential of ${name} where the configuration says, or correct providers.${name}.credential.` }
}

async function sourceProblem(source: CredentialSource, { environment, homeDirectory, searchPath }: ProviderSurroundings): Promise<string | undefined> {
  switch (source.source) {
    case 'none':
      return undefined
    case 'env':
      return (environment[source.name] ?? '') === '' ? 'the variable is not set' : undefined
    case 'file':
    case 'oauth-file':
      return readable(source.path.startsWith('~/') ? join(homeDirectory, source.path.slice(2)) : source.path)
    case 'command':
      return (await findProgram(source.command[0] ?? '', searchPath, homeDirectory)) === undefined ? 'no such program' : undefined
  }
}

async function readable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK)
    return undefined
  } catch (error) {
    return `the file cannot be read (${systemCode(error) ?? 'unknown error'})`
  }
}

/** Opens a connection within the time that the provider's own configuration allows, and closes it without a byte. */
async function addressRow(name: string, { baseUrl, timeouts }: Provider, neededFor: string): Promise<DoctorRow> {
  const { hostname, port, protocol, host } = new URL(baseUrl)
  const common = { area: 'reachable' as const, name, needed_for: neededFor }
  const began = performance.now()
  const problem = await connectionProblem(hostname.replace(/^\[|\]$/g, ''), Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port), milliseconds(timeouts.connect))
  if (problem === undefined) return { ...common, status: 'ok', found: `${host} took a connection in ${Math.max(1, Math.round(performance.now() - began))} ms`, remedy: null }
  return { ...common, status: 'missing', found: `${host}: ${problem}`, remedy: `Start what serves ${baseUrl}, or see to the network; nothing runs on it until then. Whether it answers as itself: npx portcullis probe` }
}

function connectionProblem(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (problem: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    const timer = setTimeout(() => end(`no connection within ${timeoutMs} ms`), timeoutMs)
    socket.once('connect', () => end(undefined))
    socket.once('error', (error) => end(`no connection (${systemCode(error) ?? error.name})`))
  })
}
