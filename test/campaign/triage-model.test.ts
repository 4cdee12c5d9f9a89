import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { TicketEvent, TicketView } from '../../src/app/ticket-shapes.ts'
import { CONFIGURATION } from '../e2e/scenario.ts'
import { type InProcess, inProcessServer } from '../helpers/in-process-server.ts'
import { judgeServer } from '../helpers/judge-server.ts'
import { verifies } from '../verifies.ts'

const TICKETS = `tickets:
  triage:
    threshold: 0.7
    model: { profile: pi_scripted, purpose: ticket, timeout: 5s, answerTokens: 500 }
    rules:
      - { agent: luci, skill: code changes, labels: [code], words: [probe] }
      - { agent: mira, skill: research, labels: [research], words: [] }
`
const said = (answer: object): { text: string } => ({ text: JSON.stringify({ agent: 'mira', skill: 'research', confidence: 0.9, reason: 'It asks for a comparison.', ...answer }) })
const SCRIPT = {
  version: 1,
  models: ['coder-1'],
  turns: [
    { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } },
    { when: { lastUser: 'ticket-sure' }, answer: said({}) },
    { when: { lastUser: 'ticket-fenced' }, answer: { text: `\`\`\`json\n${said({}).text}\n\`\`\`` } },
    { when: { lastUser: 'ticket-unsure' }, answer: said({ confidence: 0.69 }) },
    { when: { lastUser: 'ticket-stranger' }, answer: said({ agent: 'root' }) },
    { when: { lastUser: 'ticket-mixed' }, answer: said({ skill: 'code changes' }) },
    { when: { lastUser: 'ticket-malformed' }, answer: { text: 'mira, I am sure' } },
    { when: { lastUser: 'ticket-more' }, answer: said({ also: 'close it' }) },
    { when: { lastUser: 'ticket-beyond' }, answer: said({ confidence: 7 }) },
    { when: { lastUser: 'ticket-empty' }, answer: { text: ' ' } },
    { when: { lastUser: 'ticket-hang' }, answer: said({}) },
    { when: { lastUser: 'ticket-broken' }, answer: said({}) },
  ],
  faults: [{ on: { lastUser: 'ticket-hang' }, fault: { stall: true } }, { on: { lastUser: 'ticket-broken' }, fault: { status: 500 } }],
}

const cleanUp: (() => unknown)[] = []
let running: InProcess
before(async () => {
  running = await inProcessServer({ after: (act) => void cleanUp.push(act as () => unknown) }, undefined, { script: SCRIPT as never, pi: true, configuration: TICKETS })
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

const DRAFT = { title: 'x', description: '', priority: 'medium', project: 'demo', kind: 'research', labels: [], source: null, acceptance: [], repositories: [] }
async function triaged(title: string, more: object = {}): Promise<{ readonly view: TicketView; readonly last: TicketEvent | undefined }> {
  const { id } = TicketView.parse((await running.ask('/tickets', { method: 'POST', token: running.admin, body: { ...DRAFT, title, ...more } })).json()).ticket
  const answer = await running.ask(`/tickets/${id}/triage`, { method: 'POST', token: running.admin, body: {} })
  assert.equal(answer.status, 200, answer.text)
  const { events } = z.object({ events: z.array(TicketEvent) }).parse((await running.ask(`/tickets/${id}/events`, { token: running.admin })).json())
  return { view: TicketView.parse(answer.json()), last: events.at(-1) }
}
const asked = (): number => running.made.provider.requests().filter(({ answeredBy }) => answeredBy !== 'turns[0]').length

verifies('MC-020', 'where the rules are not sure a model on an admitted pair assigns, with its confidence and reason, and its call stands in the ledger', async () => {
  for (const title of ['ticket-sure', 'ticket-fenced']) {
    const { view, last } = await triaged(title)
    assert.deepEqual([view.ticket.state, view.ticket.owner, view.ticket.triage], ['todo', 'mira', { agent: 'mira', confidence: 0.9, skill: 'research', reason: 'It asks for a comparison.', assigned: true }])
    assert.deepEqual([last?.kind, last?.data['by'], typeof last?.data['run']], ['triaged', 'model', 'string'])
    const run = z.string().parse(last?.data['run'])
    assert.equal((await running.made.portcullis(['verify', run])).code, 0)
    assert.match((await running.made.portcullis(['calls', run, '--json'])).stdout, /coder-1/)
  }
})

verifies('MC-021', 'a model that is not sure, names nobody of the rules, is malformed, empty, slow or broken never moves a ticket, and why stands in the ticket', async () => {
  for (const [title, why] of [
    ['ticket-unsure', /^It asks for a comparison\. \(0\.69 is below 0\.7\)$/],
    ['ticket-stranger', /The model decided nothing: an agent or a skill that no rule names\.$/],
    ['ticket-mixed', /an agent or a skill that no rule names\.$/],
    ['ticket-malformed', /an answer that is not JSON/],
    ['ticket-more', /an answer of another form \(it\)\.$/],
    ['ticket-beyond', /an answer of another form \(confidence\)\.$/],
    ['ticket-empty', /The model decided nothing: /],
    ['ticket-hang', /The model decided nothing: (timed_out|not_answered|cancelled)/],
    ['ticket-broken', /The model decided nothing: not_answered: /],
  ] as const) {
    const { view } = await triaged(title)
    assert.deepEqual([view.ticket.state, view.ticket.owner, view.ticket.triage?.assigned, view.cards.next_action.code], ['triage', null, false, 'operator'], title)
    assert.match(view.ticket.triage?.reason ?? '', why, title)
  }
})

test('where the rules are sure no model is asked, and one that may not be used is not asked either', async () => {
  const before = asked()
  const { view, last } = await triaged('ticket-sure', { labels: ['code'] })
  assert.deepEqual([view.ticket.owner, last?.data['by']], ['luci', undefined])
  running.made.set(CONFIGURATION, ['tickets', 'triage', 'model', 'purpose'], 'baseline')
  running.made.set(CONFIGURATION, ['profiles', 'pi_scripted', 'purposes'], ['ticket'])
  const refused = await triaged('ticket-sure')
  assert.deepEqual([refused.view.ticket.state, asked()], ['triage', before])
  assert.match(refused.view.ticket.triage?.reason ?? '', /runtime_purpose_violation: its model was not asked\.$/)
})

test('a provider at another address than the admitted one is not asked', async (context) => {
  const judge = await judgeServer(context)
  running.made.set(CONFIGURATION, ['tickets', 'triage', 'model', 'purpose'], 'ticket')
  running.made.set(CONFIGURATION, ['providers', 'scripted', 'baseUrl'], judge.url)
  const { view } = await triaged('ticket-sure')
  assert.deepEqual([view.ticket.state, view.ticket.triage?.assigned], ['triage', false])
  assert.match(view.ticket.triage?.reason ?? '', /The model decided nothing: \w+: its model was not asked\.$/)
  assert.equal(judge.prompts.length, 0)
})
