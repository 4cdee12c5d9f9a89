import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Locator, Page } from 'playwright-core'
import * as z from 'zod'
import { TicketView } from '../../src/app/ticket-shapes.ts'
import { StoredAct } from '../../src/app/acts.ts'
import { accessible, attributesOf, evaluated, openBrowser, overflows, settled, signedIn, textsOf, type Watched } from '../helpers/console-browser.ts'
import { damage, HOSTILE, poison, UNHARMED } from '../helpers/console-hostile.ts'
import { type ConsoleStage, consoleStage } from '../helpers/console-stage.ts'
import { verifies } from '../verifies.ts'

const cleanUp: (() => unknown)[] = []
let browser: Browser | undefined
let stage: ConsoleStage

before(async () => {
  browser = await openBrowser()
  if (browser !== undefined) stage = await consoleStage({ after: (act) => void cleanUp.push(act as () => unknown) })
}, { timeout: 170_000 })
after(async () => {
  await browser?.close()
  for (const act of cleanUp.reverse()) await act()
})

/** Skips by name where no browser is installed; fails if the page complained of anything. */
const inConsole = (body: (watched: Watched) => Promise<void>, looks: Parameters<typeof signedIn>[3] = {}) => async (context: TestContext): Promise<void> => {
  if (browser === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
  const watched = await signedIn(browser, stage.api.address, stage.api.admin, looks)
  try {
    await body(watched)
    assert.deepEqual(watched.complaints, [])
  } finally {
    await watched.context.close()
  }
}

const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(`${stage.api.address}/#${path}`)
  await settled(page)
}
const view = async (id: string): Promise<TicketView> => TicketView.parse(await stage.get(`/tickets/${id}`))
const ACTS = z.object({ acts: z.array(StoredAct) })
const acts = async (): Promise<readonly StoredAct[]> => ACTS.parse(await stage.get('/acts')).acts

/** Fails unless all of it is seen without scrolling. */
async function onFirstScreen(page: Page, place: Locator, what: string): Promise<void> {
  await place.first().waitFor()
  const box = await place.first().boundingBox()
  const height = page.viewportSize()?.height ?? 0
  assert.ok(box !== null && box.y >= 0 && box.y + box.height <= height, `${what}: ${JSON.stringify(box)} of ${height}`)
}

const PAGES = (): readonly (readonly [string, string])[] => [['gatehouse', '/'], ['tickets', '/tickets'], ['tickets-table', '/tickets?view=table'], ['ticket', `/tickets/${stage.tickets.incident}`], ['agents', '/agents'], ['agent', `/agents/${stage.odd}`], ['checks', '/checks'], ['access', '/access']]

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    verifies('CON-24', `tickets, agents and checks are accessible and fit in ${scheme} at ${width} px`, inConsole(async ({ page }) => {
      for (const [name, path] of PAGES()) {
        await open(page, path)
        // Each palette and each width once: what axe finds hangs on one of them.
        if ((scheme === 'light') === (width === 1440)) await accessible(page, `${name} ${scheme} ${width}`)
        assert.deepEqual(await overflows(page), [], `${name} is wider than ${width} px`)
        const directory = process.env['PORTCULLIS_PICTURES']
        if (directory === undefined) continue
        mkdirSync(directory, { recursive: true })
        await page.screenshot({ path: join(directory, `${name}-${scheme}-${width}.png`) })
      }
    }, { scheme, width }))
  }
}

verifies('CON-30', 'every page of the bar is driven here or in pages.test.ts, and has its picture for the documentation', inConsole(async ({ page }) => {
  const names = (await page.locator('nav a').allInnerTexts()).map((name) => name.toLowerCase())
  const driven = new Set([...PAGES().map(([name]) => name), 'runs', 'run', 'models', 'verify'])
  assert.deepEqual(names.filter((name) => !driven.has(name)), [])
  assert.deepEqual([...driven].filter((name) => !existsSync(join(import.meta.dirname, `../../docs/console/${name}-light-1440.png`))), [])
}))

