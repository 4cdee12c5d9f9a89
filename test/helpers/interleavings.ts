import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { claim, Dispatcher, type Handed, move, type RuntimeEnding } from '../../src/engine/index.ts'
import { replay, type RuntimeState } from '../../src/gates/dispatch/index.ts'
import { actor, bookForTest, DRAFT, OPERATOR } from './ticket-book.ts'

const WORKERS = [actor('luci'), actor('hermes')] as const
const ACTS = ['send', 'send_again', 'send_other', 'queue', 'interrupt', 'restart', 'retry', 'finish', 'crash'] as const
const HANDED: readonly Handed[] = [{ kind: 'delivered', receipt: 'r' }, { kind: 'unknown', found: 'no receipt' }, { kind: 'dead', found: 'gone' }, { kind: 'refused', found: 'busy' }]
const ENDINGS: readonly RuntimeEnding[] = [{ kind: 'ended', said: null, finalMessage: 'DONE: so it says' }, { kind: 'dead', found: 'gone' }]

/** Runs so many interleavings of dispatch, cancel, retry, finish and crash over one real store, and checks after each what must hold of every ticket. */
export async function interleave(context: TestContext, runs: number): Promise<void> {
  const { book, other } = await bookForTest(context)
  let turns = 0
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.constantFrom(...ACTS), { minLength: 2, maxLength: 6 }), fc.array(fc.nat(7), { minLength: 6, maxLength: 6 }), async (scheduler, acts, luck) => {
      const live = new Map<string, { busy: boolean; state: RuntimeState; token: string }>()
      let handed = 0
      const pick = <Value>(values: readonly Value[]): Value => values[Math.min(values.length - 1, Math.max(0, (luck[handed % luck.length] ?? 0) - 7 + values.length))] ?? (values[0] as Value)
      const supervisor = (): Dispatcher =>
        new Dispatcher({
          book, supervisor: WORKERS[0], limits: { dispatch: 3, review: 3 }, deliveryMs: 60_000, turnMs: 60_000, work: { changed: async () => true }, abandoned: () => true,
          starter: {
            open: async ({ session, token }) => {
              const own = { busy: false, state: 'ready' as RuntimeState, token }
              live.set(session, own)
              return {
                pid: null, triple: null, cwd: '/srv/project', run: null, effort: () => null, state: () => own.state, contextTokens: () => null,
                hand: async () => {
                  assert.equal(own.busy, false, 'a message was sent into a busy session')
                  handed += 1
                  own.busy = true
                  own.state = 'running'
                  const what = handed % 3 === 0 ? pick(HANDED) : HANDED[0]
                  return scheduler.schedule(Promise.resolve(what ?? { kind: 'dead', found: '' }), 'hand')
                },
                ending: async () => {
                  const how = await scheduler.schedule(Promise.resolve(pick(ENDINGS)), 'end')
                  own.busy = false
                  own.state = how.kind === 'dead' ? 'failed' : 'ready'
                  return how
                },
                interrupt: async () => undefined,
                close: async () => {
                  own.state = 'closed'
                },
              }
            },
          },
        })
      let dispatcher = supervisor()
      const all = [dispatcher]
      await dispatcher.recover()
      const { id } = await book.create(DRAFT, OPERATOR)
      await move(book, id, OPERATOR, { to: 'todo', reason: 'clear' })
      const open = async (): Promise<void> => {
        const claimed = await claim(book, id, WORKERS[0], 600_000)
        if (claimed.ok) await dispatcher.open(id, WORKERS[0], { claimEpoch: claimed.value.claim?.epoch ?? 0, profile: 'p', cwd: '/srv', mode: 'HEADLESS', by: WORKERS[0] })
      }
      await open()
      const perform = async (act: (typeof ACTS)[number], index: number): Promise<unknown> => {
        switch (act) {
          case 'send':
            return dispatcher.send(id, WORKERS[0], { text: 'work', key: `k${index}`, onBusy: 'refuse' })
          case 'send_again':
            return dispatcher.send(id, WORKERS[0], { text: 'work', key: 'same', onBusy: 'refuse' })
          case 'send_other':
            return dispatcher.send(id, WORKERS[1], { text: 'work', key: 'same', onBusy: 'queue' })
          case 'queue':
            return dispatcher.send(id, WORKERS[1], { text: 'work', key: `q${index}`, onBusy: 'queue' })
          case 'interrupt':
            return dispatcher.interrupt(id, OPERATOR, 'because')
          case 'restart':
            return dispatcher.restart(id, OPERATOR, 'because')
          case 'retry':
            await open()
            return dispatcher.runQueue(id)
          case 'finish': {
            const session = (await book.get(id)).runtime.session
            const token = session === null ? undefined : live.get(session)?.token
            return token === undefined ? undefined : dispatcher.complete(token, { signal: 'DONE', ticket: id, nonce: 'guessed', payload: 'done' })
          }
          case 'crash': {
            // The earlier supervisor goes on as a zombie: whatever it still does must be refused or change nothing.
            const reborn = supervisor()
            all.push(reborn)
            await reborn.recover()
            dispatcher = reborn
            return undefined
          }
        }
      }
      const running = { acts: acts.length, quiet: false }
      for (const [index, act] of acts.entries()) void scheduler.schedule(Promise.resolve(), act).then(async () => perform(act, index)).finally(() => (running.acts -= 1))
      const settling = async (): Promise<void> => {
        while (running.acts > 0) await turn()
        for (const each of all) await each.settled()
        running.quiet = true
      }
      const settled = settling()
      while (!running.quiet) {
        if (scheduler.count() > 0) await scheduler.waitOne()
        else await turn()
      }
      await settled
      const [ticket, stored, sessions] = [await book.get(id), await book.store.turns(id), await book.store.sessions(id)]
      turns += stored.length
      assert.deepEqual(replay(await book.store.events(id, 0, 10_000)), ticket)
      assert.ok(sessions.filter(({ ended_at }) => ended_at === null).length <= 1, 'two live epochs')
      for (const { id: of, terminal, code } of stored) assert.ok(terminal !== null && code !== null, `${of} has no terminal record`)
      const keys = stored.filter(({ state }) => state !== 'refused').map(({ key }) => key)
      assert.equal(new Set(keys).size, keys.length, 'one request began two turns')
      if (ticket.state === 'in_progress') assert.ok(ticket.claim !== null)
    }),
    { numRuns: runs, verbose: 1 },
  )
  assert.ok(turns > 0)
  assert.equal(other.prepare(`SELECT count(*) AS count FROM ticket_turn WHERE state IN ('leased', 'delivered')`).get()?.['count'], 0)
}
