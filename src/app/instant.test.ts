import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PortcullisError } from '../contract/errors.ts'
import { instantOf } from './instant.ts'

const NOW = new Date('2026-11-20T21:39:18Z')

void test('an end is an instant to come or a duration, and nothing that could be read as another one', () => {
  assert.equal(instantOf('45m', NOW).toISOString(), '2026-11-20T22:24:18.000Z')
  assert.equal(instantOf('1.5h', NOW).toISOString(), '2026-11-20T23:09:18.000Z')
  assert.equal(instantOf('2027-06-01', NOW).toISOString(), '2027-06-01T00:00:00.000Z')
  assert.equal(instantOf('2027-06-01T02:00:00+02:00', NOW).toISOString(), '2027-06-01T00:00:00.000Z')
  const refused = ['', '0s', '-1h', '45', '49', '3000', '9999', '2027', '2027-06', '06/01/2027', '1 June 2027', '2027-06-01T00:00:00', '2027-06-01 00:00', '2026-11-20', '2026-11-20T21:39:18Z', '99999999d', '+012345-01-01T00:00:00Z', '9999-12-31']
  for (const text of refused) assert.throws(() => instantOf(text, NOW), (error) => error instanceof PortcullisError && error.found === JSON.stringify(text), text)
})
