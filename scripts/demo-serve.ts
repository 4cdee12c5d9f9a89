import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { bundleConsole } from './build.ts'
import { isFree, layOut, place, program, root, startProvider, WRITTEN_PORT } from './demo-stage.ts'

const API_PORT = 4030
const EVERY_MS = 20_000
/** A demonstration that is forgotten must not fill a disk. */
const MOST_RUNS = 60
const SOON_MS = 5 * 86_400_000
const Ready = z.object({ address: z.string(), first_token: z.string() })

/** What each run of the fleet is: accepted, refused before its agent starts, refused for its purpose, failed because no model was asked. */
const FLEET = [{ profile: 'pi_scripted' }, { profile: 'pi_unapproved' }, { profile: 'pi_scripted', purpose: 'preflight' }, { profile: 'silent' }] as const

/** A server with its console over a fleet that goes on, until it is interrupted. No key, no network. Returns the exit code. */
export async function serveDemo(): Promise<number> {
  const directory = join(root, 'dist/console')
  const fault = existsSync(join(directory, 'index.html')) ? undefined : bundleConsole(root, directory)
  if (fault !== undefined) throw new Error(fault)
  const provider = await startProvider((await isFree(WRITTEN_PORT)) ? WRITTEN_PORT : 0)
  const children: ChildProcess[] = [provider.process]
  try {
    layOut(provider.url)
    addFleet(provider.url)
    const server = spawn(process.execPath, [program, 'serve', '--port', String((await isFree(API_PORT)) ? API_PORT : 0), '--wire-port', '0', '--drain', '5s', '--admin-expires', '1d', '--json'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(server)
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
    const { address, first_token: tokenPath } = await ready(server)
    console.log(`\n  The console: ${address}\n  Sign in with the token in ${relative(process.cwd(), tokenPath)} (it ends in a day).\n  Runs that pass, block and fail begin every ${EVERY_MS / 1_000} s. Ctrl-C ends it.\n`)
    await keepBusy(address, readFileSync(tokenPath, 'utf8').trim(), ended)
    return 0
  } finally {
    for (const child of children) child.kill()
  }
}

/** Profiles that go wrong, each in its way, and a record that ends within the week. */
function addFleet(url: string): void {
  const path = join(place, 'portcullis.yaml')
  const document = parseDocument(readFileSync(path, 'utf8'))
  const limits = { total: '1m', idle: '20s', calls: 5, tokens: 10_000, cost: 'USD 0' }
  document.setIn(['providers', 'scripted', 'prices', 'coder-2'], { input: 'USD 0', output: 'USD 0' })
  document.setIn(['profiles', 'pi_unapproved'], { agent: 'pi', agentVersion: '0.87.1', model: 'scripted/coder-3', permissions: 'accept-edits', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits })
  document.setIn(['profiles', 'silent'], { agent: 'command', command: ['node', '-e', 'console.log("Done, everything works.")'], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits })
  writeFileSync(path, document.toString())
  const record = z.looseObject({}).parse(JSON.parse(readFileSync(join(place, 'admissions/scripted--coder-1.json'), 'utf8')))
  writeFileSync(join(place, 'admissions/scripted--coder-1.json'), JSON.stringify({ ...record, runtime: 'pi' }, null, 2))
  writeFileSync(join(place, 'admissions/scripted--coder-1@command+work.json'), JSON.stringify({ ...record, endpoint: `${url}/v1`, runtime: 'command', review_trigger: { expires_at: new Date(Date.now() + SOON_MS).toISOString() } }, null, 2))
}

async function ready(server: ChildProcess): Promise<z.infer<typeof Ready>> {
  let printed = ''
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the server ended with code ${code}: ${printed}`)))
    server.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8')
      if (printed.includes('\n')) resolve(Ready.parse(JSON.parse(printed)))
    })
  })
}

async function keepBusy(address: string, token: string, ended: Promise<void>): Promise<void> {
  let count = 0
  const begin = (): void => {
    const order = FLEET[count++ % FLEET.length]
    if (count > MOST_RUNS) return clearInterval(timer)
    // A refusal is what some of them are for; it stands in the ledger and so on the page.
    fetch(`${address}/runs`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ task: 'task.yaml', ...order }) }).then(
      (answer) => answer.arrayBuffer(),
      (error: unknown) => console.error(`  A run could not be begun: ${error instanceof Error ? error.message : 'unknown'}`),
    )
  }
  const timer = setInterval(begin, EVERY_MS)
  for (const _ of FLEET) begin()
  await ended
  clearInterval(timer)
}
