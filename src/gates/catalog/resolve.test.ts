import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { printTriple } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import { verifies } from '../../../test/verifies.ts'
import { grantPreflightCapability, type PreflightCapability } from './capability.ts'
import { AliasOverride, type Catalog } from './catalog.ts'
import { resolveProfile, type ResolvedProfile, type ResolveRequest } from './resolve.ts'
import { request, sampleCatalog, sampleProfile, sampleProvider } from './samples.test.ts'
import { canonicalJson } from '../../contract/canonical.ts'
import { sliceCatalog } from './slice.ts'

function resolved(changes: Partial<ResolveRequest> = {}): ResolvedProfile {
  const outcome = resolveProfile(request(changes))
  assert.ok('resolution' in outcome, JSON.stringify(outcome))
  return outcome.resolution
}

function refused(changes: Partial<ResolveRequest>, reason: Reason, found: RegExp) {
  const outcome = resolveProfile(request(changes))
  assert.ok('refusal' in outcome, 'resolved what must be refused')
  assert.equal(outcome.refusal.reason, reason)
  assert.match(outcome.refusal.found, found)
  for (const text of [outcome.refusal.message, outcome.refusal.asked, outcome.refusal.remedy]) assert.ok(text.length > 0)
  return outcome.refusal
}

/** A catalog in which the profile `x` names the alias `a`, and these are the aliases. */
const withAliases = (aliases: Record<string, string[]>): Catalog =>
  sampleCatalog({ aliases: Object.fromEntries(Object.entries(aliases).map(([name, candidates]) => [name, { candidates }])), profiles: { x: sampleProfile('a') } })

const override = (aliases: Record<string, { candidates: string[]; requires?: 'tools'[]; onUnhealthy?: 'block' }>) => ({ value: AliasOverride.parse({ version: 1, reason: 'drained', aliases }) })

verifies('MC-080', 'a profile name resolves to separate fields and is never parsed', () => {
  const { profile, pair, profileName, provider } = resolved({ profile: 'claude_opus_1m_medium' })
  assert.deepEqual({ agent: profile.agent, ...pair, context: profile.context, effort: profile.effort, permissions: profile.permissions }, {
    agent: 'claude', provider: 'scripted', model: 'opus-4-8-20260101', context: '1m', effort: 'medium', permissions: 'accept-edits',
  })
  assert.equal(provider.networkClass, 'loopback')
  // The same fields under a name that says something else: the name decides nothing.
  const catalog = sampleCatalog()
  const misnamed = sampleCatalog({ profiles: { codex_sonnet_200k_high: { ...catalog.profiles['claude_opus_1m_medium'], ...sampleProfile('scripted/coder-1') } } })
  assert.equal(profileName, 'claude_opus_1m_medium')
  assert.deepEqual(resolved({ catalog: misnamed, profile: 'codex_sonnet_200k_high' }).pair, { provider: 'scripted', model: 'coder-1' })
})

verifies('MC-081', 'a resolution prints as the triple that an operator reads', () => {
  const { profile, pair } = resolved()
  assert.equal(printTriple({ runtime: profile.agent, ...pair }), 'pi/scripted/coder-1')
})

test('a profile that does not exist is refused, also one named like a property of every object', () => {
  refused({ profile: 'nobody' }, 'profile_unknown', /no such profile/)
  refused({ profile: 'constructor' }, 'profile_unknown', /no such profile/)
  refused({ profile: '__proto__' }, 'profile_unknown', /no such profile/)
  assert.match(refused({ profile: 'nobody' }, 'profile_unknown', /./).remedy, /profiles allowed for ticket: by_alias, claude_opus_1m_medium, pi_scripted/)
})

