import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { inProcessServer } from '../../test/helpers/in-process-server.ts'
import { DoctorView } from '../app/check-desk.ts'
import { StoredAct } from '../app/acts.ts'

const Acts = z.strictObject({ acts: z.array(StoredAct), next: z.string().nullable() })

test('an act says what came of it: carried out, refused with its code; what was refused before it was one is none; the book comes in pages', async (context) => {
  const running = await inProcessServer(context)
  const acts = async (query = '') => Acts.parse((await running.ask(`/acts${query}`, { token: running.admin })).json())
  const post = (path: string, body: unknown, token = running.admin) => running.ask(path, { method: 'POST', token, body })
  const reader = await running.token('reader')
  const tokens = await running.server.store.tokens()
  const id = tokens.find(({ kind }) => kind === 'reader')?.id ?? ''
  assert.equal((await post(`/tokens/${id}/revoke`, { reason: 'has left' }, reader)).status, 403)
  assert.equal((await post(`/tokens/${id}/revoke`, { reason: '' })).status, 422)
  assert.deepEqual(await acts(), { acts: [], next: null })
  assert.equal((await post(`/tokens/${id}/revoke`, { reason: 'has left' })).status, 200)
  assert.equal((await post('/agents/nobody/drain', { reason: 'is late' })).status, 400)
  assert.equal((await post('/runs/20260601T013918Z-nothing-1/cancel', { reason: 'why not' })).status, 404)
  assert.equal((await post('/tokens/tok_0000000000000000/revoke', { reason: 'guess' })).status, 404)
  const told = await acts()
  // A run that is not there was never asked to end.
  assert.deepEqual(told.acts.map(({ act, reason, actor, outcome }) => [act, reason, actor, outcome?.outcome, outcome?.code]), [
    ['revoke_token', 'guess', 'first', 'refused', 'token_not_found'],
    ['drain_agent', 'is late', 'first', 'refused', 'usage'],
    ['revoke_token', 'has left', 'first', 'done', null],
  ])
  const [first, second] = [await acts('?limit=2'), await acts(`?limit=2&cursor=${(await acts('?limit=2')).next}`)]
  assert.deepEqual([[...first.acts, ...second.acts], second.next], [told.acts, null])
  assert.equal((await running.ask('/acts?cursor=x', { token: running.admin })).status, 422)
})

test('the last result of the doctor is shown as the ledger names it; a changed file shows nothing, and says so', async (context) => {
  const running = await inProcessServer(context)
  const look = async () => DoctorView.parse((await running.ask('/doctor', { token: running.admin })).json())
  assert.deepEqual(await look(), { last: null, tampered: null })
  assert.equal((await running.ask('/doctor', { method: 'POST', token: running.admin, body: { soon: '7d' } })).status, 200)
  const { last, tampered } = await look()
  assert.deepEqual([last?.asked_by, tampered], ['first', null])
  const path = join(running.made.directory, '.portcullis/last-doctor.json')
  const whole = readFileSync(path, 'utf8')
  writeFileSync(path, whole.replace('"missing"', '"ok"'))
  const changed = await look()
  assert.equal(changed.last, null)
  assert.match(changed.tampered ?? '', /^last-doctor\.json is [0-9a-f]{12}, and the ledger names [0-9a-f]{12}$/)
  // A result that no server of this ledger wrote is none.
  writeFileSync(join(running.made.directory, '.portcullis/last-drill.json'), whole)
  const drill = z.looseObject({ last: z.null(), tampered: z.string() }).parse((await running.ask('/drill', { token: running.admin })).json())
  assert.equal(drill.tampered, 'last-drill.json is there, and the ledger names none')
  writeFileSync(path, whole)
  assert.deepEqual((await look()).last, last)
})
