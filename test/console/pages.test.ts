import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { Browser } from 'playwright-core'
import { accessible, openBrowser, overflows, settled, signedIn, type Watched } from '../helpers/console-browser.ts'
import { keptPicture } from '../helpers/console-pictures.ts'
import { servedApi, type ServedApi } from '../helpers/served-api.ts'
import { CONFIGURATION, RECORD, type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const cleanUp: (() => unknown)[] = []
const holder = { after: (act: () => unknown): void => void cleanUp.push(act) } as unknown as TestContext
let browser: Browser | undefined
let made: Scenario
let api: ServedApi
let accepted = ''

/** Fills a store as work does: one run that is accepted, one that is blocked before its agent starts, one that fails. */
before(async () => {
  browser = await openBrowser()
  if (browser === undefined) return
  made = await scenario(holder)
  assert.equal((await made.portcullis(['run', 'task.yaml', '--json'])).code, 0)
  made.set(CONFIGURATION, ['profiles', 'unapproved'], { agent: 'command', command: ['node', '-e', '0'], model: 'scripted/coder-9', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 1000, cost: 'USD 0' } })
  made.set(CONFIGURATION, ['providers', 'scripted', 'prices', 'coder-9'], { input: 'USD 0', output: 'USD 0' })
  assert.equal((await made.portcullis(['run', 'task.yaml', '--profile', 'unapproved'])).code, 3)
  api = await servedApi(holder, made.directory)
  const { runs } = JSON.parse((await api.ask('/runs', { token: api.admin })).text) as { runs: { runId: string; state: string }[] }
  accepted = runs.find(({ state }) => state === 'accepted')?.runId ?? ''
  assert.notEqual(accepted, '')
}, { timeout: 170_000 })
after(async () => {
  await browser?.close()
  for (const act of cleanUp.reverse()) await act()
})

/** Skips by name where no browser is installed; fails if the page complained of anything. */
const inConsole = (body: (watched: Watched, open: Browser) => Promise<void>, looks: Parameters<typeof signedIn>[3] = {}) => async (context: TestContext): Promise<void> => {
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  const watched = await signedIn(browser, api.address, api.admin, looks)
  try {
    await body(watched, browser)
    assert.deepEqual(watched.complaints, [])
  } finally {
    await watched.context.close()
  }
}

const PAGES = (): readonly (readonly [string, string])[] => [['gatehouse', '/'], ['runs', '/runs'], ['run', `/runs/${accepted}`], ['models', '/models'], ['verify', `/verify?run=${accepted}`], ['access', '/access']]

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    verifies('CON-24', `every page is accessible and fits in ${scheme} at ${width} px`, inConsole(async ({ page }) => {
      for (const [name, path] of PAGES()) {
        await page.goto(`${api.address}/#${path}`)
        await settled(page)
        await page.locator('main h1').first().waitFor({ state: 'attached' })
        if (name === 'verify') await page.locator('[data-holds]').waitFor()
        // Each palette and each width once: what axe finds hangs on one of them.
        if ((scheme === 'light') === (width === 1440)) await accessible(page, `${name} ${scheme} ${width}`)
        assert.deepEqual(await overflows(page), [], `${name} is wider than ${width} px`)
        await keptPicture(page, `${name}-${scheme}-${width}`)
      }
    }, { scheme, width }))
  }
}

test('the gatehouse counts what each gate decided, and says what is blocked, why and what to do', inConsole(async ({ page }) => {
  await settled(page)
  const stages = await page.locator('.stages li').allInnerTexts()
  assert.equal(stages.length, 9)
  assert.match(stages[1] ?? '', /admission[\s\S]*passed[\s\S]*[12] blocked/, 'the run, and the probe of the server where it was made already')
  assert.match(stages[8] ?? '', /report[\s\S]*2 passed/)
  assert.match(stages[4] ?? '', /readiness[\s\S]*1 passed/)
  const need = page.locator('.needs li').filter({ hasText: 'blocked' }).filter({ hasText: 'r1-string-slugify' })
  await need.getByText(/none for this pair|coder-1/).first().waitFor()
  assert.match(await need.innerText(), /missing admission/)
  assert.match(await need.innerText(), /do /)
  await need.getByRole('link', { name: /See why/ }).click()
  await page.locator('.refusal').waitFor()
}))

verifies('CON-05 CON-22', 'a run shows its chain, its calls with what was asked and served, its proof with what the probes printed, the comparison with the baseline, its patch and its files; a refusal says asked, found, do', inConsole(async ({ page }) => {
  await page.goto(`${api.address}/#/runs/${accepted}`)
  await settled(page)
  assert.deepEqual((await page.locator('.timeline .stage').allInnerTexts()).length, 9)
  await page.locator('.facts').filter({ hasText: /model served\s*coder-1/ }).waitFor()
  assert.match(await page.locator('.calls tbody tr').first().innerText(), /answered[\s\S]*coder-1[\s\S]*coder-1/)
  assert.match(await page.locator('.items').innerText(), /All tests of the repository pass[\s\S]*untouched[\s\S]*failed, as it must[\s\S]*result[\s\S]*passed/)
  const printed = page.locator('.output').filter({ hasText: 'what it printed' }).last()
  await printed.locator('summary').click()
  assert.match(await printed.locator('pre').first().innerText(), /pass [1-9]/)
  assert.match(await page.locator('.comparison [data-better]').first().innerText(), /failed\s+failed\s+–\s+passed\s+yes/)
  assert.ok((await page.locator('.diff .add').count()) > 0)
  assert.equal(await page.locator('.files a').count(), 5)
  await page.goto(`${api.address}/#/runs?state=blocked`)
  await settled(page)
  await page.locator('.rows a').first().click()
  const refusal = page.locator('.refusal')
  await refusal.waitFor()
  assert.deepEqual(await refusal.locator('dt').allInnerTexts(), ['asked', 'found', 'do'])
  for (const text of await refusal.locator('dd').allInnerTexts()) assert.ok(text.length > 5, text)
}))

