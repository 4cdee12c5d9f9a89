import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { RenderHashPayload, type ProbeRecord, type ProbeRequest } from '../../src/gates/acceptance/index.ts'
import { sha256 } from '../../src/contract/canonical.ts'
import { inBrowser } from '../helpers/browser.ts'
import { DEFINITIONS } from '../helpers/probe-samples.ts'
import { probe, workspaceOf } from '../helpers/probed.ts'
import { verifies } from '../verifies.ts'

const APPROVAL = '20261120T213918Z-page-1'
const PAGE = '<!doctype html><style>body { margin: 0; font: 20px sans-serif } td { padding: 4px; border: 1px solid }</style><h1 id="title">Prices</h1><table><tr><td>Bread<td>3.20<tr><td>Milk<td>1.10</table>'

interface Rendered {
  readonly record: ProbeRecord & { payload: RenderHashPayload }
  readonly kept: ReadonlyMap<string, Buffer>
}

async function render(context: TestContext, files: Readonly<Record<string, string>>, approved?: Buffer, definition: Record<string, unknown> = {}, change: Partial<ProbeRequest> = {}): Promise<Rendered> {
  const kept = new Map<string, Buffer>()
  const approvals = { render: () => Promise.resolve(approved === undefined ? undefined : { approval: APPROVAL, sha256: sha256(approved), image: approved }) }
  const record = await probe(workspaceOf(context, files), { ...DEFINITIONS.render_hash, ...definition }, { keep: (name, content) => (kept.set(name, content), `backend/${name}`), ...change }, { approvals })
  return { record: { ...record, payload: RenderHashPayload.parse(record.payload) }, kept }
}

const pictureOf = ({ kept }: Rendered): Buffer => kept.get('probe-probe-result.png') ?? assert.fail('no picture was kept')

verifies('ACC-51', 'a first run waits for an approval, the same page passes with it, and another one fails, with its difference', inBrowser(async (context) => {
  const first = await render(context, { 'index.html': PAGE })
  assert.equal(first.record.status, 'needs_approval', first.record.summary)
  assert.match(first.record.summary, /^no image is approved yet; look at backend\/probe-probe-result\.png of the run, then: npx portcullis approve render 20261120T213918Z-r1-string-slugify-1 --probe probe --by <who> --reason <why>$/)
  const approved = pictureOf(first)
  assert.equal(first.record.payload.image?.sha256, sha256(approved))
  const again = await render(context, { 'index.html': PAGE }, approved)
  assert.deepEqual([again.record.status, again.record.payload.difference?.changed_pixels, again.record.payload.difference?.distance], ['passed', 0, 0], again.record.summary)
  assert.deepEqual([...again.kept.keys()], ['probe-probe-result.png'])
  const worse = await render(context, { 'index.html': PAGE.replace('3.20', '9.99').replace('<h1', '<h1 style="background: navy"') }, approved)
  assert.equal(worse.record.status, 'failed')
  assert.match(worse.record.summary, /^does not look as approved in 20261120T213918Z-page-1: \d[\d.]* % of the pixels changed \(at most 0\.1 %\), distance [\d.]+ % \(at most 2 %\); see backend\/probe-probe-result\.difference\.png$/)
  assert.ok((worse.record.payload.difference?.changed_share ?? 0) > 0.01)
  assert.ok(worse.kept.has('probe-probe-result.difference.png'))
  const tolerant = await render(context, { 'index.html': PAGE.replace('3.20', '3.21') }, approved, { atMost: { changedPixels: 0.05, distance: 0.1 } })
  assert.deepEqual([tolerant.record.status, (tolerant.record.payload.difference?.changed_pixels ?? 0) > 0], ['passed', true])
}))

verifies('ACC-51', 'a page is the same picture each time: clock, animation and chance of the machine do not show', inBrowser(async (context) => {
  const page = `${PAGE}<p id="now"></p><p style="animation: turn 1s infinite">o</p><style>@keyframes turn { to { transform: rotate(360deg) } }</style><script>document.getElementById('now').textContent = new Date().toString() + ' ' + navigator.language</script>`
  const approved = pictureOf(await render(context, { 'index.html': page }))
  const { record } = await render(context, { 'index.html': page }, approved, { atMost: { changedPixels: 0, distance: 0 } })
  assert.equal(record.status, 'passed', record.summary)
}))

