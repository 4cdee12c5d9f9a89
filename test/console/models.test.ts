import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import * as z from 'zod'
import { CONFIGURATION, PROFILE, RECORD, type Scenario, scenario } from '../e2e/scenario.ts'
import { accessible, attributesOf, openBrowser, overflows, settled, signedIn } from '../helpers/console-browser.ts'
import { keptPicture } from '../helpers/console-pictures.ts'
import { servedApi, type ServedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const DAY_MS = 86_400_000
const STRICT = { agent: 'command', command: ['node', '-e', '0'], permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 1000, cost: 'USD 0' } }

/** Three aliases: one that passes over what does not answer, one that does not, and one whose pair nobody admitted. coder-9 is admitted, and no provider serves it. */
async function withAliases(context: TestContext): Promise<Scenario> {
  const made = await scenario(context)
  const record = z.looseObject({}).parse(JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8')))
  made.write('admissions/scripted--coder-9.json', JSON.stringify({ ...record, model: 'coder-9', served_model_ids: ['coder-9'], review_trigger: { expires_at: new Date(Date.now() + 3 * DAY_MS).toISOString() } }))
  for (const model of ['coder-9', 'coder-3']) made.set(CONFIGURATION, ['providers', 'scripted', 'prices', model], { input: 'USD 0', output: 'USD 0' })
  made.set(CONFIGURATION, ['aliases'], {
    'tool-use-capable': { candidates: ['scripted/coder-9', 'scripted/coder-1'], onUnhealthy: 'next-admitted' },
    'only-the-best': { candidates: ['scripted/coder-9', 'scripted/coder-1'] },
    'not-admitted': { candidates: ['scripted/coder-3', 'scripted/coder-1'], onUnhealthy: 'next-admitted' },
    forgotten: { candidates: ['scripted/coder-1'] },
  })
  made.set(CONFIGURATION, [...PROFILE, 'model'], 'tool-use-capable')
  made.set(CONFIGURATION, ['profiles', 'strict'], { ...STRICT, model: 'only-the-best' })
  made.set(CONFIGURATION, ['profiles', 'unadmitted'], { ...STRICT, model: 'not-admitted' })
  return made
}

const Profiles = z.object({ profiles: z.array(z.object({ profile: z.string(), probing: z.boolean(), history: z.array(z.object({ run_id: z.string(), found: z.string(), reason: z.string().nullable(), as_today: z.boolean() })) })) })

async function probed(api: ServedApi, count: number): Promise<z.infer<typeof Profiles>['profiles']> {
  for (const limit = performance.now() + 60_000; performance.now() < limit;) {
    const { profiles } = Profiles.parse((await api.ask('/profiles', { token: api.admin })).json())
    if (profiles.every(({ probing, history }) => !probing && history.length >= count)) return profiles
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the profiles were not probed')
}

const states = async (page: Page, alias: string): Promise<unknown> => [await attributesOf(page, `[data-alias="${alias}"]`, 'data-resolves'), await attributesOf(page, `[data-alias="${alias}"] [data-candidate]`, 'data-state')]

verifies('CON-08', 'each alias shows what it means now and why: who is passed over with the reason, who stops the run, who is in reserve; each profile its health and its last probes; records their end', async (context: TestContext) => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const made = await withAliases(context)
  // Each is asked when this test asks it, so that what is known when is no race.
  made.set(CONFIGURATION, ['health'], { onStart: false, every: '24h', maxAge: '26h' })
  const api = await servedApi(context, made.directory)
  const { page, complaints } = await signedIn(browser, api.address, api.admin)
  await probed(api, 1)
  const look = async (): Promise<void> => {
    await page.goto(`${api.address}/#/models`)
    await page.reload()
    await page.locator('[data-connection=live]').waitFor()
    await settled(page)
    await page.locator('[data-alias="tool-use-capable"]').first().waitFor()
  }
  await look()
  // The first candidate was asked and is not served; nobody has asked the second one yet.
  const usable = [['scripted/coder-1'], ['passed_over', 'asked_first']]
  assert.deepEqual(await states(page, 'tool-use-capable'), usable)
  await page.locator('[data-alias="tool-use-capable"]').getByText('for pi_scripted, ticket, baseline').waitFor()
  assert.deepEqual(await states(page, 'only-the-best'), [[''], ['stops', 'not_reached']])
  assert.deepEqual(await states(page, 'not-admitted'), [[''], ['stops', 'not_reached']])
  const over = page.locator('[data-alias="tool-use-capable"]').first().locator('[data-candidate="scripted/coder-9"]')
  assert.match(await over.innerText(), /passed over[\s\S]*scripted\/coder-9[\s\S]*(?:404|unknown|model)[\s\S]*asked/)
  assert.match(await page.locator('[data-alias="not-admitted"]').innerText(), /nothing[\s\S]*stops here[\s\S]*missing admission/)
  await page.getByText('No profile leads to forgotten.').waitFor()
  // A run goes the way that is shown, and what answered is known then.
  const ran = await made.portcullis(['run', 'task.yaml', '--json'])
  assert.equal(ran.code, 0, ran.stdout.slice(0, 500))
  const { model, run_id: run } = z.looseObject({ run_id: z.string(), model: z.looseObject({ admitted: z.string() }) }).parse(JSON.parse(ran.stdout))
  assert.match(model.admitted, /coder-1/)
  await page.locator('[data-alias="tool-use-capable"]').first().locator('[data-candidate="scripted/coder-1"][data-state=chosen]').waitFor()
  assert.equal(await page.locator('[data-alias="tool-use-capable"]').first().locator('[data-candidate="scripted/coder-1"] a').getAttribute('href'), `/#/runs/${run}`)
  // Each profile with its probes, the newest first, as the server tells them.
  assert.equal((await api.ask('/probes', { method: 'POST', token: api.admin, body: { profiles: 'all' } })).status, 200)
  const profiles = await probed(api, 2)
  await look()
  for (const { profile, history } of profiles) {
    const row = page.locator(`[data-profile="${profile}"]`)
    assert.equal(await row.getAttribute('data-health'), 'unhealthy')
    assert.deepEqual(await attributesOf(page, `[data-profile="${profile}"] [data-found]`, 'data-found'), history.map(({ found }) => found))
    assert.deepEqual(await attributesOf(page, `[data-profile="${profile}"] [data-found] a`, 'href'), history.map(({ run_id: id }) => `/#/runs/${id}`))
    assert.match(await row.innerText(), /unhealthy/)
  }
  await page.locator(`tr`).filter({ hasText: 'scripted--coder-9.json' }).getByText('soon').waitFor()
  await accessible(page, 'models')
  assert.deepEqual(await overflows(page), [])
  await keptPicture(page, 'aliases-light-1440')
  // Drained at night by a file: the page says by what, and what was probed before says nothing of it.
  made.write('aliases.json', JSON.stringify({ version: 1, reason: 'coder-9 is drained', aliases: { 'only-the-best': { candidates: ['scripted/coder-1'] } } }))
  await look()
  assert.deepEqual(await states(page, 'only-the-best'), [['scripted/coder-1'], ['chosen']])
  await page.locator('[data-alias="only-the-best"]').getByText('by aliases.json').waitFor()
  await page.locator('[data-profile="strict"][data-health=unknown]').waitFor()
  made.write('aliases.json', '{')
  await look()
  for (const alias of ['tool-use-capable', 'only-the-best', 'not-admitted']) assert.deepEqual((await attributesOf(page, `[data-alias="${alias}"]`, 'data-resolves')).filter((pair) => pair !== ''), [])
  await page.locator('[data-alias="only-the-best"]').getByText('alias override invalid').waitFor()
  assert.deepEqual(complaints, [])
})
