import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import OpenAI from 'openai'
import * as z from 'zod'
import type { Scenario } from '../e2e/scenario.ts'
import { PORTCULLIS } from './run-cli.ts'

export const Created = z.object({ allowed: z.literal(true), run_id: z.string(), token: z.string(), pair: z.string() })

export interface Served {
  readonly process: ChildProcess
  readonly address: string
  readonly metrics: string
  /** What it printed so far. */
  printed(): string
  /** The client of a user, with a token as its key. */
  client(token: string): OpenAI
  end(): Promise<number | null>
}

/** The command `wire` as a process, until the test is over. */
export async function servedWire(context: Pick<TestContext, 'after'>, made: Scenario, options: readonly string[] = []): Promise<Served> {
  const child = spawn(process.execPath, [PORTCULLIS, 'wire', '--port', '0', '--metrics-port', '0', '--json', ...options], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let printed = ''
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString('utf8')))
  await until(() => /"address"/.test(printed), 'the wire to listen')
  const address = /"address":"([^"]+)"/.exec(printed)?.[1] ?? ''
  const metrics = /"metrics":"([^"]+)"/.exec(printed)?.[1] ?? ''
  const end = (): Promise<number | null> => {
    child.kill('SIGTERM')
    return ended
  }
  return { process: child, address, metrics, end, printed: () => printed, client: (token) => new OpenAI({ apiKey: token, baseURL: `${address}/v1`, maxRetries: 0 }) }
}

export async function until(condition: () => boolean, what: string, patienceMs = 20_000): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export async function createToken(made: Scenario, expires = '8h'): Promise<z.infer<typeof Created>> {
  const { stdout, stderr } = await made.portcullis(['tokens', 'create', '--kind', 'run', '--profile', 'pi_scripted', '--purpose', 'ticket', '--expires', expires, '--json'])
  assert.equal(stderr, '')
  return Created.parse(JSON.parse(stdout))
}
