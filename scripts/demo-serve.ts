import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { machineClock } from '../src/adapters/process/index.ts'
import { openLedger } from '../src/adapters/store-sqlite/index.ts'
import { TicketBook } from '../src/engine/index.ts'
import { NO_SECRETS, sampleTickets } from './sample-tickets.ts'
import { bundleConsole } from './build.ts'
import { freePort, isFree, layOut, place, program, root, startProvider, WRITTEN_PORT } from './demo-stage.ts'

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
  const provider = await startProvider((await isFree(WRITTEN_PORT)) ? WRITTEN_PORT : 0, scriptOfFleet())
  const children: ChildProcess[] = [provider.process]
  try {
    layOut(provider.url)
    addFleet(provider.url)
    await addAgents()
    const server = spawn(process.execPath, [program, 'serve', '--port', String((await isFree(API_PORT)) ? API_PORT : 0), '--wire-port', '0', '--agent-wire-port', String(await freePort()), '--drain', '5s', '--admin-expires', '1d', '--json'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(server)
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
    const { address, first_token: tokenPath } = await ready(server)
    console.log(`\n  The console: ${address}\n  Sign in with the token in ${relative(process.cwd(), tokenPath)} (it ends in a day).\n  Runs that pass, block and fail begin every ${EVERY_MS / 1_000} s. Ctrl-C ends it.\n`)
    const token = readFileSync(tokenPath, 'utf8').trim()
    // While the server runs: at its start it ends every session that nobody holds any more.
    await addTickets()
    for (const name of Object.keys(AGENTS)) await post(address, token, `/agents/${name}/start`, { reason: 'the demonstration begins' })
    await keepBusy(address, token, ended)
    return 0
  } finally {
    for (const child of children) child.kill()
  }
}

/** The script of the example, and an answer to an agent that is asked whether it is there. */
function scriptOfFleet(): string {
  const document = parseDocument(readFileSync(join(root, 'examples/slugify/script.yaml'), 'utf8'))
  document.addIn(['turns'], { when: { lastUser: 'Say that you are there' }, answer: { text: 'I am here.' } })
  const path = join(mkdtempSync(join(tmpdir(), 'portcullis-demo-')), 'script.yaml')
  writeFileSync(path, document.toString())
  return path
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

/** One that is who it should be, and one that comes up without its seed: as a generic agent, with no persona, no model and no tools. */
const AGENTS = { concierge: { seed: 'seed' }, porter: {} } as const

async function addAgents(): Promise<void> {
  const program = join(root, 'examples/concierge/agent.mjs')
  cpSync(join(root, 'examples/concierge/seed'), join(place, 'seed'), { recursive: true })
  const path = join(place, 'portcullis.yaml')
  const document = parseDocument(readFileSync(path, 'utf8'))
  for (const [name, given] of Object.entries(AGENTS)) {
    const [port, toolPort] = [await freePort(), await freePort()]
    document.setIn(['profiles', name], { agent: 'command', command: ['node', program, String(port), String(toolPort)], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '8h', idle: '30s', calls: 5_000, tokens: 20_000_000, cost: 'USD 0' } })
    document.setIn(['agents', name], {
      deployment: 'front-desk', profile: name, purpose: 'ticket',
      expects: { name: 'Concierge', version: '1.0.0', persona: { file: 'seed/persona.md' }, build: { file: program }, mcpServers: { workspaces: { url: `http://127.0.0.1:${toolPort}/mcp`, tools: ['create_workspace'] } } },
      provisioner: { kind: 'process', autoRestarts: 0, ...given }, cardUrl: `http://127.0.0.1:${port}/.well-known/agent-card.json`, allow: { addresses: [`127.0.0.1:${port}`, `127.0.0.1:${toolPort}`] },
      startup: '60s', answer: '10s', recheck: '30s', reprove: '300s', validFor: '400s',
    })
  }
  writeFileSync(path, document.toString())
}

/** Tickets in every state, written by this process as any other command of the machine would. */
async function addTickets(): Promise<void> {
  const ledger = await openLedger(join(place, '.portcullis/ledger.db'))
  try {
    await sampleTickets(new TicketBook({ ledger, store: ledger.tickets, clock: () => new Date(), machineClock: machineClock(), scanner: NO_SECRETS }))
  } finally {
    await ledger.close()
  }
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
    post(address, token, '/runs', { task: 'task.yaml', ...order }).catch((error: unknown) => console.error(`  A run could not be begun: ${error instanceof Error ? error.message : 'unknown'}`))
  }
  const timer = setInterval(begin, EVERY_MS)
  for (const _ of FLEET) begin()
  await ended
  clearInterval(timer)
}

async function post(address: string, token: string, path: string, body: object): Promise<void> {
  await (await fetch(`${address}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })).arrayBuffer()
}
