import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { issuesOfGitHub } from '../../app/github-issues.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { githubIssues } from './index.ts'

const TOKEN = 'github_pat_11AAAAAAA0'.padEnd(60, 'b')

/** An issue as the API of GitHub answers it, less most of its links. */
const issue = (number: number) => ({ url: `https://api.github.com/repos/acme/shop/issues/${number}`, html_url: `https://github.com/acme/shop/issues/${number}`, id: number, number, title: `Issue ${number}`, user: { login: 'octo', type: 'User' }, labels: [{ id: 1, name: 'bug', color: 'd73a4a', default: true }], state: 'open', comments: 0, body: 'Steps ...' })

/** Plays recorded answers on loopback. */
async function github(context: TestContext, answer: (request: IncomingMessage, response: ServerResponse, address: string) => void): Promise<{ readonly api: string; readonly asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response, address())
  })
  const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  return { api: address(), asked }
}
const json = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => void response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify(body))

async function faultOf(asked: Promise<unknown>): Promise<PortcullisError> {
  const error: unknown = await asked.then(() => undefined, (thrown: unknown) => thrown)
  assert.ok(error instanceof PortcullisError, String(error))
  assert.equal(JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes(TOKEN), false, 'the token is in no fault')
  return error
}

test('every page is read in its order, with the token in its header and nowhere else', async (context) => {
  const { api, asked } = await github(context, (request, response, address) => {
    const page = Number(new URL(request.url ?? '', address).searchParams.get('page') ?? '1')
    json(response, 200, [issue(page * 2 - 1), issue(page * 2)], page < 3 ? { link: `<${address}/repositories/1/issues?state=open&per_page=100&page=${page + 1}>; rel="next", <${address}/repositories/1/issues?page=3>; rel="last"` } : {})
  })
  const issues = await githubIssues({ repository: 'acme/shop', api: `${api}/api/v3/`, token: TOKEN })
  assert.deepEqual(issues.map((each) => (each as { number: number }).number), [1, 2, 3, 4, 5, 6])
  assert.deepEqual(asked.map(({ url }) => url), ['/api/v3/repos/acme/shop/issues?state=open&per_page=100', '/repositories/1/issues?state=open&per_page=100&page=2', '/repositories/1/issues?state=open&per_page=100&page=3'])
  assert.ok(asked.every(({ headers, url }) => headers.authorization === `Bearer ${TOKEN}` && url?.includes(TOKEN) === false))
  await githubIssues({ repository: 'acme/shop', api, token: undefined })
  assert.equal(asked[3]?.headers.authorization, undefined)
})

test('what GitHub refuses is told with what to do: no token, a bad one, too many requests, nothing there, moved, broken', async (context) => {
  let now: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } = { status: 401 }
  const { api } = await github(context, (_request, response) => json(response, now.status, { message: `Bad credentials ${TOKEN}`, documentation_url: 'https://docs.github.com/rest' }, now.headers))
  for (const [status, headers, token, code, found, remedy] of [
    [401, {}, TOKEN, 'access_denied', 'status 401, asked with the token that was given', /not valid any more/],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1795290000' }, undefined, 'attempts_limited', 'status 403, asked without a token: the limit of requests is used up, again at 2026-11-21T19:40:00.000Z', /Give a token/],
    [429, { 'retry-after': '60' }, TOKEN, 'attempts_limited', 'status 429, asked with the token that was given: the limit of requests is used up, again in 60 s', /Wait until then/],
    [403, { 'x-ratelimit-remaining': '4999' }, TOKEN, 'access_denied', 'status 403, asked with the token that was given', /Issues: read/],
    [404, {}, undefined, 'nothing_stored', 'status 404, asked without a token', /private/],
    [404, {}, TOKEN, 'nothing_stored', 'status 404, asked with the token that was given', /may not see it/],
    [301, { location: 'http://127.0.0.1:1/stolen' }, TOKEN, 'nothing_stored', 'status 301, asked with the token that was given: it has moved', /present owner/],
    [410, {}, TOKEN, 'nothing_stored', 'status 410, asked with the token that was given', /turned off/],
    [502, {}, TOKEN, 'server_unreachable', 'status 502, asked with the token that was given', /later/],
  ] as const) {
    now = { status, headers }
    const error = await faultOf(githubIssues({ repository: 'acme/shop', api, token }))
    assert.deepEqual([error.code, error.found, error.asked], [code, found, `the open issues of acme/shop at ${new URL(api).host}`])
    assert.match(error.remedy, remedy)
  }
  assert.equal((await faultOf(githubIssues({ repository: 'acme/shop', api: 'http://127.0.0.1:1', token: TOKEN }))).code, 'server_unreachable')
})

test('the token goes to no other server, over no open line, and an answer that is no list brings nothing in', async (context) => {
  const elsewhere = await github(context, (_request, response) => json(response, 200, [issue(9)]))
  const { api } = await github(context, (_request, response) => json(response, 200, [issue(1)], { link: `<${elsewhere.api}/page2>; rel="next"` }))
  assert.match((await faultOf(githubIssues({ repository: 'acme/shop', api, token: TOKEN }))).found, /another address/)
  assert.equal(elsewhere.asked.length, 0)
  for (const address of ['http://github.example', 'ftp://127.0.0.1', 'https://user:secret@github.example', 'no address']) assert.equal((await faultOf(githubIssues({ repository: 'acme/shop', api: address, token: TOKEN }))).code, 'usage', address)
  for (const repository of ['acme', 'acme/shop/issues', '../shop', 'acme/..', 'acme/shop?x=1']) assert.equal((await faultOf(githubIssues({ repository, api, token: TOKEN }))).code, 'usage', repository)
  for (const body of ['{"message":"hello"}', 'not json', '']) {
    const odd = await github(context, (_request, response) => void response.writeHead(200).end(body))
    assert.equal((await faultOf(githubIssues({ repository: 'acme/shop', api: odd.api, token: undefined }))).code, 'import_invalid', body)
  }
})

test('a token comes from a variable or standard input; one that was given as an argument is not repeated', async (context) => {
  const { api, asked } = await github(context, (_request, response) => json(response, 200, []))
  const nothing = async function* (): AsyncGenerator<Buffer> {}
  const order = { repository: 'acme/shop', api }
  assert.deepEqual(await issuesOfGitHub({ ...order, tokenFrom: { variable: 'GITHUB_TOKEN' } }, { GITHUB_TOKEN: `${TOKEN}\n` }, nothing()), [])
  await issuesOfGitHub({ ...order, tokenFrom: 'stdin' }, {}, (async function* () { yield Buffer.from(`${TOKEN}\n`) })())
  assert.deepEqual(asked.map(({ headers }) => headers.authorization), [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`])
  assert.match((await faultOf(issuesOfGitHub({ ...order, tokenFrom: { variable: TOKEN } }, {}, nothing()))).remedy, /Put the token into a variable/)
  for (const tokenFrom of [{ variable: 'GITHUB_TOKEN' }, 'stdin'] as const) assert.equal((await faultOf(issuesOfGitHub({ ...order, tokenFrom }, {}, nothing()))).code, 'usage')
  assert.equal(asked.length, 2)
})
