import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PortcullisError } from '../../contract/errors.ts'
import { databaseAddress, holdsPassword } from './index.ts'

const SECRET = 'tr0ub4dor'

test('an address says where the database is, and its password to nobody', () => {
  const shown = (text: string): string => databaseAddress(text).shown
  assert.equal(shown(`postgres://keeper:${SECRET}@127.0.0.1:5433/ledger`), 'postgres://keeper@127.0.0.1:5433/ledger')
  assert.equal(shown(`postgresql://keeper:${SECRET}@[::1]/ledger`), 'postgres://keeper@::1/ledger')
  assert.equal(shown('postgres://keeper@localhost/ledger?host=/var/run/postgresql'), 'postgres://keeper@/var/run/postgresql/ledger')
  assert.equal(shown(`postgres://keeper:${SECRET}@db.example.com/ledger?sslmode=verify-full`), 'postgres://keeper@db.example.com/ledger')
})

test('an address that leaves anything to guess, or anybody to answer in its place, is refused without quoting it', () => {
  const refused: readonly (readonly [text: string, found: RegExp])[] = [
    [SECRET, /^no address$/],
    [`mysql://keeper:${SECRET}@127.0.0.1/ledger`, /^an address of "mysql"$/],
    [`postgres://:${SECRET}@127.0.0.1/ledger`, /^an address without user$/],
    [`postgres://keeper:${SECRET}@127.0.0.1`, /^an address without database$/],
    [`postgres://keeper:${SECRET}@db.example.com/ledger`, /^db\.example\.com without sslmode=verify-full/],
    [`postgres://keeper:${SECRET}@db.example.com/ledger?sslmode=no-verify`, /^db\.example\.com without sslmode=verify-full/],
    [`postgres://keeper:${SECRET}@127.0.0.1/ledger?host=db.example.com`, /^db\.example\.com without sslmode=verify-full/],
    // The driver believes the last of two, so that the first would be judged and the second called.
    [`postgres://keeper:${SECRET}@127.0.0.1/ledger?host=/tmp&host=db.example.com`, /^more after its "\?"/],
    [`postgres://keeper@127.0.0.1/ledger?password=${SECRET}`, /^more after its "\?"/],
    [`postgres://keeper:${SECRET}@127.0.0.1/ledger?user=other`, /^more after its "\?"/],
  ]
  for (const [text, found] of refused) {
    assert.throws(() => databaseAddress(text), (error) => error instanceof PortcullisError && error.code === 'usage' && found.test(error.found) && !JSON.stringify([error.message, error.asked, error.remedy]).includes(SECRET) && error.cause === undefined, text)
  }
})

test('a password is seen wherever it stands in an address', () => {
  assert.ok(holdsPassword(`postgres://keeper:${SECRET}@127.0.0.1/ledger`))
  assert.ok(holdsPassword(`postgres://keeper@127.0.0.1/ledger?password=${SECRET}`))
  assert.ok(holdsPassword(`nothing that can be read?PASSWORD=${SECRET}`))
  assert.ok(!holdsPassword('postgres://keeper@127.0.0.1/ledger'))
})
