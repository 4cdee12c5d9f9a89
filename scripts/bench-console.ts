/**
 * CON-26 in the machine's Chromium: what is loaded, how soon the home page can be used, how long a change of page and an event
 * take. `npm run bench:console`; 10,000 tickets and 1,000 runs stand in the store of a server of its own.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium, type Page } from 'playwright-core'
import * as z from 'zod'
import { findBrowser } from '../src/adapters/browser/index.ts'
import { openLedger } from '../src/adapters/store-sqlite/index.ts'
import { applyEvent, NO_RUNTIME, TicketEvent } from '../src/gates/dispatch/index.ts'
import { bundleConsole } from './build.ts'

const root = join(import.meta.dirname, '..')
const RUNS = 1_000
const TICKETS = 10_000
const TICKETS_AT_ONCE = 64
const TIMES = 9
const Ready = z.object({ address: z.string(), first_token: z.string() })
const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

const place = mkdtempSync(join(tmpdir(), 'portcullis-bench-console-'))
const browserPlace = findBrowser(undefined, process.env['PATH'] ?? '')
if (browserPlace === undefined) throw new Error('no Chromium along PATH: apt-get install chromium')
const built = join(root, 'dist/console')
const fault = existsSync(join(built, 'index.html')) ? undefined : bundleConsole(root, built)
if (fault !== undefined) throw new Error(fault)
cpSync(join(root, 'examples/slugify'), place, { recursive: true, filter: (source) => !source.includes('/.portcullis') })

const server = spawn(process.execPath, [join(root, 'bin/portcullis.js'), 'serve', '--port', '0', '--wire-port', '0', '--drain', '1s', '--admin-expires', '1d', '--json'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] })
const browser = await chromium.launch({ executablePath: browserPlace.program, chromiumSandbox: browserPlace.sandboxed, args: ['--disable-gpu'] })
try {
  const { address, first_token: tokenPath } = Ready.parse(JSON.parse(await firstLine()))
  const ledger = await openLedger(join(place, '.portcullis/ledger.db'))
  for (let number = 0; number < RUNS; number++) await ledger.begin({ kind: 'task', taskId: `task-${number}`, startedAt: new Date() })
  await addTickets(ledger)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(address)
  await page.getByLabel('Token').fill(readFileSync(join(place, '.portcullis/admin-token'), 'utf8').trim() || tokenPath)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await usable(page)
  const home = await repeated(() => homeMs(page, address))
  const [toRuns, toTickets] = [await repeated(() => changeMs(page, 'Runs', '.rows a')), await repeated(() => changeMs(page, 'Tickets', '[data-ticket]'))]
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  const event = await repeated(() => eventMs(page, ledger))
  await ledger.close()
  const script = gzipSync(readFileSync(join(built, firstScript()))).length
  console.log(`script of the first load, gzip   ${(script / 1024).toFixed(0)} KB   (at most 250)\nhome usable                      ${median(home).toFixed(0)} ms   (at most 1000)\nto the runs                      ${median(toRuns).toFixed(0)} ms   (at most 100)\nto the board of tickets          ${median(toTickets).toFixed(0)} ms   (at most 100)\nevent visible                    ${median(event).toFixed(0)} ms   (at most 300)\nmedians of ${TIMES}, ${TICKETS} tickets and ${RUNS} runs in the store, ${execFileSync(browserPlace.program, ['--version']).toString('utf8').trim()}`)
} finally {
  await browser.close()
  server.kill()
  rmSync(place, { recursive: true, force: true })
}

function firstLine(): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)))
    server.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')))
  })
}

async function repeated(measure: () => Promise<number>): Promise<number[]> {
  const found: number[] = []
  for (let time = 0; time < TIMES; time++) found.push(await measure())
  return found
}

function usable(page: Page): Promise<void> {
  return page.locator('.stages li').nth(8).waitFor()
}

async function homeMs(page: Page, address: string): Promise<number> {
  await page.goto('about:blank')
  const begun = performance.now()
  await page.goto(address)
  await usable(page)
  return performance.now() - begun
}

/** What the page loads by itself; the terminal comes when somebody opens it. */
function firstScript(): string {
  const [, path] = /<script[^>]* src="\/([^"]+)"/.exec(readFileSync(join(built, 'index.html'), 'utf8')) ?? []
  if (path === undefined) throw new Error('the console has no script')
  return path
}

/** From the click to the frame in which the first row stands, on the clock of the page: what a person sees, without the way to the driver. */
async function changeMs(page: Page, name: string, row: string): Promise<number> {
  await page.getByRole('link', { name: 'Gatehouse' }).click()
  await usable(page)
  const debug = await page.context().newCDPSession(page)
  const found = await debug.send('Runtime.evaluate', {
    expression: `new Promise((resolve) => {
      const link = [...document.querySelectorAll('nav a')].find((each) => each.textContent === ${JSON.stringify(name)})
      const begun = performance.now()
      const look = () => document.querySelector(${JSON.stringify(row)}) === null ? requestAnimationFrame(look) : resolve(performance.now() - begun)
      link.click()
      requestAnimationFrame(look)
    })`,
    awaitPromise: true, returnByValue: true,
  })
  await debug.detach()
  return z.number().parse(found.result.value)
}

/** Written side by side by the book of another process, so that a commit holds many. */
async function addTickets(ledger: Awaited<ReturnType<typeof openLedger>>): Promise<void> {
  const runId = (await ledger.begin({ kind: 'tickets', taskId: 'tickets', startedAt: new Date() })).runId
  const actor = { id: 'bench', kind: 'human', holder: 'local' } as const
  for (let first = 1; first <= TICKETS; first += TICKETS_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(TICKETS_AT_ONCE, TICKETS - first + 1) }, async (_, index) => {
      const number = first + index
      const at = new Date(Date.now() - number).toISOString()
      const event = TicketEvent.parse({
        ticket: `T-${number}`, sequence: 1, kind: 'created', at, actor, origin: 'observed', text: null, data: {},
        set: {
          number, title: `Ticket ${number} of the benchmark`, description: 'What has to be done, in a few words.', source: null, priority: 'medium', project: 'bench', kind: 'code', labels: [], requester: 'bench', owner: null, state: number % 3 === 0 ? 'triage' : 'todo', reason: null, resolution: null,
          runtime: NO_RUNTIME, epoch: 0, claim: null, triage: null, acceptance: [], phases: null, phase: 0, repositories: [], dispatch_failures: 0, review_rejections: 0, findings: [], retry_at: null, terminal: null, attachments: [], evidence: [], runs: [], created_at: at, state_since: at,
        },
      })
      await ledger.append({ runId, ticket: { event, ticket: applyEvent(undefined, event) } })
    }))
  }
}

/** From a row that is durable in the ledger to the row on the page. */
async function eventMs(page: Page, ledger: Awaited<ReturnType<typeof openLedger>>): Promise<number> {
  const run = await ledger.begin({ kind: 'task', taskId: `event-${Date.now()}`, startedAt: new Date() })
  await ledger.append({ runId: run.runId, events: [{ type: 'run_opened', at: new Date().toISOString(), data: {} }] })
  const begun = performance.now()
  await page.locator('.rows a').filter({ hasText: run.taskId }).waitFor()
  return performance.now() - begun
}
