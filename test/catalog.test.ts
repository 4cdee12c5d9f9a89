import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfiguration, loadTask } from '../src/adapters/configuration/index.ts'
import { bindProbes } from '../src/gates/acceptance/index.ts'
import { PROBE_KINDS } from '../src/gates/catalog/index.ts'
import { verifies } from './verifies.ts'

const EXAMPLE = join(import.meta.dirname, '../examples/probes')
const { configuration } = loadConfiguration(join(EXAMPLE, 'portcullis.yaml'))

verifies('ACC-10 ACC-14', 'the catalog has eight classes or more, each product is proven by a probe that can fail, and every kind is among them', () => {
  const classes = Object.entries(configuration.taskClasses)
  assert.ok(classes.length >= 8, `${classes.length} classes`)
  const kinds = new Set<string>()
  for (const [name, { completion, probes }] of classes) {
    if (completion === 'product') assert.ok(probes.length > 0, name)
    const result = bindProbes({ taskClass: name, taskClasses: configuration.taskClasses, probes: configuration.probes, items: [] })
    assert.ok(result.ok, `${name}: ${result.ok ? '' : result.refusal.message}`)
    for (const { kind } of result.binding.bound) kinds.add(kind)
  }
  assert.deepEqual([...kinds].sort(), [...PROBE_KINDS].sort())
})

test('there is a task for each kind of probe, of a class of the catalog, with two agents', () => {
  const tasks = globSync('*.yaml', { cwd: EXAMPLE }).filter((file) => !['portcullis.yaml', 'script.yaml'].includes(file)).map((file) => loadTask(join(EXAMPLE, file)).task)
  const kinds = tasks.flatMap(({ class: taskClass }) => configuration.taskClasses[taskClass]?.probes.map((probe) => configuration.probes[probe]?.kind) ?? [])
  assert.deepEqual(new Set(kinds), new Set(PROBE_KINDS))
  for (const { id } of tasks) assert.deepEqual(new Set(globSync('*', { cwd: join(EXAMPLE, 'solutions', id) })), new Set(['bad', 'good']))
})
