import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../test/verifies.ts'
import { ACCESS_KINDS } from '../contract/access.ts'
import { denialOf } from './access.ts'

const now = new Date('2026-11-21T10:00:00.000Z')
const token = { kind: 'reader', expiresAt: '2026-11-21T10:00:00.001Z', revokedAt: null } as const

verifies('AUT-03 AUT-04', 'a token opens what its kind may, until it expires or is revoked; what is not known opens nothing', () => {
  assert.equal(denialOf(token, ['reader'], now), undefined)
  assert.equal(denialOf(token, ['admin', 'operator', 'worker', 'run'], now), 'kind_not_permitted')
  assert.equal(denialOf(token, [], now), 'kind_not_permitted')
  assert.equal(denialOf({ ...token, expiresAt: now.toISOString() }, ['reader'], now), 'token_expired')
  assert.equal(denialOf({ ...token, expiresAt: 'never' }, ['reader'], now), 'token_expired')
  assert.equal(denialOf({ ...token, revokedAt: '2026-11-22T00:00:00.000Z' }, ['reader'], now), 'token_revoked')
  assert.equal(denialOf(undefined, ACCESS_KINDS, now), 'token_unknown')
})

test('whoever holds a token that is not in force learns nothing about its kind', () => {
  assert.equal(denialOf({ ...token, revokedAt: now.toISOString() }, ['admin'], now), 'token_revoked')
  assert.equal(denialOf({ ...token, expiresAt: now.toISOString() }, ['admin'], now), 'token_expired')
})
