import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { runCli } from '../helpers/run-cli.ts'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { type Scenario, scenario } from '../e2e/scenario.ts'

let made: Scenario
let served: ServedApi
const cleanUp: (() => void)[] = []

before(async () => {
  const context = { after: (act: () => void) => void cleanUp.push(act) }
  made = await scenario(context as Parameters<typeof scenario>[0])
  served = await servedApi(context, made.directory)
})
after(() => cleanUp.reverse().forEach((act) => act()))

const remote = (words: readonly string[]) => made.portcullis(['--server', served.address, '--token-file', served.firstTokenPath, ...words])
const NEW = ['tickets', 'new', '--title', 'Fix slugify', '--project', 'demo', '--kind', 'code', '--priority', 'high', '--accept', 'the tests pass']
const View = z.looseObject({ ticket: z.looseObject({ id: z.string(), state: z.string() }) })

test('a ticket is brought, moved, claimed and shown by the command, of a server and on its machine, with the same words', async () => {
  const created = await remote([...NEW, '--json'])
  assert.deepEqual([created.code, created.stderr], [0, ''])
  const { id } = View.parse(JSON.parse(created.stdout)).ticket
  assert.equal((await remote(['tickets', 'move', id, '--to', 'todo', '--reason', 'clear'])).code, 0)
  const claimed = await remote(['tickets', 'claim', id, '--lease', '10m'])
  assert.match(claimed.stdout, /in_progress/)
  const again = await remote(['tickets', 'claim', id, '--lease', '10m'])
  assert.equal(again.code, 75)
  assert.match(again.stdout, /ticket_claimed: first works on T-1\./)
  const illegal = await remote(['tickets', 'move', id, '--to', 'done', '--reason', 'because'])
  assert.equal(illegal.code, 3)
  assert.match(illegal.stdout, /By hand it can become review, blocked, closed\./)
  for (const words of [['tickets', 'show', id], ['tickets', 'show', id, '--json'], ['tickets', 'list'], ['tickets', 'list', '--in', 'in_progress', '--json'], ['tickets', 'export'], ['tickets', 'show', 'T-77']]) {
    const [there, here] = await Promise.all([remote(words), made.portcullis(words)])
    assert.deepEqual(there, here, words.join(' '))
  }
})

test('a file that was exported comes in elsewhere, once', async () => {
  const exported = await made.portcullis(['tickets', 'export'])
  made.write('tickets.json', exported.stdout)
  const state = ['--state', join(made.directory, 'elsewhere')]
  const bring = () => runCli(['tickets', 'import', 'tickets.json', '--project', 'demo', '--kind', 'code', '--priority', 'low', '--json', ...state], { cwd: made.directory, env: made.env })
  const first = await bring()
  assert.equal(first.code, 0, first.stdout)
  assert.deepEqual(JSON.parse(first.stdout), { created: ['T-1'], skipped: [] })
  assert.deepEqual(JSON.parse((await bring()).stdout), { created: [], skipped: ['portcullis:demo/T-1'] })
  const verified = await made.portcullis(['verify'])
  assert.equal(verified.code, 0, verified.stdout)
})

test('what is no state, no kind or no file is a usage error that names what is known', async () => {
  const told = await made.portcullis(['tickets', 'list', '--in', 'nowhere'])
  assert.equal(told.code, 2)
  assert.match(told.stderr, /--in of triage, todo, in_progress/)
  assert.equal((await made.portcullis(['tickets', 'import', 'gone.json', '--project', 'demo', '--kind', 'code', '--priority', 'low'])).code, 2)
})

test('issues come in from the API of GitHub, once, by the command; its token is in nothing that is printed or kept', async (context) => {
  const token = 'ghp_'.padEnd(40, 'A1b2')
  const shown: (string | undefined)[] = []
  const server = createServer((request, response) => {
    shown.push(request.headers.authorization)
    const issue = { number: 7, title: 'Crash at start', body: 'Steps ...', html_url: 'https://github.com/acme/shop/issues/7', labels: [{ name: 'bug' }], user: { login: 'octo' }, state: 'open' }
    response.writeHead(request.headers.authorization === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify([issue, { ...issue, number: 8, pull_request: {} }]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const state = join(made.directory, 'of-github')
  const bring = (...words: readonly string[]) => runCli(['tickets', 'import', '--github', 'acme/shop', '--github-url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--project', 'demo', '--kind', 'code', '--priority', 'low', '--json', '--state', state, ...words], { cwd: made.directory, env: { ...made.env, GITHUB_TOKEN: token } })
  const first = await bring('--token-env', 'GITHUB_TOKEN')
  assert.deepEqual([first.code, JSON.parse(first.stdout)], [0, { created: ['T-1'], skipped: [] }], first.stderr)
  assert.deepEqual(JSON.parse((await bring('--token-env', 'GITHUB_TOKEN')).stdout), { created: [], skipped: ['github:acme/shop#7'] })
  const without = await bring()
  assert.deepEqual([without.code, /private/.test(without.stdout + without.stderr)], [2, true])
  assert.equal((await bring('--token-env', 'GITHUB_TOKEN', '--token-stdin')).code, 2)
  assert.deepEqual(shown, [`Bearer ${token}`, `Bearer ${token}`, undefined])
  const kept = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  assert.ok(kept.length > 0)
  for (const text of [first.stdout, first.stderr, without.stdout, without.stderr, ...kept]) assert.equal(text.includes(token), false)
})
