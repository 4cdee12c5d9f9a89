import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { bring, holdsAtTheEnd, ticketExample, ticketOf } from '../helpers/ticket-example.ts'

/** How often the server is killed in all. PORTCULLIS_KILLS sets another number. */
const KILLS = Number(process.env['PORTCULLIS_KILLS'] ?? 20)
/** So often in one journey of a ticket, so that the points lie all along the way. */
const KILLS_OF_ONE = 4
const LONGEST_MS = 25_000
const PATIENCE_MS = 600_000

/** Waits until the ticket is closed or the time is over. True if it is closed. */
async function closedWithin(served: ServedApi, id: string, limitMs: number): Promise<boolean> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await wait(50)) {
    const { ticket } = await ticketOf(served, id)
    assert.notEqual(ticket.state, 'blocked', `${JSON.stringify(ticket)}\n${served.log()}`)
    if (ticket.state === 'closed') return true
  }
  return false
}

test(`a server that is killed at ${KILLS} random points comes to the same end, and does nothing twice`, async (context) => {
  for (let killed = 0; killed < KILLS; ) {
    const example = await ticketExample(context)
    const open = (): Promise<ServedApi> => servedApi(context, example.directory, { environment: example.environment, patienceMs: PATIENCE_MS })
    let served = await open()
    const id = await bring(served)
    const points: number[] = []
    while (points.length < KILLS_OF_ONE && killed < KILLS) {
      const afterMs = Math.floor(Math.random() * LONGEST_MS)
      if (await closedWithin(served, id, afterMs)) break
      await served.end('SIGKILL')
      killed += 1
      points.push(afterMs)
      served = await open()
    }
    assert.ok(await closedWithin(served, id, PATIENCE_MS), `killed after ${points.join(', ')} ms\n${served.log()}`)
    await holdsAtTheEnd(example, served, id)
    context.diagnostic(`killed after ${points.join(', ')} ms; ${killed} in all`)
    await served.end()
  }
})
