import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import * as z from 'zod'
import { evaluated, openBrowser, settled, signedIn } from '../helpers/console-browser.ts'
import { servedApi, type ServedApi } from '../helpers/served-api.ts'
import { type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

interface Open {
  readonly browser: Browser
  readonly made: Scenario
  readonly api: ServedApi
}

/** A browser and a server of its own for each test: these are about servers that end. */
const inConsole = (body: (open: Open, context: TestContext) => Promise<void>) => async (context: TestContext): Promise<void> => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const made = await scenario(context)
  return await body({ browser, made, api: await servedApi(context, made.directory) }, context)
}

const portOf = (api: ServedApi): string => new URL(api.address).port
const runs = (page: Page) => page.locator('.rows a')

verifies('CON-20 CON-31', 'a server that is killed and comes back: the page says since when it is stale, shows nothing new meanwhile, and catches up without a reload', inConsole(async ({ browser, made, api }, context) => {
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 0)
  const { page, complaints } = await signedIn(browser, api.address, api.admin)
  // Of tasks alone: the server itself probes its profiles, each in a run.
  await page.goto(`${api.address}/#/runs?kind=task`)
  await settled(page)
  assert.equal(await runs(page).count(), 1)
  await evaluated(page, 'window.neverReloaded = true')

  await api.end('SIGKILL')
  await page.locator('[role=alert]').filter({ hasText: /Stale[\s\S]*No connection since \d{4}-/ }).waitFor()
  await page.locator('[data-connection=stale]').waitFor()
  // What happens while nobody serves: the page must neither show it nor lose it.
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 0)
  assert.equal(await runs(page).count(), 1)
  assert.match(await runs(page).first().innerText(), /accepted/)

  const again = await servedApi(context, made.directory, { arguments: ['--port', portOf(api)] })
  assert.equal(portOf(again), portOf(api))
  await page.locator('[data-connection=live]').waitFor()
  await runs(page).nth(1).waitFor()
  assert.equal(await runs(page).count(), 2)
  assert.equal(await evaluated(page, 'window.neverReloaded === true'), true)
  assert.deepEqual(complaints, [])
}))

verifies('CON-20', 'a connection that is cut goes on behind the last event it saw, and what came meanwhile is shown', async (context) => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const made = await scenario(context)
  const line = await cuttable(context)
  const api = await servedApi(context, made.directory, { arguments: ['--allowed-host', new URL(line.address).host] })
  line.leadTo(Number(portOf(api)))
  const { page } = await signedIn(browser, line.address, api.admin)
  const behind: (string | undefined)[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/events') behind.push(request.headers()['last-event-id'])
  })
  await page.goto(`${line.address}/#/runs?kind=task`)
  await settled(page)
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 0)
  await runs(page).filter({ hasText: 'accepted' }).waitFor()
  line.cut()
  await page.locator('[data-connection=stale]').waitFor()
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 0)
  assert.equal(await runs(page).count(), 1)
  line.mend()
  await page.locator('[data-connection=live]').waitFor()
  await runs(page).nth(1).filter({ hasText: 'accepted' }).waitFor()
  assert.match(behind.at(-1) ?? '', /^[1-9]\d*$/)
  const time = page.locator('.rows time').first()
  assert.match((await time.getAttribute('title')) ?? '', /^\d{4}-\d\d-\d\dT/)
})

/** A line to a server that can be cut and mended, as a network does it. */
async function cuttable(context: TestContext): Promise<{ readonly address: string; leadTo(port: number): void; cut(): void; mend(): void }> {
  const sockets = new Set<Socket>()
  let [target, whole] = [0, true]
  const server = createServer((from) => {
    const to = whole ? connect(target, '127.0.0.1') : undefined
    if (to === undefined) return void from.destroy()
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
    }
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    whole = false
    for (const socket of sockets) socket.destroy()
  }
  context.after(() => {
    cut()
    server.close()
  })
  const { port } = z.object({ port: z.int() }).parse(server.address())
  return { address: `http://127.0.0.1:${port}`, leadTo: (to) => void (target = to), cut, mend: () => void (whole = true) }
}

verifies('CON-24', 'everything goes by keyboard: pages, rows, search, the list of keys; focus is seen', inConsole(async ({ browser, made, api }) => {
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 0)
  const { page } = await signedIn(browser, api.address, api.admin)
  await settled(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.waitForURL('**/#/runs')
  await settled(page)
  await page.keyboard.press('j')
  const outline = await evaluated(page, 'getComputedStyle(document.activeElement).outlineStyle + " " + document.activeElement.matches("[data-row]")')
  assert.equal(outline, 'solid true')
  await page.keyboard.press('Enter')
  await page.waitForURL(/#\/runs\/2/)
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.keyboard.press('/')
  await page.keyboard.type('nothing of this name')
  await page.getByText('No run fits these filters.').waitFor()
  await page.waitForURL(/text=/)
}))

test('an empty store says what to do first on each page, and a wrong token what was found', inConsole(async ({ browser, api }) => {
  const { page } = await signedIn(browser, api.address, api.admin)
  await page.getByText('Nothing waits for you.').waitFor()
  await page.goto(`${api.address}/#/runs`)
  await page.getByText('npx portcullis run task.yaml').waitFor()
  await page.goto(`${api.address}/#/verify`)
  await page.getByText('Nothing to check yet.').waitFor()
  await page.goto(`${api.address}/#/runs/20260101T000000Z-none-1`)
  await page.locator('.refusal').filter({ hasText: 'no such run in this ledger' }).waitFor()
  await page.goto(`${api.address}/#/nowhere`)
  await page.getByText('There is no such page.').waitFor()
  const other = await (await browser.newContext()).newPage()
  await other.goto(api.address)
  await other.getByLabel('Token').fill('nonsense')
  await other.getByRole('button', { name: 'Sign in' }).click()
  await other.locator('.refusal').filter({ hasText: 'no token or session that is in force' }).waitFor()
}))

test('the page comes with a policy that lets no inline script, no style of elsewhere and no frame through', inConsole(async ({ api }) => {
  const { status, headers, text } = await api.ask('/')
  assert.equal(status, 200)
  const policy = String(headers['content-security-policy'])
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(part), part)
  assert.doesNotMatch(policy, /unsafe|\*/)
  assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)|<style|\son\w+=/i)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  for (const path of ['/assets/..%2findex.html', '/assets/../index.html', '/assets/%2e%2e/%2e%2e/cli/main.js', '/assets/nothing.js', '/index.html', '/assets/', '/assets/.env']) assert.equal((await api.ask(path)).status, 404, path)
  assert.equal((await api.ask('/', { headers: { host: 'portcullis.example' } })).status >= 400, true)
  assert.equal((await api.ask('/', { method: 'POST', body: {} })).status, 404)
}))
