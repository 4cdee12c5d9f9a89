import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { request as requestSecurely } from 'node:https'
import * as z from 'zod'
import type { TestContext } from 'node:test'
import { PORTCULLIS } from './run-cli.ts'
import { until } from './served-wire.ts'

export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  json(): unknown
}

export interface Asking {
  readonly method?: string
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: unknown
  /** Whose certificates are believed, in PEM. */
  readonly authority?: string | undefined
}

export interface ServedApi {
  readonly process: ChildProcess
  readonly address: string
  readonly wire: string
  /** The first token, of kind admin. */
  readonly admin: string
  readonly firstTokenPath: string
  /** Its log so far. */
  log(): string
  ask(path: string, asking?: Asking): Promise<ApiAnswer>
  token(kind: string, expires?: string): Promise<{ readonly token: string; readonly id: string }>
  end(signal?: NodeJS.Signals): Promise<number | null>
}

const Ready = z.object({ address: z.string(), wire: z.string(), first_token: z.string().nullable() })

/** One request as it is, with whatever headers: `fetch` would not send a Host of our choice. */
export function askAt(address: string, path: string, { method = 'GET', token, headers = {}, body, authority }: Asking = {}): Promise<ApiAnswer> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const socket = address.startsWith('unix:') ? { socketPath: address.slice('unix:'.length) } : {}
    const place = new URL(path, 'socketPath' in socket ? 'http://localhost' : address)
    const sent = (place.protocol === 'https:' ? requestSecurely : request)(place, { ...socket, ...(authority === undefined ? {} : { ca: authority, servername: 'localhost' }), method, headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...(text === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(text) }), ...headers }, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const read = Buffer.concat(chunks).toString('utf8')
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: read, json: (): unknown => JSON.parse(read) })
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

/** The server did not start: what it said instead. */
export class ServerEnded extends Error {
  readonly code: number
  readonly stdout: string

  constructor(code: number, stdout: string, log: string) {
    super(`the server ended with ${code}: ${stdout}${log}`)
    this.code = code
    this.stdout = stdout
  }
}

/** The command `serve` as a process, until the test is over. */
export async function servedApi(context: Pick<TestContext, 'after'>, directory: string, options: { readonly place?: readonly string[]; readonly arguments?: readonly string[]; readonly environment?: Readonly<Record<string, string>>; readonly program?: string; readonly patienceMs?: number } = {}): Promise<ServedApi> {
  const child = spawn(process.execPath, [options.program ?? PORTCULLIS, 'serve', ...(options.place ?? ['--port', '0']), '--wire-port', '0', '--drain', '10s', '--admin-expires', '1d', '--json', ...(options.arguments ?? [])], { cwd: directory, env: { PATH: process.env['PATH'], HOME: `${directory}/no-home`, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  context.after(() => child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let printed = ''
  let log = ''
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString('utf8')))
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString('utf8')))
  await until(() => child.exitCode !== null || /^\{"address".*\n/.test(printed), 'the server to listen', options.patienceMs).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${printed}${log}`, { cause: error })
  })
  if (child.exitCode !== null) throw new ServerEnded(child.exitCode, printed, log)
  const ready = Ready.parse(JSON.parse(printed))
  const firstTokenPath = ready.first_token ?? `${directory}/.portcullis/admin-token`
  const admin = readFileSync(firstTokenPath, 'utf8').trim()
  const ask = (path: string, asking?: Asking): Promise<ApiAnswer> => askAt(ready.address, path, asking)
  return {
    process: child, address: ready.address, wire: ready.wire, admin, firstTokenPath, ask,
    log: () => log,
    token: async (kind, expires = '1h') => {
      const answer = await ask('/tokens', { method: 'POST', token: admin, body: { kind, name: kind, expires } })
      assert.equal(answer.status, 201, answer.text)
      return z.object({ token: z.string(), id: z.string() }).parse(answer.json())
    },
    end: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}