verifies('CON-01', 'the gatehouse shows the nine gates and everything that needs a person, each with one thing to do', inConsole(async ({ page }) => {
  await settled(page)
  await page.locator('[data-need=agent]').waitFor()
  const stages = await page.locator('.stages li').allInnerTexts()
  assert.equal(stages.length, 9)
  assert.match(stages[1] ?? '', /admission[\s\S]*passed[\s\S]*blocked/)
  assert.match(stages[4] ?? '', /readiness[\s\S]*passed[\s\S]*1 blocked/)
  const found = (await textsOf(page, '.needs > li', '[each.textContent, String(each.querySelectorAll("a, button").length)]')).map(([text = '', count]) => ({ text, count }))
  assert.ok(found.length >= 7)
  for (const { text, count } of found) assert.equal(count, '1', text)
  const expected: readonly RegExp[] = [/^questionT-\d+ Which currency/, /^blockedT-\d+ Rotate the signing key[\s\S]*retry limit reached/, /^reviewT-\d+ Paginate/, /^failedporter agent identity mismatch/, /^blockedr1-string-slugify missing admission[\s\S]*do have the pair approved/, /^expiresscripted\/coder-2/, /^unhealthyunapproved profile missing admission/]
  for (const pattern of expected) assert.ok(found.some(({ text }) => pattern.test(text)), `${pattern.source} in ${found.map(({ text }) => text).join(' | ')}`)
  await page.locator('[data-need=ticket]').first().getByRole('link').click()
  await page.locator(`[data-card=state][data-value=question]`).waitFor()
}))

test('five questions, each answered by what stands on the first screen', inConsole(async ({ page }) => {
  await settled(page)
  const need = (text: RegExp): Locator => page.locator('.needs > li').filter({ hasText: text })
  await onFirstScreen(page, need(/blocked[\s\S]*Rotate the signing key[\s\S]*HTTP 409 CONFLICT/), 'what is blocked, and why')
  await onFirstScreen(page, need(/porter[\s\S]*not who it should be: name is Somebody Else, expected Concierge/), 'which agent is not who it should be')
  await onFirstScreen(page, need(/scripted\/coder-2[\s\S]*ends in 2 d/), 'what expires this week')
  await onFirstScreen(page, need(/question[\s\S]*Should they count as EUR/), 'is anything waiting for me')
  await open(page, `/runs/${stage.accepted}`)
  await onFirstScreen(page, page.locator('.facts').filter({ hasText: /model served\s*coder-1/ }), 'which model served the run')
}))

verifies('CON-02', 'the board holds each ticket in the column of its state, filters stand in the address, and a card moves by keyboard, only where it may and with a reason', inConsole(async ({ page }) => {
  await open(page, '/tickets')
  const { tickets } = z.object({ tickets: z.array(z.object({ id: z.string(), state: z.string(), moves: z.array(z.string()) })) }).parse(await stage.get('/tickets/board'))
  for (const { id, state } of tickets) await page.locator(`.column[data-state=${state}] [data-ticket="${id}"]`).waitFor()
  assert.equal(await page.locator('[data-ticket]').count(), tickets.length)
  await page.getByLabel('Search tickets').fill('signing key')
  await page.waitForURL(/text=signing/)
  await page.locator(`[data-ticket="${stage.tickets.incident}"]`).waitFor({ state: 'detached' })
  assert.equal(await page.locator('[data-ticket]').count(), 1)
  // The address alone gives the view again.
  await open(page, '/tickets?view=table&state=blocked')
  assert.deepEqual(await attributesOf(page, '.rows [data-ticket]', 'data-ticket'), [stage.tickets.blocked])
  await open(page, '/tickets')
  assert.equal(await page.locator('li', { has: page.locator(`[data-ticket="${stage.tickets.declined}"]`) }).locator('[data-move]').count(), 0, 'a closed ticket goes nowhere')
  await page.locator(`[data-ticket="${stage.tickets.todo}"]`).focus()
  await page.keyboard.press('m')
  const dialog = page.getByRole('dialog')
  assert.deepEqual(await attributesOf(page, '[data-moves] option', 'value'), tickets.find(({ id }) => id === stage.tickets.todo)?.moves)
  await dialog.locator('[data-moves]').selectOption('blocked')
  assert.equal(await dialog.getByRole('button', { name: 'Move' }).isDisabled(), true, 'nothing moves without a reason')
  await dialog.getByLabel('Reason').fill('waits for the tenant list')
  await page.keyboard.press('Tab')
  await dialog.getByRole('button', { name: 'Move' }).press('Enter')
  await page.locator(`.column[data-state=blocked] [data-ticket="${stage.tickets.todo}"]`).waitFor()
  const told = z.object({ events: z.array(z.object({ kind: z.string(), text: z.string().nullable(), actor: z.object({ id: z.string(), kind: z.string() }) })) }).parse(await stage.get(`/tickets/${stage.tickets.todo}/events`)).events.at(-1)
  assert.deepEqual(told, { kind: 'moved', text: 'waits for the tenant list', actor: { id: 'first', kind: 'human' } })
}))

