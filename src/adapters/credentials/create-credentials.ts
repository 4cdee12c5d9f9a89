import { createHmac, randomBytes } from 'node:crypto'
import { milliseconds } from '../../contract/units.ts'
import type { Dialect } from '../../contract/model.ts'
import type { CredentialSource, Provider } from '../../gates/catalog/index.ts'
import type { CredentialRead, CredentialReader } from '../../gates/wire/index.ts'
import { ReadCredential } from './credential.ts'
import { readSource, type SourceRead, type SourceWorld } from './read-source.ts'

export interface Credentials extends CredentialReader {
  /**
   * The values of every credential read so far, for the secret scanner alone: it must know what to look for. Nothing else
   * may call this, and nothing may print, store or send what it gives.
   */
  knownValues(): readonly string[]
  /** Something that changes when what a provider is given changes, and tells nothing about it: not the same in another process, and not comparable with anything else. */
  mark(provider: Provider): Promise<string>
}

type Found = Extract<SourceRead, { ok: true }>

/** A program such as a vault's client is not run again for every call of an agent; a changed value is seen after this time. */
const COMMAND_REUSE_MS = 60_000

/** Reads providers' credentials from where the configuration says, and hands them to the wire only (SEC-01). Files and variables are read anew for each call. */
export function createCredentials(world: SourceWorld): Credentials {
  const known = new Set<string>()
  const key = randomBytes(32)
  const latest = new Map<string, { readonly result: Found; readonly dialect: Dialect; readonly credential: ReadCredential }>()
  const commands = new Map<string, { readonly readAt: number; readonly value: Promise<SourceRead> }>()

  const read = (source: Exclude<CredentialSource, { source: 'none' }>, provider: Provider): Promise<SourceRead> => {
    // The program runs before the request is forwarded, so its time is part of what the agent waits for the first byte.
    const timeoutMs = milliseconds(provider.timeouts.firstByte)
    if (source.source !== 'command') return readSource(source, world, timeoutMs)
    const key = JSON.stringify(source.command)
    const before = commands.get(key)
    if (before !== undefined && performance.now() - before.readAt < COMMAND_REUSE_MS) return before.value
    const value = readSource(source, world, timeoutMs).then((result) => {
      if (!result.ok) commands.delete(key)
      return result
    })
    commands.set(key, { readAt: performance.now(), value })
    return value
  }

  return {
    async credentialFor(providerName, provider, dialect): Promise<CredentialRead> {
      if (provider.credential.source === 'none') return { ok: true, credential: new ReadCredential({}, []) }
      const result = await read(provider.credential, provider)
      if (!result.ok) return { ok: false, found: `${result.found} (provider ${providerName})`, remedy: result.remedy }
      const before = latest.get(providerName)
      if (before !== undefined && before.dialect === dialect && isSame(before.result, result)) return { ok: true, credential: before.credential }
      known.add(result.value)
      const credential = new ReadCredential(headersOf(result, dialect), [result.value])
      latest.set(providerName, { result, dialect, credential })
      return { ok: true, credential }
    },
    knownValues: () => [...known],
    async mark(provider) {
      if (provider.credential.source === 'none') return 'none'
      const result = await read(provider.credential, provider)
      if (!result.ok) return 'unreadable'
      known.add(result.value)
      return createHmac('sha256', key).update(JSON.stringify([result.value, result.oauth, result.accountId ?? null])).digest('hex')
    },
  }
}

const isSame = (a: Found, b: Found): boolean => a.value === b.value && a.oauth === b.oauth && a.accountId === b.accountId

/** The same credentials for as long as a condition holds; while it does not, none is given, so that nothing can be forwarded. */
export const onlyWhile = (holds: () => boolean, reader: CredentialReader): CredentialReader => ({
  credentialFor: async (providerName, provider, dialect) =>
    holds() ? reader.credentialFor(providerName, provider, dialect) : { ok: false, found: 'licences that could not be read for a second', remedy: 'Look at the ledger and the admission records; the wire forwards again once it can read them.' },
})

/** Anthropic takes a key as `x-api-key` and a session token as bearer with its beta flag, Google a key as `x-goog-api-key`; everybody else takes a bearer. */
function headersOf(read: Found, dialect: Dialect): Readonly<Record<string, string>> {
  if (dialect === 'anthropic-messages' && !read.oauth) return { 'x-api-key': read.value }
  if (dialect === 'gemini' && !read.oauth) return { 'x-goog-api-key': read.value }
  return {
    authorization: `Bearer ${read.value}`,
    ...(dialect === 'anthropic-messages' ? { 'anthropic-beta': 'oauth-2025-04-20' } : {}),
    ...(dialect === 'openai-responses' && read.accountId !== undefined ? { 'chatgpt-account-id': read.accountId } : {}),
  }
}
