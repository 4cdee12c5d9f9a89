import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRunToken } from '../../contract/ids.ts'
import { type Bounds, boundsOf, composeLaunchFacts, findSecretSurfaces, type LaunchCircumstances, liesInside } from './index.ts'

type Limits = Parameters<typeof boundsOf>[0]['limits']
const bounds = (limits: Partial<Limits>): Bounds | undefined => boundsOf({ limits: { total: '10m', idle: '1m', calls: 1, tokens: 1, ...limits } })

test('a profile has the bounds that it names, each for itself, and none that it does not', () => {
  assert.equal(bounds({}), undefined)
  assert.deepEqual(bounds({ memory: '1KiB' }), { memoryBytes: 1_024, processes: null, fileBytes: null })
  assert.deepEqual(bounds({ processes: 7 }), { memoryBytes: null, processes: 7, fileBytes: null })
  assert.deepEqual(bounds({ fileSize: '1B' }), { memoryBytes: null, processes: null, fileBytes: 1 })
  for (const size of ['0B', 'much']) assert.throws(() => bounds({ memory: size }), RangeError, size)
})

const circumstances: LaunchCircumstances = { observedAt: new Date(0), validForMs: 1_000, runDirectory: '/run', isolation: { required: 'none', reached: 'none', obstacle: null }, secrets: [], unenforceableLimits: ['memory'] }

test('a limit that cannot be enforced stands in the facts, also where nothing could be planned', () => {
  const refusal = { reason: 'agent_not_installed', message: 'm', asked: 'a', found: 'f', remedy: 'r' } as const
  assert.deepEqual(composeLaunchFacts({ ok: false, refusal }, { inherited: {}, runToken: createRunToken() }, circumstances).limits, { unenforceable: ['memory'] })
})

test('a credential of any length is found in Base64 wherever it begins, and the padding of another is not', () => {
  const token = createRunToken()
  for (const length of [16, 17, 18, 24]) {
    const secret = 'Kq7+/x9Zr3Tm1Wv5Yb8Nc2Lp'.slice(0, length)
    for (const before of ['', 'a', 'ab', 'abc']) {
      const content = Buffer.from(`${before}${secret}!tail`).toString('base64')
      assert.deepEqual(findSecretSurfaces({ argv: [], environment: {}, files: [{ path: '/f', content }] }, [secret], token), ['file:/f'], `${length} behind ${before.length}`)
    }
  }
  // As long as the shortest that is told from chance: not a character of it may be lost.
  const nine = 'abcdefghi'
  assert.deepEqual(findSecretSurfaces({ argv: [Buffer.from(nine).toString('base64')], environment: {}, files: [] }, [nine], token), ['argv'])
  // Too short to be told from chance in Base64; as it is, it is found all the same.
  const short = 'abc'
  assert.deepEqual(findSecretSurfaces({ argv: [Buffer.from(short).toString('base64')], environment: {}, files: [] }, [short], token), [])
  assert.deepEqual(findSecretSurfaces({ argv: [short], environment: {}, files: [] }, [short], token), ['argv'])
})

test('a path lies inside a directory below it, and nowhere else', () => {
  const root = join('/', 'run', 'workspace')
  for (const [path, inside] of [['/run/workspace/a', true], ['/run/workspace/..a', true], ['/run/workspace', false], ['/run/workspace2', false], ['/run', false], ['/etc', false]] as const) assert.equal(liesInside(root, path), inside, path)
})