verifies('CON-02 CON-21', 'of ten thousand tickets only those that are seen are in the page, on the board and in the table', inConsole(async ({ page }) => {
  const { tickets: [template] } = z.object({ tickets: z.array(z.looseObject({})) }).parse(await stage.get(`/tickets/board?state=triage`))
  await page.route(/\/tickets\/board\?limit/, async (route) => {
    const before = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 10_001)
    const rows = Array.from({ length: 500 }, (_, index) => ({ ...template, id: `T-${before - 1 - index}`, number: before - 1 - index, title: `Ticket number ${before - 1 - index}` }))
    await route.fulfill({ json: { tickets: rows, next: before - 500 <= 1 ? null : String(before - 500) } })
  })
  await open(page, '/tickets?view=table')
  await page.getByText('10,000 of 10,000').waitFor()
  const drawn = async (): Promise<number> => page.locator('[data-ticket]').count()
  assert.ok((await drawn()) > 10 && (await drawn()) < 100, `${await drawn()} rows`)
  await evaluated(page, 'document.querySelector(".rows").scrollTop = 1e9')
  await page.locator('[data-ticket="T-1"]').waitFor()
  await page.getByLabel('Search tickets').fill('number 7777')
  await page.getByText('1 of 10,000').waitFor()
  await open(page, '/tickets')
  await page.getByText('10,000 of 10,000').waitFor()
  assert.ok((await drawn()) > 5 && (await drawn()) < 100, `${await drawn()} cards`)
}))

/** How soon it is done hangs on the machine and stands in docs/benchmarks.md; what has to be done does not. */
test('what the first load and a change of page ask for stays small, however many tickets there are', inConsole(async ({ page }) => {
  const { tickets: [template] } = z.object({ tickets: z.array(z.looseObject({})) }).parse(await stage.get(`/tickets/board?state=triage`))
  const rows = (before: number) => Array.from({ length: 500 }, (_, index) => ({ ...template, id: `T-${before - 1 - index}`, number: before - 1 - index }))
  const asked: string[] = []
  await page.route(/\/tickets\/board\?/, async (route) => {
    const { searchParams } = new URL(route.request().url())
    const before = Number(searchParams.get('cursor') ?? 10_001)
    await route.fulfill({ json: { tickets: searchParams.has('state') ? [] : rows(before), next: searchParams.has('state') || before - 500 <= 1 ? null : String(before - 500) } })
  })
  const scripts: Promise<number>[] = []
  page.on('response', (answer) => {
    const { pathname, search } = new URL(answer.url())
    asked.push(`${pathname}${search}`)
    if (pathname.endsWith('.js')) scripts.push(answer.body().then((body) => gzipSync(body).length))
  })
  await page.goto('about:blank')
  await open(page, '/')
  await page.locator('.stages li').nth(8).waitFor()
  assert.ok(scripts.length > 0)
  const bytes = (await Promise.all(scripts)).reduce((sum, each) => sum + each, 0)
  assert.ok(bytes <= 250 * 1_024, `${bytes} bytes of script, gzip`)
  assert.ok(asked.length <= 24, `the home page asked for ${asked.length}: ${asked.join(' ')}`)
  assert.deepEqual(asked.filter((path) => path.startsWith('/tickets/board') && !path.includes('state=')), [], 'it reads no list of all tickets')
  // The first page of the board is drawn before the other nineteen have come.
  const before = asked.length
  await page.getByRole('link', { name: 'Tickets', exact: true }).click()
  await page.locator('[data-ticket]').first().waitFor()
  await page.getByText('10,000 of 10,000').waitFor()
  assert.ok(asked.length - before <= 24, `the board asked for ${asked.length - before}`)
  assert.ok((await page.locator('.board *').count()) < 2_500, `${await page.locator('.board *').count()} elements`)
}))

