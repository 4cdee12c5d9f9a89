import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import * as z from 'zod'
import { openApp } from '../../src/index.ts'
import { agentScenario, edit } from '../helpers/real-agents.ts'
import { notHere } from '../helpers/sealed.ts'

const checkout = process.env['CASE_CHECKOUT']
const silent = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }
const Configured = z.looseObject({ providers: z.looseObject({ scripted: z.looseObject({ baseUrl: z.string() }) }) })

test('the example of Case does its work, sealed, with the admitted model', { skip: checkout === undefined ? 'CASE_CHECKOUT names no checkout of Case' : false }, async (t) => {
  const obstacle = await notHere('network')
  if (obstacle !== false) return t.skip(obstacle)
  const { directory, environment, home } = await agentScenario(t, 'case')
  const configuration = join(directory, 'portcullis.yaml')
  edit(configuration, ['profiles', 'case_scripted', 'command'], [process.env['CASE_BUN'] ?? 'bun', join(checkout ?? '', 'src/index.ts')])
  const { baseUrl } = Configured.parse(parse(readFileSync(configuration, 'utf8'))).providers.scripted
  // As the first lines of the example say it.
  const asked = {
    CTO_HARNESS_CASE_MODEL_PROVIDER: 'scripted', CTO_HARNESS_CASE_MODEL: 'coder-1', CTO_HARNESS_CASE_MODEL_ADMISSION_FILE: 'admissions/scripted--coder-1.json',
    CTO_HARNESS_CASE_OPENAI_CODEX_AUTH_BRIDGE: '1', CTO_HARNESS_CASE_LOCAL_BASE_URL: baseUrl,
  }
  const app = await openApp({ cwd: directory, configurationPath: undefined, stateDirectory: undefined, environment: { ...environment, ...asked }, homeDirectory: home, clock: () => new Date() })
  try {
    const { report } = await app.run({ task: 'task.yaml', profile: undefined, purpose: undefined, backend: 'case', admissionFile: undefined, cancelled: new AbortController().signal }, silent)
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
    assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
    assert.deepEqual([report.model.served, report.workspace?.files.map((file) => file.path)], [['coder-1'], ['src/slugify.js']])
  } finally {
    await app.close()
  }
})
