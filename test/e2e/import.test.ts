import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/import')

void test('portcullis import prints a fragment and says beside it what is missing; --write makes a new file and never replaces one', async (context) => {
  const cwd = temporaryDirectory(context)
  cpSync(FIXTURES, cwd, { recursive: true })
  const printed = await runCli(['import', 'litellm.yaml'], { cwd })
  assert.equal(printed.code, 0)
  assert.match(printed.stdout, /^# A part of portcullis\.yaml, imported from litellm\.yaml \(LiteLLM\)\./)
  assert.match(printed.stderr, /^LiteLLM: \d+ places to fill in, \d+ remarks\n {2}model_list\[0\]: /)
  assert.ok(!(printed.stdout + printed.stderr).includes('in-clear-text'))

  const written = await runCli(['import', 'litellm.yaml', '--write', 'new.yaml'], { cwd })
  assert.deepEqual([written.code, written.stdout], [0, '  + new.yaml\n'])
  assert.equal(readFileSync(join(cwd, 'new.yaml'), 'utf8'), printed.stdout)
  const again = await runCli(['import', 'portkey.json', '--write', 'new.yaml'], { cwd })
  assert.equal(again.code, 2)
  assert.match(again.stderr, /nothing is overwritten/)
  assert.equal(readFileSync(join(cwd, 'new.yaml'), 'utf8'), printed.stdout)

  // What was imported is no configuration yet: nothing runs on blanks.
  const refused = await runCli(['resolve', 'smart', '--purpose', 'ticket', '-c', 'new.yaml'], { cwd })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /networkClass: expected text; found nothing \(null\)/)

  const json = await runCli(['import', 'portkey.json', '--json'], { cwd })
  const value: unknown = JSON.parse(json.stdout)
  assert.ok(typeof value === 'object' && value !== null && 'format' in value && 'remarks' in value && 'fragment' in value && value.format === 'Portkey')
  const missing = await runCli(['import', 'nothing.yaml', '--write', 'none.yaml'], { cwd })
  assert.equal(missing.code, 2)
  assert.equal(existsSync(join(cwd, 'none.yaml')), false)
})
