import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canTrace, cutPower, fullAtEachWrite, killAtEachWrite, killAtRandom } from '../helpers/durability.ts'

// A sample of what test/long/durability.test.ts does at every point.
test('writers killed at 8 random points lose no acknowledged row', async (context) => assert.ok((await killAtRandom(context, 8)) > 0))

test('writers killed at some of their writes lose no acknowledged row', async (context) => (canTrace() ? assert.ok((await killAtEachWrite(context, 60)) > 0) : context.skip('strace is not here, or may trace nothing: install the package strace')))

test('3 power cuts lose no acknowledged verdict', async (context) => {
  const acknowledged = await cutPower(context, 3)
  if (acknowledged === undefined) return context.skip('no image of a file system can be made and mounted: be root on Linux, with mkfs.ext4 (package e2fsprogs) and loop devices')
  assert.ok(acknowledged > 0)
})

test('no space at some writes of the store: it goes on by itself once there is space', async (context) => (canTrace() ? assert.ok((await fullAtEachWrite(context, 17)).tried > 0) : context.skip('strace is not here, or may trace nothing: install the package strace')))