verifies('CON-03 MC-001 MC-002', 'a ticket shows its five cards and its fields as the API gives them, each item with verdict and evidence', inConsole(async ({ page }) => {
  for (const id of [stage.tickets.incident, stage.tickets.running, stage.tickets.question, stage.tickets.mirrored]) {
    const { ticket, cards, status } = await view(id)
    await open(page, `/tickets/${id}`)
    await page.locator('[data-field=id]').filter({ hasText: id }).waitFor()
    const shown = await textsOf(page, '[data-card]', '[each.dataset.card, each.dataset.value]')
    assert.deepEqual(shown, [['state', cards.state], ['next_action', cards.next_action.code], ['owner', cards.owner ?? ''], ['runtime', cards.runtime], ['created_at', cards.created_at]])
    const words = await page.locator('[data-card] dd').allInnerTexts()
    assert.deepEqual(words.slice(0, 4).map((text) => text.trim()), [cards.state.replaceAll('_', ' '), cards.next_action.code, cards.owner ?? 'nobody', cards.runtime.replaceAll('_', ' ')])
    assert.equal(await page.locator('[data-card=created_at] time').getAttribute('datetime'), ticket.created_at)
    const text = await page.locator('main').innerText()
    for (const part of [ticket.title, ...(ticket.description === '' ? [] : [ticket.description.split('\n')[0] ?? '']), ticket.project, ticket.requester, ticket.priority, ...(ticket.source === null ? [] : [ticket.source.reference, ticket.source.key ?? '']), status.sentence, status.code]) assert.ok(text.includes(part), `${part} on ${id}`)
    for (const [name, at] of [['created', ticket.created_at], ['updated', ticket.updated_at]] as const) assert.equal(await page.locator(`[data-detail=${name}] time`).getAttribute('datetime'), at)
    const items = await page.locator('.verdicts > li').allInnerTexts()
    assert.equal(items.length, ticket.acceptance.length)
    for (const [index, item] of ticket.acceptance.entries()) {
      assert.ok(items[index]?.includes(item.text))
      assert.match(items[index] ?? '', item.verdict === 'pass' ? /pass/ : /not judged/)
      for (const digest of item.evidence) assert.ok(items[index]?.includes(digest.slice(0, 12)))
    }
  }
}))

verifies('CON-03 MC-004 MC-005 MC-006 MC-008 MC-011 MC-014', 'the status line speaks from its code, the session is told apart from the ticket, and nobody "is working" on what is done', inConsole(async ({ page }) => {
  const { ticket, status } = await view(stage.tickets.incident)
  await open(page, `/tickets/${stage.tickets.incident}`)
  const line = page.locator('.status-line')
  assert.equal(await line.getAttribute('data-status'), 'ticket_runtime_closed')
  assert.match(await line.innerText(), /Ticket is closed; its session is closed\.[\s\S]*ticket_runtime_closed[\s\S]*profile claude_opus_1m_medium[\s\S]*cwd \/home\/luci\/workspace\/PKA[\s\S]*ran \d+[\s\S]*last activity/)
  // The duration of a closed session is the stored one, and a second look finds the same.
  const ran = await page.locator('[data-uptime]').innerText()
  assert.equal(ran, `ran ${status.duration_ms} ms`)
  await page.reload()
  await settled(page)
  assert.equal(await page.locator('[data-uptime]').innerText(), ran)
  assert.equal(await page.getByText(/is working/).count(), 0)
  assert.equal(await page.locator('[data-field=mode]').innerText(), 'INTERACTIVE')
  assert.equal(await page.locator('[data-field=triple]').innerText(), ticket.runtime.triple)
  await open(page, `/tickets/${stage.tickets.running}`)
  await page.getByText('luci is working').waitFor()
  await page.locator('[data-card=runtime][data-value=running]').waitFor()
  await open(page, `/tickets/${stage.tickets.done}`)
  await page.locator('[data-card=state][data-value=done]').waitFor()
  assert.equal(await page.getByText(/is working/).count(), 0)
}))

verifies('CON-03 MC-013 MC-015 MC-016', 'what Portcullis observed stands apart from what others said, complete and in order, with who did it', inConsole(async ({ page }) => {
  const { events } = z.object({ events: z.array(z.object({ kind: z.string(), origin: z.string(), actor: z.object({ id: z.string() }) })) }).parse(await stage.get(`/tickets/${stage.tickets.incident}/events?limit=500`))
  await open(page, `/tickets/${stage.tickets.incident}`)
  for (const [origin, card] of [['observed', 'Activity'], ['mirrored', 'Mirrored in']] as const) {
    const expected = events.filter((event) => event.origin === origin).map(({ kind }) => kind).toReversed()
    assert.ok(expected.length > 0)
    assert.deepEqual(await attributesOf(page, `[aria-label="${card}"] [data-event]`, 'data-event'), expected)
  }
  assert.match(await page.getByRole('region', { name: 'Mirrored in' }).innerText(), /not observed here[\s\S]*shadow-reviewer reviewer[\s\S]*ABSTAIN/)
  assert.match(await page.getByRole('region', { name: 'Activity' }).innerText(), /failed_to_inject\] runtime_busy/)
  await open(page, `/tickets/${stage.tickets.todo}`)
  await page.getByText('every fact of this page was observed by Portcullis').waitFor()
}))

