import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { PASSED_PAYLOADS } from '../../test/helpers/probe-samples.ts'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { createApprovedImages } from '../adapters/approved-images/index.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { openLedger } from '../adapters/store-sqlite/index.ts'
import { sha256 } from '../contract/canonical.ts'
import type { PortcullisError } from '../contract/errors.ts'
import { type ProbeRecord, recordStatement, type RenderHashPayload } from '../gates/acceptance/index.ts'
import { ArtefactEvidence } from './observations.ts'
import { type PictureForm, pictureBytes, picturesOf } from './pictures.ts'

const AT = '2026-11-20T21:39:18.000Z'
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const NOW = Buffer.concat([PNG, Buffer.from('now')])
const DIFFERENCE = Buffer.concat([PNG, Buffer.from('difference')])
const APPROVED = Buffer.concat([PNG, Buffer.from('approved')])
const FILE = 'backend/probe-page-result.png'
const DIFFERENCE_FILE = 'backend/probe-page-result.difference.png'

/** A run that looked at one page, which did not look as approved, with all of its pictures in their places. */
async function looked(context: TestContext, change: Partial<RenderHashPayload> = {}, artefacts = [{ path: DIFFERENCE_FILE, sha256: sha256(DIFFERENCE) }]) {
  const directory = temporaryDirectory(context)
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  context.after(() => ledger.close())
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(AT) })
  const images = createApprovedImages(directory)
  const payload: RenderHashPayload = {
    ...PASSED_PAYLOADS.render_hash, image: { sha256: sha256(NOW), width: 4, height: 3, colours: 9, file: FILE }, approved: { sha256: images.write(APPROVED), approval: '20261120T213918Z-page-9' },
    difference: { changed_pixels: 6, changed_share: 0.5, distance: 0.5, file: DIFFERENCE_FILE }, ...change,
  }
  const record: ProbeRecord = { probe: 'page', kind: 'render_hash', phase: 'result', status: 'failed', summary: 'does not look as approved', duration_ms: 1, changed_workspace: false, payload, run_id: runId, attempt: 1, task_class: 'web-page', definition_digest: 'd'.repeat(64), subject_digest: 'e'.repeat(64), started_at: AT, ended_at: AT, runner_version: '1' }
  await ledger.append({ runId, evidence: [recordStatement(record), ArtefactEvidence.state([{ name: 'files', digest: { sha256: 'a'.repeat(64) } }], { files: artefacts.map((file) => ({ ...file, bytes: 1, redacted: false })) })] })
  const run = join(directory, 'runs', runId)
  mkdirSync(join(run, 'backend'), { recursive: true })
  writeFileSync(join(run, FILE), NOW)
  writeFileSync(join(run, DIFFERENCE_FILE), DIFFERENCE)
  const parts = { ledger, images, directoryOf: (id: string) => openRunDirectory(directory, id) }
  const bytes = (form: PictureForm, probe = 'page', digest?: string) => pictureBytes(parts, { runId, probe, form, digest }).then((content) => content.toString('latin1'), (error: PortcullisError) => error.code)
  return { directory, path, run, runId, parts, bytes }
}

test('each picture is given out by the digest that the ledger names, and by no other', async (context) => {
  const { parts, runId, bytes } = await looked(context)
  assert.deepEqual([await bytes('now'), await bytes('difference'), await bytes('approved')], [NOW, DIFFERENCE, APPROVED].map((content) => content.toString('latin1')))
  assert.deepEqual([await bytes('now', 'page', sha256(NOW)), await bytes('now', 'page', sha256(APPROVED)), await bytes('now', 'other')], [NOW.toString('latin1'), 'nothing_stored', 'nothing_stored'])
  const [told] = await picturesOf(parts, runId)
  assert.deepEqual([told?.image?.sha256, told?.difference?.sha256, told?.compared?.sha256, told?.in_force], [sha256(NOW), sha256(DIFFERENCE), sha256(APPROVED), null])
  assert.equal(told?.compared?.approved_by, null, 'nobody is named for an approval of which there is no record')
  await assert.rejects(picturesOf(parts, '20261120T213918Z-t-99'), { code: 'run_not_found' })
})

test('another file in the place of a picture, a link, and one that is no picture are told as tampered with', async (context) => {
  const { run, directory, bytes } = await looked(context)
  writeFileSync(join(run, FILE), APPROVED)
  assert.equal(await bytes('now'), 'store_tampered')
  writeFileSync(join(run, DIFFERENCE_FILE), NOW)
  assert.equal(await bytes('difference'), 'store_tampered')
  writeFileSync(join(directory, 'approved', `${sha256(APPROVED)}.png`), NOW)
  assert.equal(await bytes('approved'), 'store_tampered')
  const linked = await looked(context)
  writeFileSync(join(linked.directory, 'elsewhere.png'), NOW)
  unlinkSync(join(linked.run, FILE))
  symlinkSync(join(linked.directory, 'elsewhere.png'), join(linked.run, FILE))
  assert.equal(await linked.bytes('now'), 'store_tampered')
})

test('a row that names a file elsewhere, or one that is no picture, gives nothing out although its digest fits', async (context) => {
  const key = 'the private key of somebody'
  for (const file of ['../../secret.pem', '../../secret.png', 'backend/../../../secret.png', 'secret.png']) {
    const { directory, run, bytes } = await looked(context, { image: { sha256: sha256(NOW), width: 4, height: 3, colours: 9, file } })
    for (const place of [directory, run]) for (const name of ['secret.pem', 'secret.png']) writeFileSync(join(place, name), NOW)
    assert.equal(await bytes('now'), 'store_tampered', file)
  }
  const { run, bytes } = await looked(context, { image: { sha256: sha256(key), width: 4, height: 3, colours: 9, file: FILE } })
  writeFileSync(join(run, FILE), key)
  assert.equal(await bytes('now'), 'store_tampered')
})

test('a difference whose digest the run has not stored, and a picture that was never made, are not shown', async (context) => {
  const { bytes, parts, runId } = await looked(context, {}, [])
  assert.equal(await bytes('difference'), 'nothing_stored')
  assert.equal((await picturesOf(parts, runId))[0]?.difference?.sha256, null)
  const none = await looked(context, { image: null, approved: null, difference: null, page_fault: 'no page' })
  assert.deepEqual([await none.bytes('now'), await none.bytes('difference'), await none.bytes('approved')], ['nothing_stored', 'nothing_stored', 'nothing_stored'])
})

test('of a run whose rows were changed nothing is shown', async (context) => {
  const { path, parts, runId, bytes } = await looked(context)
  const database = new DatabaseSync(path)
  database.exec("DROP TRIGGER entry_is_final; UPDATE entry SET body = replace(body, 'does not look as approved', 'looks as it should') WHERE kind = 'evidence'")
  database.close()
  assert.equal(await bytes('now'), 'store_tampered')
  await assert.rejects(picturesOf(parts, runId), { code: 'store_tampered' })
})
