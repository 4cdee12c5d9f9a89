import assert from 'node:assert/strict'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { createKey } from '../keys/index.ts'
import { LedgerOnDemand } from '../store-sqlite/index.ts'
import { stateRows } from './state.ts'

test('the key that signs is looked at: not there yet, sound, without its private half, unreadable', async (t) => {
  const directory = temporaryDirectory(t)
  const row = async () => {
    const ledger = new LedgerOnDemand(join(directory, 'ledger.db'))
    try {
      return (await stateRows(directory, ledger)).find(({ name }) => name === 'signing key')
    } finally {
      await ledger.close()
    }
  }
  assert.deepEqual([(await row())?.status, (await row())?.found], ['ok', 'not there yet; the first run makes it'])
  const keys = join(directory, 'keys')
  const { key_id: keyId } = createKey(keys, { algorithm: 'ed25519', privateKeyFile: undefined, at: new Date(0) })
  assert.deepEqual([(await row())?.status, (await row())?.found], ['ok', `ed25519 ${keyId.slice(0, 12)}, of 1 that were ever used here`])
  for (const file of readdirSync(keys).filter((name) => name.endsWith('.key.pem'))) rmSync(join(keys, file))
  const gone = await row()
  assert.equal(gone?.status, 'missing')
  assert.ok(gone.remedy !== null && gone.remedy.length > 0)
  writeFileSync(join(keys, 'keys.json'), '{')
  assert.equal((await row())?.status, 'missing')
})
