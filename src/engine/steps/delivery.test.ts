import assert from 'node:assert/strict'
import { type TestContext } from 'node:test'
import { stage, type Stage } from '../../../test/helpers/fake-world.ts'
import { verifies } from '../../../test/verifies.ts'
import { DeliveredRepository, type HeadBefore } from '../../gates/acceptance/index.ts'
import { Task } from '../task.ts'
import type { TicketOfRun } from './delivery.ts'

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)]

/** Runs that deliver to one repository, of which `stands` says where it stands; each gives where it was taken to have stood before. */
async function delivering(context: TestContext): Promise<{ readonly made: Stage; stands: HeadBefore; run(ticket?: TicketOfRun, change?: { readonly remote?: string; readonly branch?: string }): Promise<{ readonly id: string; readonly before: HeadBefore | undefined }> }> {
  const seen: HeadBefore[] = []
  const held: { stands: HeadBefore } = { stands: FIRST }
  const made = await stage(context, {
    world: () => ({
      deliveries: {
        head: () => Promise.resolve(held.stands),
        check: ({ claim }) => {
          seen.push(claim.head_before)
          return Promise.resolve(DeliveredRepository.parse({ claim, command: 'git fetch', remote_head: null, searched: ['x'], found_in: null, ancestor: false, is_new: false, files: [], tests: null }))
        },
      },
    }),
  })
  const base = { id: 't', title: 'T', class: 'change', purpose: 'ticket', profile: 'p', repositories: [{ path: 'r', branch: 'main' }], prompt: 'Do it', acceptance: [{ id: 1, text: 'The tests pass', probes: ['tests'] }], baseline: { untouched: 'must-fail' } }
  return Object.assign(held, {
    made,
    run: async (ticket?: TicketOfRun, { remote = '/app.git', branch = 'master' } = {}) => {
      const { report } = await made.run({ ticket, task: Task.parse({ ...base, delivery: { claim: 'done.json', repositories: [{ name: 'app', remote, branch }] } }) })
      return { id: report.run_id, before: seen.pop() }
    },
  })
}

verifies('MC-115', 'what an earlier run of the same ticket pushed is not what the branch had already; what others pushed is', async (context) => {
  const held = await delivering(context)
  const first = await held.run({ id: 'T-1', runs: [] })
  assert.equal(first.before, FIRST)
  held.stands = SECOND
  const mine = [first.id]
  assert.equal((await held.run({ id: 'T-1', runs: mine })).before, FIRST, 'its own ticket')
  assert.equal((await held.run({ id: 'T-2', runs: mine })).before, SECOND, 'a run of another ticket')
  assert.equal((await held.run({ id: 'T-1', runs: mine }, { branch: 'other' })).before, SECOND, 'another branch')
  assert.equal((await held.run({ id: 'T-1', runs: mine }, { remote: '/other.git' })).before, SECOND, 'another remote')
  assert.equal((await held.run({ id: 'T-1', runs: ['20260101T000000Z-gone-9'] })).before, SECOND, 'a run that is not there')
  assert.equal((await held.run()).before, SECOND, 'no ticket')
})

verifies('MC-115', 'an earlier run that could not ask the remote says nothing, and one whose rows do not verify neither', async (context) => {
  const held = await delivering(context)
  held.stands = 'unknown'
  const blind = await held.run({ id: 'T-1', runs: [] })
  assert.equal(blind.before, 'unknown')
  held.stands = FIRST
  const seeing = await held.run({ id: 'T-1', runs: [blind.id] })
  assert.equal(seeing.before, FIRST)
  held.stands = SECOND
  assert.equal((await held.run({ id: 'T-1', runs: [blind.id, seeing.id] })).before, FIRST)
  const { ledger } = held.made
  const history = ledger.history.bind(ledger)
  // As if somebody had written into its rows.
  held.made.world.ledger.history = async (run) => {
    const read = await history(run)
    return run !== seeing.id || read === undefined ? read : { ...read, entries: read.entries.map((entry) => ({ ...entry, body: entry.body.replace(FIRST, 'c'.repeat(40)) })) }
  }
  assert.equal((await held.run({ id: 'T-1', runs: [seeing.id] })).before, SECOND)
})
