import assert from 'node:assert/strict'
import { type Stage, stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { openRunDirectory } from '../adapters/run-directory/index.ts'
import { REASONS } from '../contract/reasons.ts'
import { markersOf } from '../gates/report/index.ts'

type Json = null | string | number | boolean | Json[] | { [key: string]: Json }

/** The report that the table of report.md describes, built from its rows alone. */
function fromTable(markdown: string): Json {
  const root: { value: Json } = { value: {} }
  for (const [, path = '', text = ''] of markdown.slice(markdown.indexOf('## Every field')).matchAll(/^\| (\S+) \| `(.*)` \|$/gm)) {
    const steps = ['value', ...path.split(/[.[]/).map((step) => (step.endsWith(']') ? Number(step.slice(0, -1)) : step))]
    let at: Record<string | number, Json> = root
    for (const [index, step] of steps.entries()) {
      const next = steps[index + 1]
      if (next === undefined) at[step] = JSON.parse(text) as Json
      else at = (at[step] ??= typeof next === 'number' ? [] : {}) as Record<string | number, Json>
    }
  }
  return root.value
}

const ENDINGS: readonly [name: string, make: (t: Parameters<typeof stage>[0]) => Promise<Stage>][] = [
  ['accepted', (t) => stage(t)],
  ['blocked', (t) => stage(t, { records: [] })],
  ['failed', (t) => stage(t, { probe: (request, record) => (request.phase === 'result' ? { ...record, status: 'failed', summary: 'a | pipe, `ticks`\nand [brackets]', payload: { ...record.payload, exit_code: 1 } } : record) })],
]

for (const [name, make] of ENDINGS) {
  verifies('ADM-T4', `the table of report.md alone gives report.json again, for a run that is ${name}`, async (t) => {
    const { json, markdown } = await (await make(t)).run()
    assert.deepEqual(fromTable(markdown), JSON.parse(json))
  })
}

verifies('ADM-M5', 'the markers that a report names are the ones that are there, and a marker that is rewritten, removed or added is found', async (t) => {
  for (const [, make] of ENDINGS) {
    const made = await make(t)
    const { report } = await made.run()
    const directory = openRunDirectory(made.directory, report.run_id)
    const present = directory.files().map((file) => file.name).filter((name) => name.endsWith('.txt'))
    assert.deepEqual(present, report.markers)
    assert.equal(report.markers.length > 0, report.status === 'blocked')
    for (const marker of report.markers) {
      const text = directory.read(marker)
      assert.ok(text !== undefined && text.toString().startsWith(`status: ${report.reason}\n`))
      directory.write(marker, 'status: admitted\n')
      assert.deepEqual((await made.verify(report.run_id)).problems.map(({ code, where }) => [code, where]), [['file_changed', marker]])
      directory.write(marker, text)
    }
    assert.deepEqual((await made.verify(report.run_id)).problems, [])
    directory.write('backend/provider-agent-protocol.txt', 'status: agent_protocol\n')
    assert.deepEqual((await made.verify(report.run_id)).problems.map(({ code, where }) => [code, where]), [['file_changed', 'backend/provider-agent-protocol.txt']])
  }
})

verifies('ADM-M5', 'no reason has two markers, and what ended well has none', () => {
  const refusal = { asked: 'a', found: 'f', remedy: 'r' }
  assert.deepEqual(markersOf(null, refusal), [])
  for (const reason of REASONS) assert.ok(markersOf(reason, refusal).length <= 1, reason)
  // The four statuses that do not admit share one marker, which no other reason has.
  const notAdmitted = REASONS.filter((reason) => markersOf(reason, refusal).some((marker) => marker.path === 'backend/provider-model-not-admitted.txt'))
  assert.deepEqual(notAdmitted, ['missing_admission', 'mismatch', 'invalid_admission', 'not_admitted'])
})

verifies('ADM-T3', 'a failed run says its reason in words, a blocked one what to do, and each names its marker if it has one', async (t) => {
  for (const [name, make] of ENDINGS) {
    const { report, markdown } = await (await make(t)).run()
    if (name === 'accepted') {
      assert.deepEqual([report.reason, report.refusal], [null, null])
      continue
    }
    assert.match(report.summary, new RegExp(`^${name === 'failed' ? 'Failed' : 'Blocked'}: ${report.reason}\\. \\S.* .*\\S`))
    assert.ok(report.refusal !== null && report.refusal.asked !== '' && report.refusal.found !== '' && report.refusal.remedy !== '')
    assert.ok(markdown.includes('- do: '))
    if (name === 'blocked') assert.match(report.refusal.remedy, /npx portcullis admit create scripted\/coder-1/)
    for (const marker of report.markers) assert.ok(markdown.includes(marker))
  }
})