verifies('MC-083', 'an alias resolves to the exact id of the candidate that is asked', () => {
  const first = resolved({ profile: 'by_alias' })
  assert.equal(first.asked, 'tool-use-capable')
  assert.deepEqual(first.pair, { provider: 'scripted', model: 'coder-1' })
  assert.deepEqual(first.alias, {
    name: 'tool-use-capable', steps: ['tool-use-capable'], requires: ['tools'], onUnhealthy: 'next-admitted',
    candidates: ['scripted/coder-1', 'qwen-local/qwen3.6-35b-a3b'], overrideDigest: null,
  })
  const second = resolved({ profile: 'by_alias', candidate: 1 })
  assert.deepEqual(second.pair, { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' })
  assert.equal(second.provider.networkClass, 'local-vllm')
  assert.equal(resolved().alias, null)
})

verifies('MC-083', 'five steps are followed and the sixth is refused', () => {
  const chain = { a: ['b'], b: ['c'], c: ['d'], d: ['e'], e: ['scripted/coder-1'] }
  assert.deepEqual(resolved({ catalog: withAliases(chain), profile: 'x' }).alias?.steps, ['a', 'b', 'c', 'd', 'e'])
  refused({ catalog: withAliases({ ...chain, e: ['f'], f: ['scripted/coder-1'] }), profile: 'x' }, 'alias_too_deep', /a -> b -> c -> d -> e -> f/)
  // Reached first by a short way and then by a long one: the long one counts too.
  const twoWays = { a: ['e', 'b'], b: ['c'], c: ['d'], d: ['e'], e: ['f'], f: ['scripted/coder-1'] }
  refused({ catalog: withAliases(twoWays), profile: 'x' }, 'alias_too_deep', /more than 5 steps/)
})

for (const [name, aliases, reason, found] of [
  ['an alias of itself', { a: ['a'] }, 'alias_cycle', /a -> a$/],
  ['two that name each other', { a: ['b'], b: ['a'] }, 'alias_cycle', /a -> b -> a/],
  ['a cycle behind a good first candidate', { a: ['scripted/coder-1', 'b'], b: ['a'] }, 'alias_cycle', /a -> b -> a/],
  ['a target nobody defines', { a: ['gone'] }, 'alias_unknown', /a -> gone/],
  ['a property of every object', { a: ['constructor'] }, 'alias_unknown', /constructor/],
  ['a family name', { a: ['sonnet'] }, 'alias_floating', /family/],
  ['a family name at a provider', { a: ['scripted/sonnet'] }, 'alias_floating', /family/],
  ['the newest', { a: ['scripted/latest'] }, 'alias_floating', /newest/],
  ['a moving suffix', { a: ['scripted/coder-latest'] }, 'alias_floating', /newest/],
  ['a moving tag', { a: ['scripted/coder:latest'] }, 'alias_floating', /newest/],
  ['everything', { a: ['*'] }, 'alias_floating', /pattern/],
  ['a pattern at a provider', { a: ['scripted/coder-*'] }, 'alias_floating', /pattern/],
  ['a variant in brackets', { a: ['scripted/opus[1m]'] }, 'alias_floating', /context variant/],
  ['a moving second candidate', { a: ['scripted/coder-1', 'scripted/coder-latest'] }, 'alias_floating', /newest/],
  ['a provider nobody defines', { a: ['anthropic/claude-opus-4-8'] }, 'provider_unknown', /no provider is named anthropic/],
] as const) {
  verifies('MC-083', `an alias that leads to ${name} is refused`, () => {
    refused({ catalog: withAliases(Object.fromEntries(Object.entries<readonly string[]>(aliases).map(([key, value]) => [key, [...value]]))), profile: 'x' }, reason, found)
  })
}

test('a profile that names a floating id itself is refused like an alias that does', () => {
  refused({ catalog: sampleCatalog({ profiles: { x: sampleProfile('scripted/coder-latest') } }), profile: 'x' }, 'alias_floating', /newest/)
  refused({ catalog: sampleCatalog({ profiles: { x: sampleProfile('nobody/coder-1') } }), profile: 'x' }, 'provider_unknown', /nobody/)
})

test('a candidate that does not exist is refused, never replaced by another', () => {
  refused({ profile: 'by_alias', candidate: 2 }, 'alias_exhausted', /2 candidates/)
  refused({ candidate: 1 }, 'alias_exhausted', /one candidate/)
  for (const candidate of [-1, 0.5, Number.NaN]) refused({ profile: 'by_alias', candidate }, 'alias_exhausted', /2 candidates/)
})

test('an alias that nobody allowed to fail over blocks when its candidate is unhealthy', () => {
  const catalog = sampleCatalog({ profiles: { x: sampleProfile('indirect') } })
  const { alias } = resolved({ catalog, profile: 'x' })
  assert.deepEqual(alias?.steps, ['indirect', 'tool-use-capable'])
  assert.deepEqual(alias?.requires, ['tools'], 'what an inner alias requires holds for the outer one')
  assert.equal(alias?.onUnhealthy, 'block', 'the outer alias does not allow it')
})

verifies('MC-084', 'an override changes the target at the next resolution and its digest stands in the result', () => {
  const catalog = sampleCatalog()
  const before = resolved({ catalog, profile: 'by_alias' })
  const after = resolved({ catalog, profile: 'by_alias', override: override({ 'tool-use-capable': { candidates: ['qwen-local/qwen3.6-35b-a3b'] } }) })
  assert.deepEqual(before.pair, { provider: 'scripted', model: 'coder-1' })
  assert.deepEqual(after.pair, { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' })
  assert.equal(before.alias?.overrideDigest, null)
  assert.match(after.alias?.overrideDigest ?? '', /^[0-9a-f]{64}$/)
  assert.notEqual(after.alias?.overrideDigest, resolved({ catalog, profile: 'by_alias', override: override({ 'tool-use-capable': { candidates: ['scripted/coder-2'] } }) }).alias?.overrideDigest)
  assert.deepEqual(catalog, sampleCatalog(), 'the catalog itself is not touched')
})

test('an override cannot drop what the alias requires, and may add to it', () => {
  assert.deepEqual(resolved({ profile: 'by_alias', override: override({ 'tool-use-capable': { candidates: ['scripted/coder-2'], requires: [] } }) }).alias?.requires, ['tools'])
  assert.equal(resolved({ profile: 'by_alias', override: override({ 'tool-use-capable': { candidates: ['scripted/coder-2'], onUnhealthy: 'block' } }) }).alias?.onUnhealthy, 'block')
  const catalog = sampleCatalog({ profiles: { x: sampleProfile('indirect') } })
  assert.deepEqual(resolved({ catalog, profile: 'x', override: override({ indirect: { candidates: ['scripted/coder-2'], requires: ['tools'] } }) }).alias?.requires, ['tools'])
})

for (const [name, state, found] of [
  ['that could not be read', { invalid: 'not JSON (line 1 column 2)' }, /aliases\.json: not JSON/],
  ['with an empty complaint', { invalid: '' }, /aliases\.json/],
  ['that names an alias nobody defines', override({ 'tool-use-capabel': { candidates: ['scripted/coder-1'] } }), /tool-use-capabel/],
  ['that names an unknown provider', override({ indirect: { candidates: ['anthropic/claude-opus-4-8'] } }), /no provider is named anthropic/],
  ['that names an unknown alias as target', override({ indirect: { candidates: ['nowhere'] } }), /nowhere/],
  ['with a floating target', override({ indirect: { candidates: ['scripted/coder-latest'] } }), /newest/],
  ['that closes a cycle', override({ 'tool-use-capable': { candidates: ['indirect'] } }), /indirect/],
] as const) {
  verifies('MC-085', `an override ${name} blocks every profile, also one that uses no alias`, () => {
    for (const profile of ['pi_scripted', 'by_alias']) refused({ profile, override: state }, 'alias_override_invalid', found)
  })
}

verifies('MC-086', 'a resolution keeps its target when the tables change afterwards', () => {
  const catalog = sampleCatalog()
  const running = resolved({ catalog, profile: 'by_alias' })
  const kept = structuredClone(running)
  const later = resolved({ catalog, profile: 'by_alias', override: override({ 'tool-use-capable': { candidates: ['scripted/coder-9'] } }) })
  assert.equal(later.pair.model, 'coder-9')
  assert.deepEqual(running, kept)
})

verifies('MC-087', 'a direct library call with a purpose that the profile does not list is a RuntimePurposeViolation', () => {
  const refusal = refused({ profile: 'reviewer', purpose: 'ticket' }, 'runtime_purpose_violation', /reviewer allows only review/)
  assert.match(refusal.message, /^RuntimePurposeViolation: /)
  assert.match(refusal.remedy, /profiles allowed for ticket: by_alias, claude_opus_1m_medium, pi_scripted/)
  refused({ purpose: 'review' }, 'runtime_purpose_violation', /allows only ticket, baseline/)
  refused({ purpose: 'holiday' }, 'purpose_unknown', /no such purpose/)
  refused({ purpose: 'toString' }, 'purpose_unknown', /no such purpose/)
  assert.equal(resolved({ profile: 'reviewer', purpose: 'review' }).purposeRules.needs[0], 'acceptance')
})

verifies('MC-088', 'the purpose is a required argument: leaving it out fails to compile and is refused at run time', () => {
  const { purpose: _left, ...without } = request()
  // @ts-expect-error the purpose may not be left out
  const outcome = resolveProfile(without)
  assert.ok('refusal' in outcome)
  assert.equal(outcome.refusal.reason, 'runtime_purpose_violation')
  assert.match(outcome.refusal.found, /no purpose was given/)
  // @ts-expect-error nor be undefined
  refused({ purpose: undefined }, 'runtime_purpose_violation', /no purpose was given/)
  // @ts-expect-error nor null
  refused({ purpose: null }, 'runtime_purpose_violation', /no purpose was given/)
  refused({ purpose: '' }, 'runtime_purpose_violation', /no purpose was given/)
})

verifies('MC-089', 'only a granted capability together with the preflight purpose may ignore the purposes of a profile', () => {
  const preflight = resolved({ purpose: 'preflight', capability: grantPreflightCapability() })
  assert.equal(preflight.purposeIgnored, true)
  refused({ purpose: 'preflight' }, 'runtime_purpose_violation', /belongs to the preflight/)
  // @ts-expect-error an object of that shape is not a capability
  refused({ purpose: 'preflight', capability: { name: 'preflight' } }, 'runtime_purpose_violation', /not granted/)
  refused({ purpose: 'preflight', capability: structuredClone(grantPreflightCapability()) }, 'runtime_purpose_violation', /not granted/)
  // @ts-expect-error nor is any other value
  refused({ purpose: 'preflight', capability: true }, 'runtime_purpose_violation', /not granted/)
  // A genuine capability opens nothing for an ordinary purpose.
  refused({ profile: 'reviewer', purpose: 'ticket', capability: grantPreflightCapability() }, 'runtime_purpose_violation', /reviewer allows only review/)
  assert.equal(resolved({ capability: grantPreflightCapability() }).purposeIgnored, false)
})

verifies('MC-089', 'a profile that lists the preflight purpose still cannot be used for it without the capability', () => {
  const catalog = sampleCatalog({ profiles: { x: sampleProfile('scripted/coder-1', ['preflight']) } })
  refused({ catalog, profile: 'x', purpose: 'preflight' }, 'runtime_purpose_violation', /belongs to the preflight/)
  assert.equal(resolved({ catalog, profile: 'x', purpose: 'preflight', capability: grantPreflightCapability() }).purposeIgnored, false)
})

verifies('MC-089', 'at most one place outside the catalog grants the capability', () => {
  const source = join(import.meta.dirname, '../..')
  const callers = globSync('**/*.ts', { cwd: source }).filter(
    (path) => !path.startsWith(`gates${sep}catalog${sep}`) && !path.endsWith('.test.ts') && readFileSync(join(source, path), 'utf8').includes('grantPreflightCapability'),
  )
  assert.ok(callers.length <= 1, `granted in ${callers.join(', ')}`)
})

test('resolving in the slice that the ledger keeps gives what the whole catalog gives', () => {
  const text = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'scripted/coder-1', 'qwen-local/q1', 'nobody/m', 'scripted/m-latest', 'gone')
  const aliases = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.record({ candidates: fc.array(text, { minLength: 1, maxLength: 3 }) }))
  const purposes = fc.subarray(['ticket', 'review', 'preflight'], { minLength: 1 })
  const profiles = fc.dictionary(fc.constantFrom('p', 'q', 'r', '1', '0'), fc.tuple(text, purposes).map(([model, allowed]) => sampleProfile(model, allowed)))
  const overrides = fc.option(aliases.map((table) => override(table)), { nil: null })
  const capability: fc.Arbitrary<PreflightCapability | null> = fc.constantFrom(null, grantPreflightCapability())
  fc.assert(
    fc.property(aliases, profiles, overrides, capability, fc.constantFrom('p', 'q', 'zz'), fc.constantFrom('ticket', 'review', 'preflight', 'none'), fc.nat(3), (table, named, state, held, profile, purpose, candidate) => {
      const catalog = sampleCatalog({ aliases: table, profiles: named, providers: { scripted: sampleProvider(), 'qwen-local': sampleProvider(), unused: sampleProvider() } })
      const asked = request({ catalog, override: state, profile, purpose, candidate, capability: held })
      const slice = sliceCatalog(catalog, { profile, purpose }, state)
      assert.deepEqual(resolveProfile({ ...asked, catalog: slice }), resolveProfile(asked))
      // As the ledger stores it, which keeps no order of names.
      assert.deepEqual(resolveProfile({ ...asked, catalog: JSON.parse(canonicalJson(slice)) as typeof slice }), resolveProfile(asked))
      assert.equal(Object.hasOwn(slice.providers, 'unused'), false)
    }),
    { numRuns: 500 },
  )
})
