import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION, scenario } from '../e2e/scenario.ts'
import { accessible, evaluated, openBrowser, overflows, settled, signedIn } from '../helpers/console-browser.ts'
import { DRAFT, SAYING, SESSIONS } from '../helpers/joined-sessions.ts'
import { servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const MODULES = join(import.meta.dirname, '../../node_modules/.bin')
const Made = z.object({ ticket: z.object({ id: z.string() }) })
const Events = z.object({ events: z.array(z.object({ kind: z.string(), text: z.string().nullable(), actor: z.object({ id: z.string(), kind: z.string() }) })) })
const Session = z.looseObject({ queue: z.array(z.looseObject({ text: z.string() })), attached: z.boolean() })

verifies('CON-04 CON-23', 'a session inside a ticket: started with a profile that somebody chose, spoken to, its queue edited, interrupted with a reason; its terminal is shown, harmless, and never read', async (context: TestContext) => {
  const browser = await openBrowser()
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  context.after(() => browser.close())
  const made = await scenario(context, { script: SAYING, pi: true })
  made.write(CONFIGURATION, `${readFileSync(join(made.directory, CONFIGURATION), 'utf8')}\n${SESSIONS}`)
  const api = await servedApi(context, made.directory, { environment: { PATH: `${MODULES}:${process.env['PATH'] ?? ''}` } })
  const post = (path: string, body: unknown) => api.ask(path, { method: 'POST', token: api.admin, body })
  const { id } = Made.parse((await post('/tickets', DRAFT)).json()).ticket
  await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  const session = async () => Session.parse((await api.ask(`/tickets/${id}/session`, { token: api.admin })).json())

  const { page, complaints } = await signedIn(browser, api.address, api.admin)
  await page.goto(`${api.address}/#/tickets/${id}`)
  await page.getByText('No session was ever opened.').waitFor()
  await page.getByRole('button', { name: 'Start session' }).click()
  const dialog = page.getByRole('dialog')
  assert.equal(await dialog.getByRole('button', { name: 'Start' }).isDisabled(), true, 'no profile is taken by itself')
  await dialog.getByLabel('Profile').selectOption('pi_scripted')
  await dialog.getByLabel('Mode').selectOption('HEADLESS')
  await dialog.getByRole('button', { name: 'Start' }).click()
  const panel = page.getByRole('region', { name: 'Session' })
  await panel.locator('[data-session-triple]').filter({ hasText: 'coder-1' }).waitFor()

  await panel.getByLabel('Message to the session').fill('hang on')
  await panel.getByRole('button', { name: 'Send' }).click()
  await panel.locator('[data-turn-state=delivered]').filter({ hasText: 'hang on' }).waitFor()
  await page.locator('[data-card=runtime][data-value=running]').waitFor()
  // Nothing is typed into a turn that runs: the refusal says what was observed, and the message is not lost.
  await panel.getByLabel('Message to the session').fill('and then write it')
  await panel.getByRole('button', { name: 'Send' }).click()
  await panel.locator('.refusal').filter({ hasText: 'runtime busy' }).waitFor()
  await panel.getByRole('button', { name: 'Queue' }).click()
  const queued = panel.locator('[data-queued]').filter({ hasText: 'and then write it' })
  await queued.getByRole('button', { name: 'Edit' }).click()
  await panel.getByLabel('Words of the message').fill('and then write it down')
  await panel.getByRole('button', { name: 'Keep' }).click()
  await panel.locator('[data-queued]').filter({ hasText: 'write it down' }).waitFor()
  // The words stand in the page while they are still on their way.
  const texts = async (): Promise<readonly string[]> => (await session()).queue.map(({ text }) => text)
  for (const limit = performance.now() + 20_000; (await texts())[0] !== 'and then write it down' && performance.now() < limit; ) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(await texts(), ['and then write it down'])
  await panel.locator('[data-queued]').getByRole('button', { name: 'Remove' }).click()
  await panel.locator('[data-queued]').waitFor({ state: 'detached' })

  // What a terminal may print to reach beyond itself.
  await page.route('**/session/transcript', (route) => route.fulfill({ json: { ticket: id, session: 's', format: 'terminal', content: 'plain \u001b]0;title taken\u0007\u001b]8;;https://example.invalid\u0007link\u001b]8;;\u0007 \u001b]52;c;aGk=\u0007\u001bP+q544e\u001b\\\u001b[31mred\u001b[0m\u001b[c <img src=x onerror="window.hostile=1">', total_bytes: 1, truncated: false, withheld: null, decides: false } }))
  const loadedBefore = await evaluated(page, 'performance.getEntriesByType("resource").some(({ name }) => /terminal-.*\\.js/.test(name))')
  await panel.getByText('Raw console').click()
  await panel.locator('[data-terminal] .xterm-rows').filter({ hasText: 'red' }).waitFor()
  assert.equal(loadedBefore, false, 'nobody who does not open it loads it')
  const shown = await panel.locator('[data-terminal] .xterm-rows').innerText()
  assert.match(shown.replaceAll('\u00a0', ' '), /plain link red <img src=x/)
  assert.equal(await evaluated(page, 'JSON.stringify([document.title, window.hostile ?? null, document.querySelectorAll("[data-terminal] a").length])'), '["Portcullis",null,0]')
  await panel.getByText('no decision is ever made from it').waitFor()
  await accessible(page, 'session')
  assert.deepEqual(await overflows(page), [])

  await panel.getByRole('button', { name: 'Interrupt' }).click()
  const interrupting = page.getByRole('dialog', { name: `Interrupt the session of ${id}` })
  assert.equal(await interrupting.getByRole('button', { name: 'Interrupt' }).isDisabled(), true)
  await interrupting.getByLabel('Reason').fill('it does not come to an end')
  await interrupting.getByRole('button', { name: 'Interrupt' }).click()
  await page.locator('[data-card=runtime][data-value=closed]').waitFor()
  await panel.getByText('not attached').waitFor()
  assert.equal(await panel.getByLabel('Message to the session').isDisabled(), true)
  assert.equal((await session()).attached, false)
  const { events } = Events.parse((await api.ask(`/tickets/${id}/events`, { token: api.admin })).json())
  assert.ok(events.some(({ kind, text, actor }) => kind === 'interrupted' && text?.includes('it does not come to an end') === true && actor.id === 'first' && actor.kind === 'human'), JSON.stringify(events.slice(-4)))
  await settled(page)
  assert.deepEqual(complaints, [])
})
