import { execFile } from 'node:child_process'
import { constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { systemCode } from '../../contract/errors.ts'
import type { CredentialSource } from '../../gates/catalog/index.ts'

export interface SourceWorld {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly homeDirectory: string
}

/** `oauth` says that the value is a session token, which some dialects send in another header than a key. */
export type SourceRead =
  | { readonly ok: true; readonly value: string; readonly oauth: boolean; readonly accountId: string | undefined }
  | { readonly ok: false; readonly found: string; readonly remedy: string }

/** Credentials are short; a file or a program that gives more gives something else. */
const MAX_SOURCE_BYTES = 65_536

/** A text that may stand in a header: visible ASCII, nothing that could end the line. */
const HeaderText = z.string().max(16_384).regex(/^[\x21-\x7e]+$/)

const OauthFile = z.union([
  z.looseObject({ claudeAiOauth: z.looseObject({ accessToken: HeaderText }) }).transform((file) => ({ token: file.claudeAiOauth.accessToken, accountId: undefined })),
  z.looseObject({ tokens: z.looseObject({ access_token: HeaderText, account_id: HeaderText.optional() }) }).transform((file) => ({ token: file.tokens.access_token, accountId: file.tokens.account_id })),
])

/** Reads one source. What goes wrong is told by where it was looked for and by an error's code, never by what stood there. */
export async function readSource(source: Exclude<CredentialSource, { source: 'none' }>, world: SourceWorld, timeoutMs: number): Promise<SourceRead> {
  switch (source.source) {
    case 'env':
      return plain(world.environment[source.name], `the environment variable ${source.name}`, `Set ${source.name} in the environment of the wire, not of the agent.`)
    case 'file':
      return fromFile(source.path, world, (text) => plain(text, `the file ${source.path}`, 'Put the credential, and nothing else, into the file.'))
    case 'command':
      return fromCommand(source.command, world, timeoutMs)
    case 'oauth-file':
      return fromFile(source.path, world, (text) => oauth(text, source.path))
  }
}

/** How a source is described to people: where, never what. */
export function describeSource(source: CredentialSource): string {
  switch (source.source) {
    case 'env':
      return `env ${source.name}`
    case 'file':
    case 'oauth-file':
      return `${source.source} ${source.path}`
    case 'command':
      // Arguments of a command may name a vault item; the program is enough to find it in the configuration.
      return `command ${source.command[0] ?? ''}`
    case 'none':
      return 'none'
  }
}

function plain(text: string | undefined, where: string, remedy: string): SourceRead {
  const value = text?.trim() ?? ''
  if (value === '') return { ok: false, found: `no credential in ${where}`, remedy }
  const checked = HeaderText.safeParse(value)
  return checked.success
    ? { ok: true, value: checked.data, oauth: false, accountId: undefined }
    : { ok: false, found: `${where} holds something that cannot stand in a header`, remedy: 'A credential is one line of visible ASCII characters.' }
}

function oauth(text: string, path: string): SourceRead {
  const remedy = 'Log in again with the program that owns the file; the wire reads it and never refreshes it.'
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    // A SyntaxError quotes the text, and the text is a credential.
    if (error instanceof SyntaxError) return { ok: false, found: `the file ${path} is not valid JSON`, remedy }
    throw error
  }
  const file = OauthFile.safeParse(parsed)
  return file.success
    ? { ok: true, value: file.data.token, oauth: true, accountId: file.data.accountId }
    : { ok: false, found: `no access token in ${path}`, remedy }
}

async function fromFile(path: string, world: SourceWorld, read: (text: string) => SourceRead): Promise<SourceRead> {
  const full = path.startsWith('~/') ? join(world.homeDirectory, path.slice(2)) : path
  try {
    const bytes = await readPlainFile(full)
    if (typeof bytes === 'string') return { ok: false, found: `the file ${path} ${bytes}`, remedy: 'Name a file that holds a credential and nothing else.' }
    return read(bytes.toString('utf8'))
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    return { ok: false, found: `the file ${path} cannot be read (${code})`, remedy: 'Create the file, readable for the user that runs the wire only.' }
  }
}

/** The bytes of a small regular file, or what is wrong with it. A pipe would be waited for, and a device read, for ever. */
async function readPlainFile(path: string): Promise<Buffer | string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const status = await file.stat()
    if (!status.isFile()) return 'is not a regular file'
    if (status.size > MAX_SOURCE_BYTES) return `holds more than ${MAX_SOURCE_BYTES} bytes`
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function fromCommand(command: readonly string[], world: SourceWorld, timeoutMs: number): Promise<SourceRead> {
  const [program = '', ...rest] = command
  const remedy = 'Run the command by hand: it must print the credential to stdout and exit 0.'
  return new Promise((resolve) => {
    // Its stderr and its error's message are dropped unread: both may quote what it was about to print.
    const child = execFile(program, rest, { env: { ...world.environment }, cwd: world.homeDirectory, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_SOURCE_BYTES, encoding: 'utf8' }, (error, stdout) => {
      if (error === null) return resolve(plain(stdout, `the output of ${program}`, remedy))
      const how = error.killed === true ? `did not end within ${timeoutMs} ms` : typeof error.code === 'number' ? `exited ${error.code}` : `failed (${systemCode(error) ?? 'no code'})`
      resolve({ ok: false, found: `the command ${program} ${how}`, remedy })
    })
    child.stdin?.end()
  })
}
