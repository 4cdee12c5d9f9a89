import assert from 'node:assert/strict'
import { canTrace, cutPower, fullAtEachWrite, killAtEachWrite, killAtRandom } from '../helpers/durability.ts'
import { verifies } from '../verifies.ts'

const NO_TRACE = 'strace is not here, or may trace nothing: install the package strace'
const NO_IMAGE = 'no image of a file system can be made and mounted: be root on Linux, with mkfs.ext4 (package e2fsprogs) and loop devices'

verifies('REL-01', '200 writers killed at random points: every acknowledged row is there, and the store is whole and takes more', async (context) => {
  const acknowledged = await killAtRandom(context, 200)
  assert.ok(acknowledged >= 600, `${acknowledged} rows were acknowledged`)
  context.diagnostic(`${acknowledged} acknowledged rows, none lost`)
})

verifies('REL-01', 'a writer killed at each call by which it writes, making the store among them: every acknowledged row is there, and the store is whole and takes more', async (context) => {
  if (!canTrace()) return context.skip(NO_TRACE)
  const kills = await killAtEachWrite(context, 1)
  assert.ok(kills >= 100, `${kills} kills`)
  context.diagnostic(`${kills} kills`)
})

verifies('REL-01', '50 power cuts: every verdict that was acknowledged before the cut is on the disk', async (context) => {
  const acknowledged = await cutPower(context, 50)
  if (acknowledged === undefined) return context.skip(NO_IMAGE)
  assert.ok(acknowledged >= 250, `${acknowledged} verdicts were acknowledged`)
  context.diagnostic(`${acknowledged} acknowledged verdicts, none lost`)
})

verifies('REL-02', 'no space at any write of the store: it says so, nothing half-written is there, and it goes on by itself once there is space', async (context) => {
  if (!canTrace()) return context.skip(NO_TRACE)
  const { tried, refused } = await fullAtEachWrite(context, 1)
  assert.ok(tried >= 30 && refused >= 20, `${tried} tries, ${refused} refused`)
  context.diagnostic(`${tried} writes failed, the store refused ${refused} rounds`)
})
