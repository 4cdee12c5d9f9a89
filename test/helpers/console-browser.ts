import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import * as z from 'zod'
import { findBrowser } from '../../src/adapters/browser/index.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const Violations = z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), any: z.array(z.object({ message: z.string() })) })) }))

/** The machine's Chromium, or undefined. */
export async function openBrowser(): Promise<Browser | undefined> {
  const found = findBrowser(undefined, process.env['PATH'] ?? '')
  return found === undefined ? undefined : chromium.launch({ executablePath: found.program, chromiumSandbox: found.sandboxed, args: ['--disable-gpu', '--disable-dev-shm-usage'] })
}

export interface Watched {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained of: refused by its policy, thrown, or tried to ask of elsewhere. */
  readonly complaints: readonly string[]
}

export interface Looks {
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
}

/** A page of its own, signed in by the form as a person does it. */
export async function signedIn(browser: Browser, address: string, token: string, { width = 1440, scheme = 'light' }: Looks = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => void complaints.push(`thrown: ${error.message}`))
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Type/i.test(message.text())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && protocol !== 'blob:' && origin !== address) complaints.push(`asked ${origin}`)
  })
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(address)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('[data-connection=live]').waitFor()
  return { page, context, complaints }
}

/** Evaluates by the debugger, where the policy of the page has no say: it forbids `eval` to everybody in it. */
export async function evaluated(page: Page, expression: string): Promise<unknown> {
  const debug = await page.context().newCDPSession(page)
  const answer = z.object({ result: z.object({ value: z.unknown() }), exceptionDetails: z.unknown().optional() }).parse(await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }))
  await debug.detach()
  if (answer.exceptionDetails !== undefined) throw new Error(`the page threw: ${JSON.stringify(answer.exceptionDetails).slice(0, 500)}`)
  return answer.result.value
}

/** Waits until nothing of the page loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
}

/** Throws with what axe-core finds, if it finds anything. It must have looked at something. */
export async function accessible(page: Page, what: string): Promise<void> {
  await evaluated(page, `${AXE};0`)
  const { violations, passes } = z.object({ violations: Violations, passes: z.int() }).parse(await evaluated(page, 'axe.run(document, { resultTypes: ["violations"] }).then((found) => ({ violations: found.violations, passes: found.passes.length }))'))
  assert.ok(passes > 10, `${what}: axe looked at ${passes} rules`)
  assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.slice(0, 2).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`), [])
}

/** What makes the page wider than its window, if it is. */
export const overflows = async (page: Page): Promise<unknown> =>
  evaluated(page, `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth ? [] : ['the page', ...[...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > clientWidth).map((each) => each.tagName + '.' + each.className).slice(0, 8)])(document.documentElement)`)

/** One attribute of everything that a selector finds, in the order of the page. */
export const attributesOf = async (page: Page, selector: string, name: string): Promise<(string | null)[]> =>
  z.array(z.string().nullable()).parse(JSON.parse(String(await evaluated(page, `JSON.stringify([...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.getAttribute(${JSON.stringify(name)})))`))))

/** The same for what an expression makes of each, as text; the element is `each`. */
export const textsOf = async (page: Page, selector: string, expression: string): Promise<string[][]> =>
  z.array(z.array(z.string())).parse(JSON.parse(String(await evaluated(page, `JSON.stringify([...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => ${expression}))`))))
