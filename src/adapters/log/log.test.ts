import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './index.ts'

test('a line is one JSON object with time and level, and a credential is withheld at whatever depth it stands', () => {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const secret = 'pca_s3cret'
  log.info({ method: 'GET', authorization: secret, headers: { authorization: secret, cookie: secret, 'x-api-key': secret }, outer: { headers: { authorization: secret, 'set-cookie': secret } }, token: secret }, 'answered')
  log.error({ code: 'store_busy' }, 'refused')
  assert.equal(lines.length, 2)
  assert.doesNotMatch(lines.join(''), /s3cret/)
  const [first, second] = lines.map((line): unknown => JSON.parse(line))
  assert.partialDeepStrictEqual(first, { level: 'info', method: 'GET', msg: 'answered', authorization: '[withheld]' })
  assert.partialDeepStrictEqual(second, { level: 'error', code: 'store_busy', msg: 'refused' })
})
