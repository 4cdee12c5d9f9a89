import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import * as z from 'zod'
import { sha256 } from '../../src/contract/canonical.ts'
import { accessible, evaluated, openBrowser, overflows, settled, signedIn } from '../helpers/console-browser.ts'
import { keptPicture } from '../helpers/console-pictures.ts'
import { probesExample } from '../helpers/example-probes.ts'
import { servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const PROBE = 'price-list-page'
const Pictures = z.object({ pictures: z.array(z.looseObject({ probe: z.string(), image: z.object({ sha256: z.string() }).nullable(), in_force: z.object({ sha256: z.string(), approved_by: z.string(), reason: z.string() }).nullable() })) })

const Images = z.array(z.tuple([z.string(), z.int(), z.boolean()]))
const LOAD_MS = 30_000

/** The width of each picture of the page, by its form, once all have come: one that cannot be shown has none. */
async function widths(page: Page): Promise<readonly (readonly [string, number])[]> {
  for (const limit = performance.now() + LOAD_MS; performance.now() < limit;) {
    const images = Images.parse(JSON.parse(String(await evaluated(page, "JSON.stringify([...document.querySelectorAll('figure img')].map((each) => [each.closest('figure').dataset.form, each.naturalWidth, each.complete]))"))))
    if (images.every(([, , complete]) => complete)) return images.map(([form, width]) => [form, width])
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the pictures did not come')
}

verifies('CON-05 CON-23', 'a run shows what a page looked like as three pictures beside chain, calls, comparison and files; a person approves the one that is seen, with a reason and a name', async (context: TestContext) => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const example = await probesExample(context)
  const { report: { run_id: first } } = await example.run('price-list', 'good')
  const api = await servedApi(context, example.directory)
  const { page, complaints } = await signedIn(browser, api.address, api.admin)
  const open = async (path: string): Promise<void> => {
    await page.goto(`${api.address}/#${path}`)
    await settled(page)
  }
  const picturesOf = async (run: string) => Pictures.parse((await api.ask(`/runs/${run}/pictures`, { token: api.admin })).json()).pictures
  const look = page.locator(`[data-picture="${PROBE}"]`)

  // Nobody has approved it: the picture is shown alone, and approved by its digest.
  await open(`/runs/${first}`)
  await look.getByText('No picture was approved when this was judged.').waitFor()
  assert.deepEqual(await widths(page), [['now', 480]])
  await look.getByText('needs approval').waitFor()
  const [before] = await picturesOf(first)
  assert.deepEqual([before?.probe, before?.in_force], [PROBE, null])
  const shown = before?.image?.sha256 ?? ''
  const reader = await api.token('reader')
  assert.equal((await api.ask(`/runs/${first}/pictures/${PROBE}/approval`, { method: 'POST', token: reader.token, body: { sha256: shown, reason: 'so' } })).status, 403)
  assert.equal((await api.ask(`/runs/${first}/pictures/${PROBE}/approval`, { method: 'POST', token: api.admin, body: { sha256: shown } })).status, 422, 'no approval without a reason')
  assert.equal((await api.ask(`/runs/${first}/pictures/${PROBE}/approval`, { method: 'POST', token: api.admin, body: { sha256: sha256('another'), reason: 'so' } })).status, 400, 'no approval of another picture')
  assert.equal((await picturesOf(first))[0]?.in_force, null, 'nothing was approved by that')
  await look.getByRole('button', { name: 'Approve' }).click()
  const dialog = page.getByRole('dialog', { name: `Approve picture ${shown.slice(0, 12)} of ${PROBE}` })
  assert.match(await dialog.innerText(), /Every later run must look like it to pass\. This run stays as it was judged/)
  assert.equal(await dialog.getByRole('button', { name: 'Approve' }).isDisabled(), true)
  await dialog.getByLabel('Reason').fill('as the design of November')
  await dialog.getByRole('button', { name: 'Approve' }).click()
  await look.getByText('this picture is approved').waitFor()
  assert.deepEqual((await picturesOf(first))[0]?.in_force, { ...(await picturesOf(first))[0]?.in_force, sha256: shown, approved_by: 'first', reason: 'as the design of November' })
  await look.getByText('by first').filter({ hasText: 'as the design of November' }).waitFor()
  assert.deepEqual(await widths(page), [['approved', 480], ['now', 480]])

  // What was approved counts for the runs that follow, and the one that looks otherwise shows where.
  const bad = await example.run('price-list', 'bad')
  assert.equal(bad.report.reason, 'probe_failed')
  await open(`/runs/${bad.report.run_id}`)
  await look.locator('[data-form=difference] img').waitFor()
  assert.deepEqual(await widths(page), [['approved', 480], ['now', 480], ['difference', 480]])
  assert.match(await look.locator('[data-form=difference]').innerText(), /[\d.]+ % of the pixels \(at most 0\.1 %\), distance [\d.]+ % \(at most 2 %\)/)
  assert.equal(await page.locator('.timeline li').count() > 5, true)
  assert.match(await page.locator('.calls tbody tr').first().innerText(), /answered[\s\S]*coder-1[\s\S]*coder-1[\s\S]*→[\s\S]*\$0\.0000/)
  assert.match(await page.locator('.comparison [data-better]').filter({ hasText: PROBE }).innerText(), /failed[\s\S]*failed[\s\S]*no/)
  assert.equal(await page.locator('.files a').count(), 5)
  await accessible(page, 'pictures')
  assert.deepEqual(await overflows(page), [])
  await keptPicture(page, 'pictures-light-1440', look)
  // Another file in the place of a picture is never shown, and never approved.
  writeFileSync(join(bad.runDirectory, `backend/probe-${PROBE}-result.png`), 'no picture of this run')
  await page.reload()
  await open(`/runs/${bad.report.run_id}`)
  await look.locator('[data-form=now] .refusal').filter({ hasText: 'another file in its place' }).waitFor()
  await look.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('looks fine')
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('dialog').locator('.refusal').filter({ hasText: 'does not verify' }).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click()
  assert.equal((await picturesOf(first))[0]?.in_force?.sha256, shown)
  // Both stand in the ledger, with what came of them.
  await open('/access')
  const acts = page.getByRole('region', { name: 'What people did' }).locator('tbody tr').filter({ hasText: 'approve render' })
  await acts.nth(2).waitFor()
  const told = await acts.allInnerTexts()
  assert.equal(told.length, 3)
  assert.match(told[0] ?? '', /first[\s\S]*looks fine[\s\S]*failed[\s\S]*store tampered/)
  assert.match(told[1] ?? '', /first[\s\S]*as the design of November[\s\S]*done/)
  assert.match(told[2] ?? '', /first[\s\S]*so[\s\S]*refused[\s\S]*usage/)
  assert.deepEqual(complaints, [])
})
