import assert from 'node:assert/strict'
import { verifies } from '../../../test/verifies.ts'
import { faultOfDelivery } from './delivery.ts'
import { DeliveredRepository, differenceOf } from './index.ts'

const SHA = 'a'.repeat(40)
const delivered = (name: string, change: Partial<DeliveredRepository> = {}, claim: Partial<DeliveredRepository['claim']> = {}): DeliveredRepository =>
  DeliveredRepository.parse({
    claim: { name, remote: '/r.git', branch: 'master', done_sha: SHA, head_before: 'none', files: [], tests: null, ...claim }, command: 'git fetch', remote_head: SHA, searched: ['master of /r.git', 'every branch of /r.git'], found_in: 'master of /r.git', ancestor: true, is_new: true, files: [], tests: null, ...change,
  })
const reasonOf = (delivery: readonly DeliveredRepository[] | null, deliveryAsked: readonly string[] = ['app', 'console']): string | undefined => faultOfDelivery({ delivery, deliveryAsked })?.reason
const file = (change: object = {}) => ({ path: 'a.md', tracked: true, bytes: 4, sha256: 'b'.repeat(64), ...change })
const ran = (change: object = {}) => ({ exit_code: 0, timed_out: false, count: 16, summary: 'exited 0', ...change })

verifies('MC-116', 'each repository of the task must be delivered; one missing half is named', () => {
  assert.equal(reasonOf([delivered('app'), delivered('console')]), undefined)
  assert.equal(reasonOf(null, []), undefined)
  assert.equal(reasonOf([delivered('app', { found_in: null })], []), undefined, 'nothing was asked to be delivered')
  for (const delivery of [null, [], [delivered('app')], [delivered('app'), delivered('console', {}, { done_sha: null })]]) assert.equal(reasonOf(delivery), 'delivery_missing')
  assert.match(faultOfDelivery({ delivery: [delivered('app')], deliveryAsked: ['app', 'console'] })?.message ?? '', /^Nothing was delivered to console\.$/)
})

verifies('MC-112 MC-115', 'a commit that is not on the target branch, or is nowhere, carries nothing', () => {
  assert.equal(reasonOf([delivered('app', { ancestor: false })], ['app']), 'delivery_not_on_remote')
  assert.equal(reasonOf([delivered('app', { ancestor: false, found_in: null })], ['app']), 'delivery_unresolved')
  assert.match(faultOfDelivery({ delivery: [delivered('app', { found_in: null })], deliveryAsked: ['app'] })?.message ?? '', /^The commit of app aaaaaaaaaaaa was found nowhere; searched: master of \/r\.git, every branch of \/r\.git\.$/)
})

verifies('MC-115', 'a commit that was on the branch before the agent was started is no work of the run, and one of which nobody knows is none either', () => {
  const old = (head: string) => faultOfDelivery({ delivery: [delivered('app', { is_new: false }, { head_before: head })], deliveryAsked: ['app'] })
  assert.deepEqual([old('b'.repeat(40))?.reason, old('b'.repeat(40))?.found], ['delivery_not_new', 'the branch was at bbbbbbbbbbbb, and had it or was written anew'])
  assert.deepEqual([old('unknown')?.reason, old('unknown')?.found], ['delivery_not_new', 'nobody could say what the branch had before'])
  assert.throws(() => delivered('app', {}, { head_before: 'master' }))
})

verifies('MC-117', 'a claimed file must be tracked and hold something', () => {
  const claim = { files: ['a.md'] }
  assert.equal(reasonOf([delivered('app', { files: [file()] }, claim)], ['app']), undefined)
  for (const files of [[file({ tracked: false })], [file({ tracked: false, bytes: 0, sha256: null })], [file({ bytes: 0 })], []]) assert.equal(reasonOf([delivered('app', { files }, claim)], ['app']), 'delivery_files_missing')
})

verifies('MC-118', 'tests count by the run of the gate, and a difference from the claim is told', () => {
  assert.equal(reasonOf([delivered('app', { tests: ran() }, { tests: 30 })], ['app']), undefined)
  assert.equal(differenceOf(delivered('app', { tests: ran() }, { tests: 30 })), 'app: the agent says 30 tests, 16 ran')
  for (const [tests, claimed] of [[ran(), 16], [ran(), null], [null, 30], [null, null]] as const) assert.equal(differenceOf(delivered('app', { tests }, { tests: claimed })), null)
  for (const change of [{ exit_code: 1 }, { exit_code: null }, { timed_out: true }]) assert.equal(reasonOf([delivered('app', { tests: ran(change) })], ['app']), 'delivery_tests_failed')
})