verifies('ACC-51', 'what cannot be looked at, shows nothing, or is not ready in time fails, in words that say so', inBrowser(async (context) => {
  for (const [what, files, definition, summary] of [
    ['no such file', { 'other.html': PAGE }, {}, /^index\.html did not become ready within 10s: net::ERR_FILE_NOT_FOUND$/],
    ['nothing on the page', { 'index.html': '<!doctype html>' }, {}, /^index\.html shows nothing: every pixel has the same colour$/],
    ['an element that never comes', { 'index.html': PAGE }, { waitFor: { selector: '#total' }, within: '4s' }, /^index\.html did not become ready within 4s: no element #total is visible$/],
    ['a text that is hidden', { 'index.html': `${PAGE}<p hidden>Ready` }, { waitFor: { text: 'Ready' }, within: '4s' }, /^index\.html did not become ready within 4s: the text "Ready" is not visible$/],
    ['a page that never loads', { 'index.html': '<script>for (;;);</script>' }, { within: '4s' }, /^index\.html did not become ready within 4s: it did not load$/],
  ] as const) {
    const { record } = await render(context, files, undefined, definition)
    assert.equal(record.status, 'failed', `${what}: ${record.summary}`)
    assert.match(record.summary, summary, what)
  }
  const ready = await render(context, { 'index.html': `${PAGE}<script>setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<p id="total">4.30'), 300)</script>` }, undefined, { waitFor: { selector: '#total' } })
  assert.equal(ready.record.status, 'needs_approval')
}))

verifies('ACC-51', 'a page of a service is rendered too, and the service must end as it should', inBrowser(async (context) => {
  const server = (page: string, end = 'server.close()'): Record<string, string> => ({ 'server.mjs': `import { createServer } from 'node:http'
const server = createServer((request, response) => response.writeHead(request.url === '/prices' ? 200 : 404, { 'content-type': 'text/html', connection: 'close' }).end(request.url === '/prices' ? ${JSON.stringify(page)} : ''))
server.listen(Number(process.env.PAGE_PORT), '127.0.0.1')
process.on('SIGTERM', () => ${end})` })
  const page = { service: { command: [process.execPath, 'server.mjs'], portVariable: 'PAGE_PORT', ready: { path: '/', status: 404, within: '10s' }, stopWithin: '5s' }, path: '/prices' }
  const first = await render(context, server(PAGE), undefined, { page })
  assert.equal(first.record.status, 'needs_approval', first.record.summary)
  assert.equal((await render(context, server(PAGE), pictureOf(first), { page })).record.status, 'passed')
  const unclean = await render(context, server(PAGE, 'process.exit(4)'), pictureOf(first), { page })
  assert.deepEqual([unclean.record.status, unclean.record.summary], ['failed', 'the page was rendered, but its service ended with code 4 when it was asked to end'])
  const absent = await render(context, server(PAGE), undefined, { page: { ...page, path: '/nothing' } })
  assert.deepEqual([absent.record.status, absent.record.summary], ['failed', '/nothing did not become ready within 10s: it answered with a failure, and no page'])
}))

verifies('ACC-48 ACC-54', 'a page reaches its own files and nothing else: no other file, no other port, no network', inBrowser(async (context) => {
  let asked = 0
  const other = createServer((_request, response) => {
    asked += 1
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end('secret')
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  context.after(() => other.close())
  const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const outside = workspaceOf(context, { 'secret.js': 'document.body.textContent = "reached"' })
  const page = `<body><h1>Fenced</h1><script src="own.js"></script><script src="${`file://${outside}/secret.js`}"></script><script>
    for (const ask of [() => fetch('${address}/'), () => new WebSocket('${address.replace('http', 'ws')}/'), () => fetch('http://example.com/')]) try { Promise.resolve(ask()).catch(() => {}) } catch {}
    const image = new Image(); image.src = '${address}/image.png'; document.body.append(image)</script>`
  const { record } = await render(context, { 'index.html': page, 'own.js': 'document.body.insertAdjacentHTML("beforeend", "<p id=own>own")' }, undefined, { waitFor: { selector: '#own' } })
  assert.equal(record.status, 'needs_approval', record.summary)
  assert.ok(record.payload.blocked_requests >= 4, `${record.payload.blocked_requests}`)
  assert.equal(asked, 0)
}))

verifies('ACC-44 ACC-69', 'at its limit, or when it is cancelled, the browser is gone with everything it started', inBrowser(async (context) => {
  const browsersWith = (mark: string): string[] => globSync('/proc/[0-9]*/environ').filter((path) => textOf(path).includes(mark))
  const mark = `mark-${process.pid}-${Date.now()}`
  const page = { 'index.html': '<h1>Never ready</h1>' }
  const change = { environment: { PATH: process.env['PATH'], MARK: mark } }
  const limited = await render(context, page, undefined, { waitFor: { selector: '#never' }, within: '30s', timeout: '3s', environment: ['MARK'] }, change)
  assert.deepEqual([limited.record.status, limited.record.summary], ['timed_out', 'did not end within 3s'])
  assert.deepEqual(browsersWith(mark), [])
  const cancel = new AbortController()
  const running = render(context, page, undefined, { waitFor: { selector: '#never' }, within: '30s', environment: ['MARK'] }, { ...change, signal: cancel.signal })
  while (browsersWith(mark).length < 3) await wait(20)
  cancel.abort()
  assert.equal((await running).record.status, 'cancelled')
  assert.deepEqual(browsersWith(mark), [])
}))

test('a picture leaves nothing behind in the directory for temporary files', inBrowser(async (context) => {
  const before = new Set(globSync(join(tmpdir(), 'playwright*')))
  await render(context, { 'index.html': PAGE })
  assert.deepEqual(globSync(join(tmpdir(), 'playwright*')).filter((path) => !before.has(path) && existsSync(path)), [])
}))

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