verifies('CON-21', 'each page has a look of its own while it loads, when the server fails, and when it is not open to the token', inConsole(async ({ page }) => {
  if (browser === undefined) return
  for (const [path, question] of [['/tickets', '**/tickets/board*'], ['/agents', '**/agents'], ['/checks', '**/drill'], [`/tickets/${stage.tickets.done}`, `**/tickets/${stage.tickets.done}`]] as const) {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    await page.route(question, async (route) => {
      await held
      await route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'The store is down', status: 503, detail: 'down', code: 'store_unavailable', asked: 'rows', found: 'a store that is away', remedy: 'See to the disk.', retry: 'never' }) })
    })
    // Anew, so that nothing is known yet.
    await page.goto(`${stage.api.address}/#${path}`)
    await page.reload()
    await page.locator('.skeleton').first().waitFor()
    release()
    await page.locator('.refusal').filter({ hasText: 'a store that is away' }).filter({ hasText: 'See to the disk.' }).first().waitFor()
    await page.unroute(question)
  }
  const reader = await stage.api.token('reader')
  const other = await signedIn(browser, stage.api.address, reader.token)
  await other.page.goto(`${stage.api.address}/#/tickets/${stage.tickets.triage}`)
  await other.page.getByRole('button', { name: 'Move' }).click()
  await other.page.getByRole('dialog').getByLabel('Reason').fill('because')
  await other.page.getByRole('dialog').getByRole('button', { name: 'Move' }).click()
  await other.page.getByRole('dialog').locator('.refusal').filter({ hasText: 'Not open to your token' }).waitFor()
  await other.context.close()
}))

verifies('CON-25', 'whatever agents, tickets and providers write is text: nothing runs, nothing hides, nothing turns the page around', inConsole(async ({ page }) => {
  const poisoning = await poison(page, stage.api.address)
  for (const text of [HOSTILE.slice(0, -1).join(' '), HOSTILE.at(-1) ?? '']) {
    poisoning.set(text)
    for (const path of ['/', '/runs', `/runs/${stage.accepted}`, '/models', '/access', '/tickets', `/tickets/${stage.tickets.incident}`, '/agents', `/agents/${stage.odd}`, '/checks']) {
      await page.goto(`${stage.api.address}/#${path}`)
      if (path === '/') await page.reload()
      await page.locator('[data-connection=live]').waitFor()
      await settled(page)
      assert.equal(await damage(page), UNHARMED, `${JSON.stringify(text.slice(0, 60))} on ${path}`)
      assert.deepEqual(await overflows(page), [], `${JSON.stringify(text.slice(0, 60))} on ${path}`)
    }
  }
  assert.deepEqual(poisoning.refused, [])
  assert.ok(poisoning.count() >= 2 * 15, `${poisoning.count()} answers were poisoned`)
}))

verifies('CON-27', 'pass, block, abstain, unknown, running and waiting differ by shape and by word', inConsole(async ({ page }) => {
  const shapes = new Map<string, Set<string>>()
  for (const [, path] of PAGES()) {
    await open(page, path)
    for (const [outcome = '', shape = '', word = ''] of await textsOf(page, '.mark', '[each.className.replace("mark ", ""), each.querySelector("svg").innerHTML, each.textContent.trim()]')) {
      assert.notEqual(word, '', `a mark without a word on ${path}`)
      shapes.set(outcome, (shapes.get(outcome) ?? new Set()).add(shape))
    }
  }
  assert.deepEqual([...shapes.keys()].toSorted(), ['abstain', 'block', 'pass', 'running', 'unknown', 'waiting'])
  for (const [outcome, found] of shapes) assert.equal(found.size, 1, outcome)
  assert.equal(new Set([...shapes.values()].flatMap((found) => [...found])).size, shapes.size)
}))

