import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servedApi } from '../helpers/served-api.ts'
import { bring, eventsOf, holdsAtTheEnd, ticketExample, ticketOf } from '../helpers/ticket-example.ts'

const PATIENCE_MS = 180_000

test('a ticket goes the whole way by its phases: triage, wrong work by the real pi, a FAIL of the reviewer, right work in a fresh runtime, git truth in two repositories, closed', async (context) => {
  const example = await ticketExample(context)
  const served = await servedApi(context, example.directory, { environment: example.environment })
  const id = await bring(served)
  for (const deadline = Date.now() + PATIENCE_MS; (await ticketOf(served, id)).ticket.state !== 'closed'; ) {
    const { ticket } = await ticketOf(served, id)
    assert.ok(Date.now() < deadline && ticket.state !== 'blocked', `${JSON.stringify(ticket)}\n${served.log()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const events = await eventsOf(served, id)
  assert.deepEqual(events.map(({ kind }) => kind).filter((kind) => kind !== 'claim_renewed'), ['created', 'phases_chosen', 'triaged', 'claimed', 'session_opened', 'rejected', 'claimed', 'session_opened', 'turn_ended', 'item_judged', 'closed'])
  assert.match(JSON.stringify(events.find(({ kind }) => kind === 'rejected')?.set.findings), /no address takes more than 80/)
  // The findings stood in the prompt of the second runtime, and of no other.
  const asked = example.provider.requests().filter(({ inference }) => inference).map(({ answeredBy }) => answeredBy)
  assert.ok(asked.includes('turns[1]') && asked.includes('turns[2]') && asked.indexOf('turns[2]') < asked.indexOf('turns[1]'), asked.join(', '))
  await holdsAtTheEnd(example, served, id)
})
