import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { verifies } from '../../../test/verifies.ts'
import { markersOf } from './markers.ts'
import { Report } from './report.ts'

const refusal = { asked: 'a', found: 'b\nc', remedy: 'd' }

verifies('ADM-M2 ADM-M3 ADM-M4', 'each refusal of the documents has a marker of its own, which says why', () => {
  for (const [reason, path] of [
    ['missing_admission', 'provider-model-not-admitted.txt'],
    ['auth_route_missing', 'provider-auth-unavailable.txt'],
    ['local_config_missing', 'provider-local-config-missing.txt'],
    ['catalogue_model_unknown', 'provider-model-not-in-catalogue.txt'],
    ['agent_does_not_start', 'runtime-does-not-start.txt'],
    ['agent_protocol', 'provider-agent-protocol.txt'],
  ] as const) {
    assert.deepEqual(markersOf(reason, refusal), [{ path: `backend/${path}`, text: `status: ${reason}\nasked: a\nfound: b c\ndo: d\n` }])
  }
})

test('a pass has none, nor has a reason without one', () => {
  assert.deepEqual([markersOf(null, undefined), markersOf('probe_failed', refusal), markersOf('agent_protocol', undefined)], [[], [], []])
})

verifies('ADM-T8', 'no field of a report can approve, admit or promote: none is asked for a decision, and a field that nobody knows is refused', () => {
  const properties: string[] = []
  JSON.stringify(z.toJSONSchema(Report), (name, value: unknown) => {
    if (name !== '') properties.push(name)
    return value
  })
  assert.ok(properties.includes('case_model_admission_status'))
  assert.deepEqual(properties.filter((name) => /approv|promot|decision|authori[sz]|grant|admit(?!ted$)|candidate|default/i.test(name) && name !== 'additionalProperties'), [])
  for (const more of [{ approved: true }, { promote: 'core' }]) assert.ok(Report.safeParse(more).error?.issues.some((issue) => issue.code === 'unrecognized_keys'))
})
