import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { move } from '../../src/engine/index.ts'
import { bookForTest, DRAFT, OPERATOR } from './ticket-book.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { until } from './served-wire.ts'

const PROGRAM = join(import.meta.dirname, '../fixtures/programs/ticket-worker.ts')

/** Two workers with so many sessions each carry so many tickets, and one is killed midway: every ticket is completed, and none twice. */
export async function workTickets(context: TestContext, asked: { readonly tickets: number; readonly sessions: number }): Promise<void> {
  const { book, path, other } = await bookForTest(context)
  const transcript = join(temporaryDirectory(context), 'transcript.jsonl')
  for (let number = 0; number < asked.tickets; number += 1) {
    const { id } = await book.create(DRAFT, OPERATOR)
    await move(book, id, OPERATOR, { to: 'todo', reason: 'clear' })
  }
  const start = (name: string): ChildProcess => {
    const child = spawn(process.execPath, [PROGRAM, path, name, String(asked.sessions), transcript], { stdio: ['ignore', 'ignore', 'inherit'] })
    context.after(() => child.kill('SIGKILL'))
    return child
  }
  const count = (text: string): number => Number(other.prepare(`SELECT count(*) AS count FROM ${text}`).get()?.['count'])
  const [killed, stays] = [start('luci'), start('hermes')]
  await until(() => count(`ticket WHERE state = 'done'`) >= asked.tickets / 3, 'a third of the tickets to be done', 1_200_000)
  const openOfKilled = (): readonly string[] => other.prepare(`SELECT id FROM ticket WHERE state = 'in_progress' AND body ->> '$.claim.holder' = 'luci'`).all().map((row) => String(row['id']))
  await until(() => openOfKilled().length > 0, 'the first worker to hold a ticket')
  killed.kill('SIGKILL')
  const held = new Set(openOfKilled())
  assert.ok(held.size > 0, 'it was killed while it held tickets')
  await until(() => count(`ticket WHERE state <> 'done'`) === 0 || stays.exitCode !== null, 'every ticket to be done', 1_200_000)
  assert.equal(stays.exitCode, null, 'the other worker goes on')
  const received = existsSync(transcript) ? readFileSync(transcript, 'utf8').split('\n').filter((line) => line !== '').map((line) => String(JSON.parse(line))) : []
  const tickets = await book.store.list({ state: undefined, project: undefined, owner: undefined, before: undefined, limit: asked.tickets + 1 })
  assert.equal(tickets.length, asked.tickets)
  let cut = 0
  for (const { id, epoch } of tickets) {
    const turns = await book.store.turns(id)
    const completed = turns.filter(({ end }) => end === 'completed')
    assert.equal(completed.length, 1, `${id}: ${JSON.stringify(turns.map(({ end, epoch: of }) => [of, end]))}`)
    for (const turn of turns) assert.ok(turn.terminal !== null, `${turn.id} has no terminal record`)
    // What reached a session more than once did so in a fresh session, for a turn that is known to have been cut.
    const arrived = received.filter((text) => text === `work ${id}`).length
    assert.ok(arrived >= 1 && arrived <= turns.length, `${id} arrived ${arrived} times in ${turns.length} turns`)
    if (!held.has(id) && turns.length === 1) assert.equal(arrived, 1, `${id} arrived ${arrived} times`)
    if (turns.length > 1) cut += 1
    assert.ok(epoch >= 1)
  }
  assert.ok(cut <= held.size + count(`ticket_turn WHERE body ->> '$.end' IN ('timed_out', 'delivery_unknown', 'runtime_dead')`), `${cut} tickets took more than one turn, and the killed worker held ${held.size}`)
  assert.ok(tickets.length > 0)
  context.diagnostic(`${asked.tickets} tickets over ${asked.sessions * 2} sessions; the killed worker held ${held.size}; ${cut} took more than one turn`)
}