test('a reload keeps the session, and no script of the page can read what keeps it', inConsole(async ({ page, context }) => {
  await open(page, '/tickets')
  await page.reload()
  await page.locator('[data-connection=live]').waitFor()
  assert.equal(await page.getByLabel('Token').count(), 0)
  assert.equal(await evaluated(page, 'JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])'), '[0,0,""]')
  const [cookie, ...others] = await context.cookies()
  assert.deepEqual([cookie?.httpOnly, cookie?.secure, cookie?.sameSite, cookie?.expires, others.length], [true, true, 'Strict', -1, 0])
  assert.notEqual(cookie?.value, stage.api.admin)
}))

verifies('CON-07 CON-23', 'an agent shows expected beside observed, its conditions with their times and its history; what is done to it names object and consequence, needs a reason, and stands in the ledger', inConsole(async ({ page }) => {
  await open(page, '/agents')
  assert.match((await page.locator('[data-agent]').allInnerTexts()).join('\n'), /porter[\s\S]*failed[\s\S]*differs: name[\s\S]*concierge[\s\S]*online[\s\S]*may be asked/, 'who is not the one that was meant stands first')
  await page.locator(`[data-agent=${stage.odd}] a`).click()
  await page.locator('[data-field=name]').filter({ hasText: /Concierge[\s\S]*Somebody Else[\s\S]*differs/ }).waitFor()
  await page.locator('[data-field=model]').filter({ hasText: /coder-1[\s\S]*coder-1[\s\S]*same/ }).waitFor()
  const { conditions, history } = z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() })), history: z.object({ steps: z.array(z.unknown()) }) }).parse(await stage.get(`/agents/${stage.odd}`))
  assert.ok(conditions.length > 3)
  for (const { type, status, lastTransitionTime } of conditions) {
    const row = page.locator(`[data-condition=${type}]`)
    assert.match(await row.innerText(), new RegExp(status.toLowerCase()))
    assert.equal(await row.locator('time').getAttribute('datetime'), lastTransitionTime)
  }
  assert.equal(await page.locator('.strip rect').count(), history.steps.length)
  await open(page, `/agents/${stage.good}`)
  await page.getByRole('button', { name: 'Stop' }).click()
  const dialog = page.getByRole('dialog', { name: `Stop agent ${stage.good}` })
  assert.match(await dialog.innerText(), /Its process and its licence end at once/)
  assert.equal(await dialog.getByRole('button', { name: 'Stop' }).isDisabled(), true)
  await dialog.getByLabel('Reason').fill('   ')
  assert.equal(await dialog.getByRole('button', { name: 'Stop' }).isDisabled(), true, 'spaces are no reason')
  assert.equal((await acts()).length, 2, 'the two starts of the stage, and nothing by a dialog that is open')
  await dialog.getByLabel('Reason').fill('it answers in riddles')
  await dialog.getByRole('button', { name: 'Stop' }).click()
  await page.locator('.title').getByText('offline').waitFor()
  assert.deepEqual((await acts()).slice(0, 1).map(({ act, object, reason, actor, kind }) => [act, object, reason, actor, kind]), [['stop_agent', stage.good, 'it answers in riddles', 'first', 'admin']])
  await page.getByRole('button', { name: 'Wake' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('riddles are over')
  await page.getByRole('dialog').getByRole('button', { name: 'Wake' }).click()
  await page.locator('.title').getByText('may be asked').waitFor()
  await open(page, '/access')
  await page.getByRole('region', { name: 'What people did' }).locator('tr').filter({ hasText: 'it answers in riddles' }).filter({ hasText: 'first' }).waitFor()
}))

verifies('CON-09', 'the doctor is asked from the page; what is missing stands first, and its result outlives a reload', inConsole(async ({ page }) => {
  await open(page, '/checks')
  await page.getByText('No drill has run here yet.').waitFor()
  await page.getByRole('button', { name: 'Ask the doctor' }).click()
  await page.locator('.doctor li').first().waitFor()
  const order = (await attributesOf(page, '.doctor li', 'data-status')).map(String)
  assert.deepEqual([order[0], order[1]], ['missing', 'warning'])
  assert.deepEqual(order, order.toSorted((one, other) => ['missing', 'warning', 'ok', 'unneeded'].indexOf(one) - ['missing', 'warning', 'ok', 'unneeded'].indexOf(other)))
  await page.reload()
  await page.locator('.doctor li').first().waitFor()
}))
