import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { agentsIn, BoundsWatch, fileExceeded, filesFrom } from './bounds-watch.ts'

const row = (pid: number, parent: number, alive = true) => ({ pid, parent, group: pid, session: pid, alive, startTicks: pid })

test('what counts is everything below the seal but its own processes, whoever its parent is now', () => {
  // 10 seals, 11 is the first process inside, 12 the relay, 13 the agent; 14 is its child, 15 lost its parent, 16 has ended, 20 is a stranger.
  const table = [row(10, 1), row(11, 10), row(12, 11), row(13, 12), row(14, 13), row(15, 11), row(16, 13, false), row(20, 1)]
  assert.deepEqual(agentsIn(10, 13, table).map(({ pid }) => pid), [13, 14, 15])
  assert.deepEqual(agentsIn(10, 13, table.toReversed()).map(({ pid }) => pid), [15, 14, 13])
  assert.deepEqual(agentsIn(10, 13, []), [])
})

test('a bound that is exceeded is told once, and one that is not is never told', async () => {
  const told: string[] = []
  const seal = { seal: process.ppid, agent: process.pid }
  const watches = [
    new BoundsWatch({ memoryBytes: 1_048_576, processes: null, fileBytes: null }, seal, ({ limit }) => void told.push(limit)),
    new BoundsWatch({ memoryBytes: null, processes: 1_000_000, fileBytes: 1 }, seal, ({ limit }) => void told.push(limit)),
  ]
  while (told.length === 0) await new Promise((resolve) => setImmediate(resolve))
  // One that is begun now has told after all of them have looked again.
  const later = Promise.withResolvers<void>()
  watches.push(new BoundsWatch({ memoryBytes: 1, processes: null, fileBytes: null }, seal, () => later.resolve()))
  await later.promise
  for (const watch of watches) watch.dismiss()
  assert.deepEqual(told, ['memory'])
})

test('files are found by their length in every folder, links are not followed, and what was long before is no fault', async (t) => {
  const root = temporaryDirectory(t)
  const folder = join(root, 'work')
  mkdirSync(join(folder, 'deep/er'), { recursive: true })
  for (const [name, bytes] of [['deep/er/long', 4_096], ['short', 4_095], ['.hidden', 5_000]] as const) {
    writeFileSync(join(folder, name), '')
    truncateSync(join(folder, name), bytes)
  }
  symlinkSync(join(folder, '.hidden'), join(folder, 'link'))
  symlinkSync('/', join(folder, 'everything'))
  const before = await filesFrom([folder, join(root, 'gone')], 4_096)
  assert.deepEqual([...before].sort(), [join(folder, '.hidden'), join(folder, 'deep/er/long')])
  assert.equal(fileExceeded(before, await filesFrom([folder], 4_096), 4_096), undefined)
  renameSync(join(folder, 'short'), join(folder, 'other'))
  truncateSync(join(folder, 'other'), 4_096)
  assert.match(fileExceeded(before, await filesFrom([folder], 4_096), 4_096)?.found ?? '', /^1 file of that length/)
  // No folder at all, but something in its place that cannot be listed.
  assert.deepEqual([...(await filesFrom([join(folder, 'other')], 1_000_000))], [join(folder, 'other')])
})
