import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import type { Reason } from '../../contract/reasons.ts'
import { DEFINITIONS } from '../../../test/helpers/probe-samples.ts'
import { bindProbes, type BindingRequest } from './index.ts'
import { definitionDigest, type HeadlessRunProbe, ProbeDefinition, TaskClass } from '../catalog/index.ts'

const run = (name: string): HeadlessRunProbe => ({ kind: 'headless_run', command: ['npm', 'run', name], timeout: '5s', expect: { exitCode: 0 } })
const request: BindingRequest = {
  taskClass: 'change',
  taskClasses: { change: { completion: 'product', probes: ['tests', 'lint'] }, tidy: { completion: 'code', probes: [] }, empty: { completion: 'product', probes: [] } },
  probes: { tests: run('test'), lint: run('lint'), smoke: DEFINITIONS.api_smoke, extra: { ...run('extra'), allowsWrites: true }, nothing: { ...run('x'), command: ['true'] } },
  items: [{ id: 1, text: 'a', probes: ['extra', 'tests'] }, { id: 2, text: 'b', probes: ['smoke', 'extra'] }],
}

function refuses(change: Partial<BindingRequest>, reason: Reason, found: RegExp): void {
  const result = bindProbes({ ...request, ...change })
  assert.equal(result.ok, false)
  assert.equal(result.refusal.reason, reason)
  assert.match(result.refusal.found, found)
}

verifies('ACC-06', 'the binding alone decides: the probes of the class in their order, then those the items name, each once', () => {
  const result = bindProbes(request)
  assert.ok(result.ok)
  assert.equal(result.binding.completion, 'product')
  assert.deepEqual(result.binding.definitions.map((each) => each.name), ['tests', 'lint', 'extra', 'smoke'])
  assert.deepEqual(result.binding.bound[2], { probe: 'extra', kind: 'headless_run', definitionDigest: definitionDigest({ ...run('extra'), allowsWrites: true }), allowsWrites: true })
  assert.deepEqual(result.binding.bound[3], { probe: 'smoke', kind: 'api_smoke', definitionDigest: definitionDigest(DEFINITIONS.api_smoke), allowsWrites: false })
})

test('what cannot be bound is a refusal with a reason, never a guess', () => {
  refuses({ taskClass: 'unheard-of' }, 'task_class_unknown', /change, tidy, empty/)
  refuses({ taskClass: 'constructor' }, 'task_class_unknown', /change/)
  refuses({ taskClass: 'empty' }, 'acceptance_unbound', /names none/)
  refuses({ items: [{ id: 3, text: 'c', probes: [] }] }, 'acceptance_unbound', /names none/)
  refuses({ items: [{ id: 3, text: 'c', probes: ['missing'] }] }, 'probe_unknown', /tests, lint/)
  refuses({ items: [{ id: 3, text: 'c', probes: ['toString'] }] }, 'probe_unknown', /tests/)
  refuses({ probes: {} }, 'probe_unknown', /no probe/)
})

verifies('ACC-53', 'a vacuous definition is refused before anything runs', () => {
  refuses({ items: [{ id: 3, text: 'c', probes: ['nothing'] }] }, 'probe_vacuous', /`true` ends the same way/)
})

verifies('ACC-26', 'a class whose completion is code may have no probe', () => {
  const result = bindProbes({ ...request, taskClass: 'tidy', items: [] })
  assert.deepEqual(result.ok && result.binding, { completion: 'code', bound: [], definitions: [] })
})

verifies('ACC-12', 'an unknown kind is refused when the definition is read', () => {
  assert.equal(ProbeDefinition.safeParse({ kind: 'headless_ran', command: ['npm'], timeout: '5s', expect: { exitCode: 0 } }).success, false)
  for (const [kind, definition] of Object.entries(DEFINITIONS)) {
    assert.equal(ProbeDefinition.safeParse(definition).success, true, kind)
    assert.equal(ProbeDefinition.safeParse({ ...definition, assert: 'nothing' }).success, false, `${kind} with a field that nobody defined`)
  }
})

verifies('ACC-43', 'a probe of any kind without a finite limit, or with one beyond the maximum, is refused', () => {
  for (const timeout of [undefined, '', '0s', 'never', 'Infinitys', 5, '61m', '2h']) {
    for (const definition of Object.values(DEFINITIONS)) assert.equal(ProbeDefinition.safeParse({ ...definition, timeout }).success, false, `${definition.kind} ${String(timeout)}`)
  }
  assert.equal(ProbeDefinition.safeParse({ ...run('x'), timeout: '1h' }).success, true)
})

verifies('ACC-53', 'a definition without an expectation is refused when it is read', () => {
  for (const expect of [undefined, {}, { stdout: 'ok' }, { exitCode: 0, stdout: '' }, { exitCode: 256 }]) assert.equal(ProbeDefinition.safeParse({ ...run('x'), expect }).success, false)
  assert.equal(TaskClass.safeParse({ completion: 'done', probes: [] }).success, false)
})
