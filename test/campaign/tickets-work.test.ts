import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { TicketEvent, TicketView } from '../../src/app/ticket-shapes.ts'
import { Report } from '../../src/gates/report/index.ts'
import { loadScript } from '../../src/adapters/scripted-provider/index.ts'
import { CONFIGURATION, PROFILE, type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const ITEM = 'All tests of the repository pass'
const WORK = ['--task', 'task.yaml', '--lease', '1m', '--json']
const Shown = TicketView.extend({ events: z.array(TicketEvent) })

async function ready(made: Scenario, items: readonly string[] = [ITEM]): Promise<void> {
  const created = await made.portcullis(['tickets', 'new', '--title', 'Implement slugify', '--project', 'demo', '--kind', 'code', '--priority', 'high', '--source', 'FINAL-ASSESSMENT.md Item #9', ...items.flatMap((text) => ['--accept', text])])
  assert.equal(created.code, 0, created.stderr)
  assert.equal((await made.portcullis(['tickets', 'move', 'T-1', '--to', 'todo', '--reason', 'clear'])).code, 0)
}
const shown = async (made: Scenario) => Shown.parse(JSON.parse((await made.portcullis(['tickets', 'show', 'T-1', '--json'])).stdout))

verifies('MC-119 MC-120 MC-121 MC-091', 'the real pi does the work of a ticket through every gate, and the gate closes it with evidence for each item', async (context) => {
  const made = await scenario(context, { script: await loadScript(join(import.meta.dirname, '../../examples/slugify/script.yaml')), pi: true })
  await ready(made)
  const worked = await made.portcullis(['tickets', 'work', 'T-1', ...WORK])
  assert.equal(worked.code, 0, worked.stdout + worked.stderr)
  const { ticket, events, cards, status } = await shown(made)
  assert.deepEqual([ticket.state, ticket.resolution, ticket.source?.reconciled, cards.next_action.code, status.code], ['closed', 'accepted', true, 'closed', 'ticket_runtime_closed'])
  assert.deepEqual(ticket.acceptance.map(({ verdict, by, evidence }) => [verdict, by, evidence.length > 0]), [['pass', 'gate:acceptance', true]])
  assert.deepEqual([ticket.evidence.length, ticket.runs.length], [9, 1])
  assert.deepEqual([ticket.runtime.profile, ticket.runtime.triple, ticket.runtime.mode], ['pi_scripted', 'pi/scripted/coder-1', 'HEADLESS'])
  // How often the claim was renewed is a matter of how fast the machine is.
  assert.deepEqual(events.map(({ kind }) => kind).filter((kind) => kind !== 'claim_renewed'), ['created', 'moved', 'claimed', 'session_opened', 'turn_ended', 'item_judged', 'closed'])
  const run = events.find(({ kind }) => kind === 'turn_ended')
  assert.deepEqual([run?.data['profile'], run?.data['purpose'], run?.data['status']], ['pi_scripted', 'ticket', 'pass'])
  assert.equal((await made.portcullis(['verify'])).code, 0)
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', ...WORK])).code, 3)
})

verifies('MC-119', 'an item that no run speaks for keeps the ticket open, although every gate of the run passed', async (context) => {
  const made = await scenario(context)
  await ready(made, [ITEM, 'The documentation says so'])
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', ...WORK])).code, 4)
  const { ticket } = await shown(made)
  assert.deepEqual([ticket.state, ticket.reason, ticket.acceptance.map(({ verdict }) => verdict), ticket.source?.reconciled], ['done', 'item_unproven', ['pass', null], false])
})

verifies('MC-042', 'wrong work is rejected with what was found, which stands in the next prompt; then the right work closes the ticket', async (context) => {
  const made = await scenario(context, { agent: 'asks-only.mjs' })
  await ready(made)
  const good = ['node', join(import.meta.dirname, '../fixtures/agents/implements.mjs')]
  const wrong = await made.portcullis(['tickets', 'work', 'T-1', ...WORK])
  assert.equal(wrong.code, 4, wrong.stderr)
  const first = await shown(made)
  assert.equal(first.ticket.state, 'todo', JSON.stringify(first.ticket.terminal))
  assert.deepEqual([first.ticket.dispatch_failures, first.ticket.review_rejections, first.ticket.reason], [0, 1, 'done_without_change'])
  assert.match(first.ticket.findings[0]?.text ?? '', /^done_without_change: /)
  made.set(CONFIGURATION, [...PROFILE, 'command'], good)
  const right = await made.portcullis(['tickets', 'work', 'T-1', ...WORK])
  assert.equal(right.code, 0, right.stdout)
  const { ticket } = await shown(made)
  assert.deepEqual([ticket.state, ticket.runs.length, new Set(ticket.runs).size], ['closed', 2, 2])
  const [before = '', after = ''] = ticket.runs.map((run) => readFileSync(join(made.directory, '.portcullis/runs', run, 'report.json'), 'utf8')).map((text) => Report.parse(JSON.parse(text)).task.digest)
  assert.notEqual(before, after, 'the second run had another prompt')
  assert.deepEqual(readdirSync(made.directory).filter((name) => name.startsWith('task.T-')), [])
})

test('work that cannot even begin leaves no claim behind, and a ticket without an item is done and not closed', async (context) => {
  const made = await scenario(context)
  await ready(made, [])
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', '--task', 'gone.yaml', '--lease', '1h'])).code, 2)
  const { ticket } = await shown(made)
  assert.deepEqual([ticket.state, ticket.claim, ticket.epoch], ['todo', null, 1])
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', '--task', 'task.yaml', '--lease', '80d'])).code, 2, 'a claim for longer than a day')
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', ...WORK])).code, 4)
  const worked = await shown(made)
  assert.deepEqual([worked.ticket.state, worked.ticket.reason, worked.ticket.source?.reconciled, worked.cards.next_action.code], ['done', 'item_unproven', false, 'operator'])
})

test('a profile that may not be used for the purpose starts nothing, and the ticket stays usable', async (context) => {
  const made = await scenario(context)
  await ready(made)
  made.set(CONFIGURATION, [...PROFILE, 'purposes'], ['baseline'])
  assert.equal((await made.portcullis(['tickets', 'work', 'T-1', ...WORK])).code, 4)
  const { ticket, events } = await shown(made)
  const told = events.at(-1)
  assert.deepEqual([ticket.state, ticket.reason, told?.kind, ticket.terminal?.human_input_required], ['blocked', 'runtime_purpose_violation', 'start_refused', true])
  assert.match(ticket.terminal?.root_cause ?? '', /^runtime_purpose_violation: /)
  assert.equal((await made.portcullis(['tickets', 'move', 'T-1', '--to', 'todo', '--reason', 'another profile'])).code, 0)
})

verifies('MC-132', 'a task that delivers to a repository which its ticket does not declare starts nothing; declared, it runs', async (context) => {
  const made = await scenario(context)
  await ready(made)
  made.set('task.yaml', ['delivery'], { claim: 'delivered.json', repositories: [{ name: 'docs', remote: './docs.git', branch: 'main' }] })
  const refused = await made.portcullis(['tickets', 'work', 'T-1', ...WORK])
  assert.equal(refused.code, 3, refused.stdout + refused.stderr)
  const { ticket, events } = await shown(made)
  assert.deepEqual([ticket.state, ticket.reason, ticket.claim, ticket.runs, events.at(-1)?.kind], ['blocked', 'repository_undeclared', null, [], 'start_refused'])
  assert.match(events.at(-1)?.text ?? '', /T-1 declares none$/)
  assert.deepEqual(made.provider.requests(), [])
  const created = await made.portcullis(['tickets', 'new', '--title', 'Both', '--project', 'demo', '--kind', 'code', '--priority', 'high', '--accept', ITEM, '--repository', 'docs'])
  assert.equal(created.code, 0, created.stderr)
  assert.equal((await made.portcullis(['tickets', 'move', 'T-2', '--to', 'todo', '--reason', 'clear'])).code, 0)
  assert.equal((await made.portcullis(['tickets', 'work', 'T-2', ...WORK])).code, 4)
  const second = Shown.parse(JSON.parse((await made.portcullis(['tickets', 'show', 'T-2', '--json'])).stdout)).ticket
  assert.deepEqual([second.runs.length, second.reason === 'repository_undeclared'], [1, false])
})
