import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { createRunToken } from '../../contract/ids.ts'
import { composeLaunchFacts } from './launch-facts.ts'
import { findSecretSurfaces, type LaunchSurfaces } from './secret-surfaces.ts'

const secret = 'sk-canary-6f1d"\\ü-0123456789'
const token = createRunToken()
const clean: LaunchSurfaces = { argv: ['/bin/agent', '--mode', 'rpc'], environment: { HOME: '/run/home', PORTCULLIS_RUN_TOKEN: token }, files: [{ path: '/run/home/models.json', content: '{"apiKey":"$PORTCULLIS_RUN_TOKEN"}' }] }

const spellings: Record<string, string> = {
  'as it is': secret,
  'within a longer text': `Bearer ${secret} and more`,
  'as base64': Buffer.from(secret).toString('base64'),
  'as base64 behind one byte': Buffer.from(`:${secret}`).toString('base64'),
  'as base64 in the middle': Buffer.from(`ab${secret}cd`).toString('base64'),
  'as base64url': Buffer.from(secret).toString('base64url'),
  'as hex': Buffer.from(secret).toString('hex'),
  'as part of a URL': encodeURIComponent(secret),
  'as JSON': JSON.stringify({ secret }),
}

for (const [name, spelled] of Object.entries(spellings)) {
  verifies('SEC-01', `a credential ${name} is found on each surface, by its name alone`, () => {
    const find = (surfaces: Partial<LaunchSurfaces>): string[] => findSecretSurfaces({ ...clean, ...surfaces }, ['another', secret], token)
    assert.deepEqual(find({ argv: ['/bin/agent', spelled] }), ['argv'])
    assert.deepEqual(find({ environment: { ...clean.environment, OPENAI_API_KEY: spelled } }), ['environment:OPENAI_API_KEY'])
    assert.deepEqual(find({ files: [{ path: '/run/home/auth.json', content: spelled }] }), ['file:/run/home/auth.json'])
  })
}

test('a launch without a credential has no finding, and an empty credential is none', () => {
  assert.deepEqual(findSecretSurfaces(clean, [secret, ''], token), [])
})

test('a credential cut over two arguments, or used as a name, is found and not repeated', () => {
  const found = findSecretSurfaces({ argv: ['/bin/agent', secret.slice(0, 9), secret.slice(9)], environment: { [secret]: '1' }, files: [{ path: `/run/${secret}`, content: '' }] }, [secret], token)
  assert.deepEqual(found, ['argv', 'environment:(name withheld)', 'file:(path withheld)'])
})

test('the run token may stand in the environment only', () => {
  assert.deepEqual(findSecretSurfaces({ ...clean, argv: ['/bin/agent', `--key=${token}`] }, [], token), ['argv'])
  assert.deepEqual(findSecretSurfaces({ ...clean, files: [{ path: '/run/home/auth.json', content: token }] }, [], token), ['file:/run/home/auth.json'])
})

test('a refused plan composes to facts with the refusal and nothing else', () => {
  const refusal = { reason: 'agent_not_installed', message: 'm', asked: 'a', found: 'f', remedy: 'r' } as const
  const facts = composeLaunchFacts({ ok: false, refusal }, { inherited: {}, runToken: token }, circumstances)
  assert.deepEqual([facts.plan, facts.refusal, facts.secretsFound], [null, refusal, []])
})

const circumstances = {
  observedAt: new Date('2026-11-20T21:39:18Z'),
  validForMs: 1_000,
  runDirectory: '/run',
  isolation: { required: 'env', reached: 'env', obstacle: null },
  secrets: [secret],
  unenforceableLimits: [],
} as const

verifies('ADM-E6', 'a variable with our own value counts as inherited, unless the adapter fixes that very value', () => {
  const plan = { environmentSettings: { PI_OFFLINE: '1' } }
  const launch = { plan, argv: ['/bin/agent'], environment: { PATH: '/bin', GH_TOKEN: 'x1', HOME: '/run/home', PI_OFFLINE: '1' }, files: [] }
  const inherited = { PATH: '/bin', GH_TOKEN: 'x1', HOME: '/home/user', PI_OFFLINE: '1' }
  // @ts-expect-error: only what is read of a plan stands here
  const facts = composeLaunchFacts({ ok: true, launch }, { inherited, runToken: token }, circumstances)
  assert.deepEqual(facts.inheritedNames, ['GH_TOKEN', 'PATH'])
})
