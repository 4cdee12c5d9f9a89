import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PortcullisError } from '../contract/errors.ts'
import { accessStoreIn, ledgerIn, queueIn } from './store.ts'

const named = { environment: { PORTCULLIS_DATABASE_URL: 'postgres://keeper:tr0ub4dor@127.0.0.1:1/ledger' } }
const refusal = (error: unknown): boolean => error instanceof PortcullisError && error.code === 'usage' && error.found === 'a database that is read and copied, and never written run by run' && !error.message.includes('tr0ub4dor')

test('with a database in the environment nothing is opened to be written', async () => {
  await assert.rejects(ledgerIn(named, '/nowhere').open(), refusal)
  await assert.rejects(accessStoreIn(named, '/nowhere'), refusal)
  await assert.rejects(queueIn(named, '/nowhere'), refusal)
})

test('a database that does not answer is a fault, and not an empty ledger', async () => {
  for (const asked of [() => ledgerIn(named, '/nowhere').openExisting(), () => ledgerIn(named, '/nowhere').openFor('20261120T213918Z-r1-string-slugify-1')]) {
    await assert.rejects(asked(), (error) => error instanceof PortcullisError && error.code === 'store_failed' && /ECONNREFUSED/.test(error.found) && !error.found.includes('tr0ub4dor'))
  }
})

test('one place says which ledger is meant; only the drill and the check of coding agents have ledgers of their own, and verify the file that was named', () => {
  const files = globSync('app{.ts,/*.ts}', { cwd: join(import.meta.dirname, '..') }).filter((path) => !path.endsWith('.test.ts'))
  assert.ok(files.length > 20)
  const opening = files.filter((path) => /new LedgerOnDemand\(|openAccessStore\(|openLedger\w*\(|openRunQueue\(/.test(readFileSync(join(import.meta.dirname, '..', path), 'utf8')))
  assert.deepEqual(opening.toSorted(), ['app/agent-clis.ts', 'app/drill.ts', 'app/store.ts', 'app/verify.ts'])
})
