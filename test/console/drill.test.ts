import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type * as z from 'zod'
import { DrillView } from '../../src/app/check-desk.ts'
import { scenario } from '../e2e/scenario.ts'
import { accessible, attributesOf, openBrowser, overflows, settled, signedIn } from '../helpers/console-browser.ts'
import { keptPicture } from '../helpers/console-pictures.ts'
import { servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const FILE = '.portcullis/last-drill.json'
const DRILL_MS = 150_000
const ORDER = ['open', 'not-proven', 'closed', 'not-applicable']

verifies('CON-09', 'the drill is run from the page, shown while it goes on and when it has ended, open ways in first; its last result outlives a reload, and a changed one is told as such and shows nothing', async (context: TestContext) => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const made = await scenario(context)
  const api = await servedApi(context, made.directory)
  const { page, complaints } = await signedIn(browser, api.address, api.admin)
  const drill = page.getByRole('region', { name: 'Drill' })
  await page.goto(`${api.address}/#/checks`)
  await settled(page)
  await page.getByText('No drill has run here yet.').waitFor()
  await drill.getByRole('button', { name: 'Run the drill' }).click()
  await drill.getByRole('status').filter({ hasText: /goes on \d+ tried, 0 open; began .*, by first/ }).waitFor()
  assert.equal(await drill.getByRole('button').isDisabled(), true, 'one at a time')
  await drill.locator('.verdict').waitFor({ timeout: DRILL_MS })
  const shown = async (): Promise<z.infer<typeof DrillView>> => DrillView.parse((await api.ask('/drill', { token: api.admin })).json())
  const { last, running, tampered } = await shown()
  assert.deepEqual([running, tampered, last?.answer.open, last?.asked_by], [null, null, 0, 'first'])
  const lines = last?.answer.profiles.flatMap((profile) => profile.lines) ?? []
  assert.ok((last?.answer.closed ?? 0) > 10, `${last?.answer.closed} ways in were closed`)
  assert.deepEqual(await attributesOf(page, '[data-way]', 'data-way'), lines.map(({ verdict }) => verdict).toSorted((one, other) => ORDER.indexOf(one) - ORDER.indexOf(other)))
  // On a machine that is too busy a way in may stay unproven, and is shown as that.
  assert.match(await drill.locator('.verdict').innerText(), new RegExp(`${last?.answer.exit_code === 0 ? 'none open' : 'not proven'}[\\s\\S]*${last?.answer.closed} closed, ${last?.answer.not_proven} not proven`))
  await drill.getByText('an honest run is accepted').waitFor()
  await accessible(page, 'drill')
  assert.deepEqual(await overflows(page), [])
  await keptPicture(page, 'drill-light-1440')
  // An open way in, as the server would tell of it, stands before those that are closed.
  await page.route('**/drill', async (route) => {
    const told = await shown()
    const first = told.last?.answer.profiles[0]
    if (told.last === null || first === undefined) return route.abort()
    const opened = first.lines.map((line, index) => (index === first.lines.length - 1 ? { ...line, verdict: 'open', because: ['the run was accepted'] } : line))
    return route.fulfill({ json: { ...told, last: { ...told.last, answer: { ...told.last.answer, open: 1, exit_code: 4, profiles: [{ ...first, lines: opened }] } } } })
  })
  await page.reload()
  await drill.locator('[data-way=open]').waitFor()
  assert.equal((await attributesOf(page, '[data-way]', 'data-way'))[0], 'open')
  assert.match(await drill.locator('[data-way=open]').innerText(), /OPEN[\s\S]*the run was accepted[\s\S]*tried[\s\S]*expected/)
  assert.equal(await drill.locator('.verdict').getAttribute('data-holds'), 'false')
  await page.unroute('**/drill')
  // Whoever can write to the file cannot make it say something else.
  const path = join(made.directory, FILE)
  const whole = readFileSync(path, 'utf8')
  for (const [what, write] of [
    ['another end', () => made.write(FILE, whole.replace(/"ended_at": "\d{4}/, '"ended_at": "2099'))],
    ['torn', () => made.write(FILE, whole.slice(0, -40))],
    ['gone', () => rmSync(path)],
  ] as const) {
    write()
    await page.reload()
    await drill.locator('.refusal').filter({ hasText: 'The last result was changed' }).filter({ hasText: 'the ledger names' }).waitFor()
    assert.equal(await page.locator('[data-way]').count(), 0, what)
  }
  made.write(FILE, whole)
  await page.reload()
  await drill.locator('[data-way]').first().waitFor()
  assert.deepEqual(complaints, [])
})
