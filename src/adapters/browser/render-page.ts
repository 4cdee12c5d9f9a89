import { randomBytes } from 'node:crypto'
import { type Browser, type BrowserContext, type BrowserServer, chromium, errors, type Page } from 'playwright-core'
import type { RenderHashProbe } from '../../gates/catalog/index.ts'
import { Descendants, MARKER_NAME } from '../process/index.ts'
import type { BrowserPlace } from './find-browser.ts'

export interface RenderRequest {
  readonly browser: BrowserPlace
  /** Exactly what the browser sees; it has no other variable. */
  readonly environment: Readonly<Record<string, string>>
  readonly url: string
  /** Whether the page may ask for this address. Everything else is refused, and counted. */
  readonly allows: (url: string) => boolean
  readonly viewport: RenderHashProbe['viewport']
  readonly waitFor: RenderHashProbe['waitFor']
  readonly withinMs: number
  /** Aborted: the browser is ended at once, with all its processes. */
  readonly signal: AbortSignal
}

export type Rendered =
  | { readonly ok: true; readonly image: Buffer; readonly version: string; readonly pageErrors: number; readonly blocked: number }
  /** `browser`: it could not look. `page`: it looked, and the page did not come to be ready. */
  | { readonly ok: false; readonly at: 'browser' | 'page'; readonly why: string; readonly version: string | undefined; readonly pageErrors: number; readonly blocked: number }

/** The same picture on every machine and day, as far as a browser can be told: no names but this machine's, one clock, one scale, no animation. */
const ARGUMENTS = ['--force-color-profile=srgb', '--font-render-hinting=none', '--disable-lcd-text', '--hide-scrollbars', '--mute-audio', '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1']
const PAGE_CLOCK = new Date('2020-01-01T12:00:00Z')
const START_LIMIT_MS = 30_000

/** Renders one page in a browser of its own, which is gone with everything it started when this resolves. Never rejects for what a page does. */
export async function renderPage(request: RenderRequest): Promise<Rendered> {
  const marker = randomBytes(16).toString('hex')
  // By its marker alone: the browser's pid is not known before it has started, and it must be ended also while it starts.
  const family = new Descendants(undefined, marker)
  const onAbort = (): void => void family.kill().catch(() => undefined) // The call at the end reports it.
  request.signal.addEventListener('abort', onAbort)
  const seen: Seen = { version: undefined, pageErrors: 0, blocked: 0 }
  try {
    if (request.signal.aborted) return { ok: false, at: 'browser', why: 'ended before it was started', ...seen }
    return await inBrowser(request, marker, family, seen)
  } finally {
    request.signal.removeEventListener('abort', onAbort)
    await family.kill()
  }
}

interface Seen {
  version: string | undefined
  pageErrors: number
  blocked: number
}

async function inBrowser(request: RenderRequest, marker: string, family: Descendants, seen: Seen): Promise<Rendered> {
  const started = await startBrowser(request, marker)
  if ('why' in started) return { ok: false, at: 'browser', why: started.why, ...seen }
  // Once seen, its processes stay known, also those that leave their parent.
  family.alive()
  const { server, browser } = started
  seen.version = browser.version()
  try {
    const image = await photograph(browser, request, seen)
    family.alive()
    return 'why' in image ? { ok: false, at: 'page', why: image.why, ...seen } : { ok: true, image: image.bytes, version: browser.version(), pageErrors: seen.pageErrors, blocked: seen.blocked }
  } finally {
    await server.close().catch(() => undefined) // What it does not end is killed by its marker.
  }
}

async function startBrowser({ browser: { program, sandboxed }, environment }: RenderRequest, marker: string): Promise<{ readonly server: BrowserServer; readonly browser: Browser } | { readonly why: string }> {
  try {
    const server = await chromium.launchServer({
      executablePath: program, chromiumSandbox: sandboxed, headless: true, timeout: START_LIMIT_MS, args: ARGUMENTS, env: { ...environment, [MARKER_NAME]: marker },
      // Signals are ours to handle: the run ends in order, and its browser with it.
      handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
    })
    return { server, browser: await chromium.connect(server.wsEndpoint()) }
  } catch (error) {
    return { why: wordsOf(error) }
  }
}

async function photograph(browser: Browser, { url, allows, viewport, waitFor, withinMs }: RenderRequest, seen: Seen): Promise<{ readonly bytes: Buffer } | { readonly why: string }> {
  const until = performance.now() + withinMs
  let late = 'it did not load'
  const leftMs = (): number => Math.max(1, until - performance.now())
  try {
    const context = await browser.newContext({ viewport, deviceScaleFactor: 1, locale: 'en-US', timezoneId: 'UTC', colorScheme: 'light', reducedMotion: 'reduce', serviceWorkers: 'block', acceptDownloads: false })
    await fence(context, allows, seen)
    const page = await context.newPage()
    page.on('pageerror', () => (seen.pageErrors += 1))
    page.on('dialog', (dialog) => void dialog.dismiss().catch(() => undefined)) // One that is gone already is dismissed.
    await page.clock.setFixedTime(PAGE_CLOCK)
    const response = await page.goto(url, { waitUntil: 'load', timeout: leftMs() })
    if (response !== null && response.status() >= 400) return { why: `it answered ${response.status()}` }
    late = notSeen(waitFor)
    await waited(page, waitFor, leftMs())
    late = 'it could not be photographed'
    await page.evaluate('document.fonts.ready.then(() => undefined)')
    return { bytes: await page.screenshot({ type: 'png', animations: 'disabled', caret: 'hide', scale: 'css', timeout: leftMs() }) }
  } catch (error) {
    return { why: error instanceof errors.TimeoutError ? late : wordsOf(error) }
  }
}

const notSeen = (waitFor: RenderRequest['waitFor']): string => (waitFor === 'load' ? 'it did not load' : 'selector' in waitFor ? `no element ${waitFor.selector} is visible` : `the text ${JSON.stringify(waitFor.text)} is not visible`)

/** A page that reaches the world could show what no approval was given for, or tell the world what it was given. */
async function fence(context: BrowserContext, allows: (url: string) => boolean, seen: Seen): Promise<void> {
  await context.route('**/*', async (route) => {
    if (allows(route.request().url())) return await route.continue()
    seen.blocked += 1
    return await route.abort('blockedbyclient')
  })
  await context.routeWebSocket(() => true, (socket) => {
    if (allows(socket.url().replace(/^ws/, 'http'))) return void socket.connectToServer()
    seen.blocked += 1
    return void socket.close().catch(() => undefined) // A socket that is closed already is what we want.
  })
}

async function waited(page: Page, waitFor: RenderRequest['waitFor'], timeoutMs: number): Promise<void> {
  if (waitFor === 'load') return
  const place = 'selector' in waitFor ? page.locator(waitFor.selector) : page.getByText(waitFor.text)
  await place.first().waitFor({ state: 'visible', timeout: timeoutMs })
}

/** The first line of what the browser's driver says, without the call that it was said of and without addresses. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error
  const line = text.split('\n')[0] ?? ''
  if (line.includes('ERR_HTTP_RESPONSE_CODE_FAILURE')) return 'it answered with a failure, and no page'
  return line.replace(/^[a-zA-Z]+\.[a-zA-Z]+: /, '').replace(/ at (?:file|https?):\S+/, '').slice(0, 200) || 'an unknown failure'
}