verifies('CON-06', 'the browser verifies a run, and shows which line of a changed bundle is wrong', inConsole(async ({ page }) => {
  await page.goto(`${api.address}/#/verify?run=${accepted}`)
  await page.locator('[data-holds=true]').waitFor()
  const bundle = readFileSync(join(made.directory, '.portcullis/runs', accepted, 'run.intoto.jsonl'), 'utf8')
  const lines = bundle.split('\n')
  const line = JSON.parse(lines[5] ?? '') as { payload: string }
  const changed = { ...line, payload: Buffer.from(Buffer.from(line.payload, 'base64').toString('utf8').replace(/"outcome\\":\\"pass|T\d\d:/, (found) => (found.startsWith('T') ? 'T99:' : found.replace('pass', 'fail')))).toString('base64') }
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['unchanged', bundle, /It holds/],
    ['a changed line', lines.with(5, JSON.stringify(changed)).join('\n'), /6\s*wrong[\s\S]*signature_invalid/],
    ['a removed line', lines.toSpliced(5, 1).join('\n'), /tail_truncated[\s\S]*rows_swapped/],
    ['two lines swapped', lines.with(4, lines[5] ?? '').with(5, lines[4] ?? '').join('\n'), /rows_swapped/],
    ['a torn end', bundle.slice(0, -40), /tail_truncated/],
    ['an empty file', '', /bundle_malformed/],
    ['something else', 'no bundle\n', /row_changed/],
  ]
  for (const [what, text, expected] of cases) {
    await page.goto(`${api.address}/#/verify`)
    await page.locator('input[type=file]').setInputFiles({ name: `${what}.jsonl`, mimeType: 'application/json', buffer: Buffer.from(text) })
    await page.locator('main').filter({ hasText: expected }).waitFor()
    assert.equal(await page.locator('.verdict').getAttribute('data-holds'), String(what === 'unchanged'), what)
    await page.reload()
    await page.locator('[data-connection=live]').waitFor()
  }
}))

test('a bundle is believed only by the key that is given', inConsole(async ({ page }) => {
  await page.goto(`${api.address}/#/verify?run=${accepted}`)
  await page.locator('[data-holds=true]').waitFor()
  const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const pem = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(await crypto.subtle.exportKey('spki', publicKey)).toString('base64')}\n-----END PUBLIC KEY-----`
  await page.getByText('Believe another key').click()
  await page.locator('textarea').fill(pem)
  await page.locator('[data-holds=false]').waitFor()
  await page.getByText('wrong_key').first().waitFor()
}))

test('the matrix says what each profile means for each purpose, and why not; records say when they end', inConsole(async ({ page }) => {
  await page.goto(`${api.address}/#/models`)
  await settled(page)
  assert.match(await page.locator('tr').filter({ hasText: 'pi_scripted' }).innerText(), /scripted\/coder-1[\s\S]*admitted[\s\S]*not meant for it/)
  assert.match(await page.locator('tr').filter({ hasText: 'unapproved' }).innerText(), /missing admission/)
  await page.getByText(/refused: why/).click()
  await page.locator('.refusal').filter({ hasText: 'unapproved for ticket' }).waitFor()
  assert.match(await page.locator('tr').filter({ hasText: RECORD }).innerText(), /later/)
}))

verifies('CON-10', 'tokens are shown by kind and last use, and revoked after a second yes that names holder and consequence; the ledger shows each decision', inConsole(async ({ page }) => {
  const { token } = await api.token('reader')
  assert.equal((await api.ask('/runs', { token })).status, 200)
  await page.goto(`${api.address}/#/access`)
  await settled(page)
  const row = page.locator('tr').filter({ hasText: 'reader' }).first()
  await row.getByRole('button', { name: 'Revoke' }).click()
  const dialog = page.getByRole('dialog')
  assert.match(await dialog.innerText(), /Revoke the token of reader[\s\S]*opens nothing from the next request/)
  assert.equal((await api.ask('/runs', { token })).status, 200)
  await dialog.getByLabel('Reason').fill('its holder has left')
  await dialog.getByRole('button', { name: 'Revoke' }).click()
  await row.getByText('revoked').waitFor()
  assert.equal((await api.ask('/runs', { token })).status, 401)
  await page.reload()
  await page.locator('tr').filter({ hasText: 'POST /tokens/{token}/revoke' }).first().waitFor()
  await page.locator('tr').filter({ hasText: 'token revoked' }).first().waitFor()
}))

test('who may not see the tokens is told so, with what to do', async (context) => {
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  const reader = await api.token('reader')
  const { page, context: window } = await signedIn(browser, api.address, reader.token)
  await page.goto(`${api.address}/#/access`)
  await page.locator('.refusal').filter({ hasText: 'Not open to your token' }).first().waitFor()
  await window.close()
})
