import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFINITIONS } from '../../../test/helpers/probe-samples.ts'
import { Budget, DeclaredRequest, entryOf, expandTarget, floatingReason, isExactPair, isNetwork, isPlainUrl, isUnchanged, catalogFacts, type CatalogFacts, ProbeDefinition, Profile, resolutionOf, type ResolveRequest } from './index.ts'
import { isInNetwork } from './address-class.ts'
import { request, sampleCatalog, sampleProfile } from './samples.test.ts'

const facts = (changes: Partial<ResolveRequest> = {}): CatalogFacts => catalogFacts({ ...request(changes), observedAt: new Date(0), validForMs: 1_000 })

test('a plain address has no user, password, query or fragment, each by itself', () => {
  assert.equal(isPlainUrl('https://a.example/v1'), true)
  for (const text of ['no address', 'https://user@a.example/', 'https://:pass@a.example/', 'https://a.example/?q=1', 'https://a.example/#f', 'https://a.example/?', 'https://a.example/#']) assert.equal(isPlainUrl(text), false, text)
})

test('a budget limits something', () => {
  for (const one of [{ calls: 1 }, { tokens: 1 }, { cost: 'USD 1' }]) assert.equal(Budget.safeParse(one).success, true, JSON.stringify(one))
  assert.equal(Budget.safeParse({}).success, false)
  const profile = (budget: unknown): boolean => Profile.safeParse({ ...sampleProfile('scripted/coder-1'), budget }).success
  assert.deepEqual([profile({ total: { calls: 1 } }), profile({ perDay: { calls: 1 } }), profile({}), profile({ total: {} })], [true, true, false, false])
})

test('a request that carries or answers no body declares none', () => {
  const fits = (change: object): boolean => DeclaredRequest.safeParse({ method: 'GET', path: '/a', status: 200, ...change }).success
  const json = { type: 'null' }
  assert.deepEqual([fits({}), fits({ json }), fits({ method: 'POST', body: 1 }), fits({ method: 'POST', json }), fits({ method: 'HEAD' })], [true, true, true, true, true])
  assert.deepEqual([fits({ body: 1 }), fits({ method: 'HEAD', body: 1 }), fits({ method: 'HEAD', json })], [false, false, false])
})

test('what a service must refuse is asked where nothing else refuses it', () => {
  const [post] = DEFINITIONS.api_smoke.requests
  const fits = (change: object): boolean => ProbeDefinition.safeParse({ ...DEFINITIONS.api_smoke, ...change }).success
  const get = (path: string, status: number): object => ({ method: 'GET', path, status })
  assert.equal(fits({}), true)
  assert.equal(fits({ requests: [post, get('/nowhere', 404)] }), true)
  assert.equal(fits({ requests: [post, get('/nowhere', 200)] }), false)
  assert.equal(fits({ requests: [get('/a', 200)] }), true, 'where nothing takes a body it may be sent anywhere')
  for (const malformedBody of [{ method: 'PUT', path: '/notes' }, { method: 'POST', path: '/others' }]) assert.equal(fits({ malformedBody }), false, JSON.stringify(malformedBody))
  assert.equal(fits({ requests: [post, { method: 'PUT', path: '/others', status: 200, body: 1 }], malformedBody: { method: 'PUT', path: '/others' } }), true)
})

test('stored facts say what they resolve to, and whether the tables are still what they were', () => {
  assert.equal(resolutionOf(facts())?.pair.model, 'coder-1')
  assert.equal(resolutionOf(facts({ purpose: 'review' })), undefined)
  const { catalog, override } = request()
  assert.equal(isUnchanged(facts(), { catalog, override }), true)
  assert.equal(isUnchanged(facts(), { catalog: sampleCatalog({ profiles: {} }), override }), false)
  assert.equal(isUnchanged(facts({ profile: 'by_alias' }), { catalog, override: { invalid: 'not JSON' } }), false)
})

test('an exact pair has a slash, a table has its own entries alone, and no table has none', () => {
  assert.deepEqual([isExactPair('scripted/coder-1'), isExactPair('coder')], [true, false])
  assert.deepEqual([entryOf({ a: 1 }, 'a'), entryOf({ a: 1 }, 'toString'), entryOf(undefined, 'a')], [1, undefined, undefined])
})

test('a name that moves is one from its beginning, and at its end', () => {
  for (const name of ['latest', 'coder-latest', 'sonnet', 'Opus']) assert.equal(typeof floatingReason(name), 'string', name)
  for (const name of ['latest-1', 'coder-latest-2', 'my-sonnet', 'sonnet-4']) assert.equal(floatingReason(name), undefined, name)
})

test('a network is an address and its bits, whole, and holds addresses of its own family', () => {
  for (const text of ['10.20.0.0/16', 'fd00::/8', '10.0.0.1/32']) assert.equal(isNetwork(text), true, text)
  for (const text of ['10.20.0.1/16', 'x10.20.0.0/16', '10.20.0.0/16x', '10.20.0.0/33', '10.20.0.0/0', '10.20.0.0', '/16', '10.20.0.0.0/16', 'zz::/8']) assert.equal(isNetwork(text), false, text)
  assert.deepEqual([isInNetwork('10.20.3.4', '10.20.0.0/16'), isInNetwork('10.21.0.0', '10.20.0.0/16'), isInNetwork('::1', '10.20.0.0/16'), isInNetwork('a14::1', '10.20.0.0/16'), isInNetwork('no address', '10.20.0.0/16'), isInNetwork('10.20.3.4', 'no network'), isInNetwork('10.20.3.4', 'a14::/16')], [true, false, false, false, false, false, false])
})

test('an id that two aliases lead to is one route, by the first that leads there', () => {
  const { catalog } = request()
  const expanded = expandTarget('top', { ...catalog, aliases: { top: { candidates: ['middle', 'scripted/coder-1'] }, middle: { candidates: ['scripted/coder-1'] } } })
  assert.deepEqual(expanded, { routes: [{ pair: 'scripted/coder-1', steps: ['top', 'middle'] }] })
})
