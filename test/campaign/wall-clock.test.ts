import assert from 'node:assert/strict'
import { join } from 'node:path'
import * as z from 'zod'
import { scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const SET = join(import.meta.dirname, '../fixtures/programs/set-the-clock.mjs')
const HOUR_MS = 3_600_000
const PATIENCE_MS = 60_000
const Claimed = z.object({ ticket: z.object({ id: z.string(), updated_at: z.iso.datetime(), claim: z.object({ epoch: z.int() }) }) })
const Created = z.object({ ticket: z.object({ id: z.string() }) })

verifies('REL-07', 'a command whose wall clock was set by 2 h or by -1 h takes no claim of another command early, and gets it once its lease is over', async (context) => {
  const made = await scenario(context)
  const at = async (offMs: number, ...args: readonly string[]): ReturnType<typeof made.portcullis> => {
    Object.assign(made.env, { NODE_OPTIONS: `--import=${SET}`, CLOCK_IS_OFF_MS: String(offMs) })
    return made.portcullis(['tickets', ...args, '--json'])
  }
  const waiting = async (): Promise<string> => {
    const created = await at(0, 'new', '--title', 'one', '--description', 'd', '--project', 'p', '--kind', 'code', '--priority', 'low')
    const { id } = Created.parse(JSON.parse(created.stdout)).ticket
    assert.equal((await at(0, 'move', id, '--to', 'todo', '--reason', 'clear')).code, 0)
    return id
  }
  const claimAt = async (offMs: number, id: string, lease: string): Promise<number> => {
    const claimed = await at(offMs, 'claim', id, '--lease', lease)
    assert.equal(claimed.code, 0, claimed.stdout)
    const { ticket } = Claimed.parse(JSON.parse(claimed.stdout))
    assert.ok(Math.abs(Date.parse(ticket.updated_at) - Date.now() - offMs) < HOUR_MS / 2, 'the clock of the command was not set')
    return ticket.claim.epoch
  }
  for (const [claimedOff, otherOff] of [[0, 2 * HOUR_MS], [-HOUR_MS, 0]] as const) {
    const id = await waiting()
    assert.equal(await claimAt(claimedOff, id, '30m'), 1)
    const early = await at(otherOff, 'claim', id, '--lease', '30m')
    assert.match(`${early.stdout}${early.stderr}`, /ticket_claimed/)
  }
  const id = await waiting()
  assert.equal(await claimAt(2 * HOUR_MS, id, '1s'), 1)
  let next = await at(-HOUR_MS, 'claim', id, '--lease', '30m')
  for (const began = performance.now(); next.code !== 0 && performance.now() - began < PATIENCE_MS; ) next = await at(-HOUR_MS, 'claim', id, '--lease', '30m')
  assert.equal(next.code, 0, 'it was kept for ever')
  assert.equal(Claimed.parse(JSON.parse(next.stdout)).ticket.claim.epoch, 2)
})
