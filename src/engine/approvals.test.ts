import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { verifies } from '../../test/verifies.ts'
import { createApprovedImages } from '../adapters/approved-images/index.ts'
import { openLedger } from '../adapters/store-sqlite/index.ts'
import { sha256 } from '../contract/canonical.ts'
import { type Approval, ApprovalEvidence } from '../gates/acceptance/index.ts'
import { type ApprovedImages, createApprovals } from './approvals.ts'
import type { Ledger } from './ledger.ts'
import { ArtefactEvidence } from './observations.ts'
import { RULEBOOK } from './rulebook.ts'
import { verifyHistory } from './verify-chain.ts'

const AT = new Date('2026-11-20T21:39:18.000Z')
const DEFINITION = 'd'.repeat(64)

interface Made {
  readonly ledger: Ledger
  readonly images: ApprovedImages
  readonly path: string
  approve(image: string, change?: Partial<Approval>): Promise<string>
}

async function made(context: TestContext): Promise<Made> {
  const directory = temporaryDirectory(context)
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  context.after(() => ledger.close())
  const images = createApprovedImages(directory)
  return {
    ledger, images, path,
    approve: async (image, change = {}) => {
      const approval = { of: 'render' as const, probe: 'page', definition_digest: DEFINITION, image: { sha256: images.write(Buffer.from(image)), width: 1, height: 1 }, run_id: '20261120T213918Z-t-1', record: 'e'.repeat(64), approved_by: 'J. Doe', reason: 'as drawn', approved_at: AT.toISOString(), ...change }
      const { runId } = await ledger.begin({ kind: 'approval', taskId: 'page', startedAt: AT })
      const event = { type: 'run_ended' as const, at: AT.toISOString(), data: { state: 'recorded', reason: null } }
      await ledger.append({ runId, evidence: [ApprovalEvidence.state([{ name: 'render', digest: { sha256: approval.image.sha256 } }], approval)], events: [event], state: { to: 'recorded', reason: null, at: AT } })
      return runId
    },
  }
}

verifies('ACC-51', 'approved is the last image that a person approved for exactly this definition, as the ledger says', async (context) => {
  const { ledger, images, approve } = await made(context)
  const approvals = createApprovals(ledger, images)
  assert.equal(await approvals.render('page', DEFINITION), undefined)
  const first = await approve('one')
  assert.deepEqual(await approvals.render('page', DEFINITION), { approval: first, sha256: sha256('one'), image: Buffer.from('one') })
  assert.equal(await approvals.render('page', 'c'.repeat(64)), undefined, 'another definition renders another picture')
  assert.equal(await approvals.render('other', DEFINITION), undefined)
  const second = await approve('two')
  await approve('three', { probe: 'other' })
  assert.equal((await approvals.render('page', DEFINITION))?.approval, second)
  const { runId } = await ledger.begin({ kind: 'approval', taskId: 'page', startedAt: AT })
  assert.equal((await approvals.render('page', DEFINITION))?.approval, second, `${runId} is not recorded`)
})

verifies('ACC-08', 'an approval whose record was changed is none, and an image that was changed is not shown', async (context) => {
  const { ledger, images, path, approve } = await made(context)
  const runId = await approve('one')
  const approvals = createApprovals(ledger, { ...images, read: () => undefined })
  assert.deepEqual(await approvals.render('page', DEFINITION), { approval: runId, sha256: sha256('one'), image: undefined })
  const database = new DatabaseSync(path)
  database.exec(`DROP TRIGGER entry_is_final; UPDATE entry SET body = replace(body, '${sha256('one')}', '${sha256('two')}') WHERE kind = 'evidence'`)
  database.close()
  assert.equal(await createApprovals(ledger, images).render('page', DEFINITION), undefined)
})

verifies('ACC-08', 'an approval that does not hold together is none: without its end, with another end, or of something else', async (context) => {
  const { ledger, images } = await made(context)
  const approvals = createApprovals(ledger, images)
  const approval = ApprovalEvidence.state([{ name: 'render', digest: { sha256: sha256('one') } }], { of: 'render', probe: 'page', definition_digest: DEFINITION, image: { sha256: images.write(Buffer.from('one')), width: 1, height: 1 }, run_id: '20261120T213918Z-t-1', record: 'e'.repeat(64), approved_by: 'J. Doe', reason: 'as drawn', approved_at: AT.toISOString() })
  const other = ArtefactEvidence.state([{ name: 'run', digest: { sha256: DEFINITION } }], { files: [] })
  const ended = { type: 'run_ended' as const, at: AT.toISOString(), data: { state: 'recorded', reason: null } }
  for (const [statement, events] of [[approval, []], [approval, [{ ...ended, data: { state: 'accepted', reason: null } }]], [approval, [{ ...ended, type: 'run_opened' as const }, ended]], [other, [ended]]] as const) {
    const { runId } = await ledger.begin({ kind: 'approval', taskId: 'page', startedAt: AT })
    await ledger.append({ runId, evidence: [statement], events, state: { to: 'recorded', reason: null, at: AT } })
    assert.equal(await approvals.render('page', DEFINITION), undefined)
    const history = (await ledger.history(runId)) ?? assert.fail()
    assert.deepEqual(verifyHistory(history, RULEBOOK).problems.map(({ code }) => code), ['state_unjustified'])
  }
})

test('an image that lies in the place of an approved one is not taken for it', async (context) => {
  const { images, path } = await made(context)
  const digest = images.write(Buffer.from('one'))
  assert.deepEqual(images.read(digest), Buffer.from('one'))
  writeFileSync(join(path, '../approved', `${digest}.png`), 'two')
  assert.equal(images.read(digest), undefined)
})

test('what is no approval does not become one by its state', async (context) => {
  const { ledger, images } = await made(context)
  const { runId } = await ledger.begin({ kind: 'approval', taskId: 'page', startedAt: AT })
  await ledger.append({ runId, evidence: [{ _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'x', digest: { sha256: DEFINITION } }], predicateType: 'https://portcullis.dev/evidence/approval/v1', predicate: { of: 'render', probe: 'page' } }], state: { to: 'recorded', reason: null, at: AT } })
  assert.equal(await createApprovals(ledger, images).render('page', DEFINITION), undefined)
})
