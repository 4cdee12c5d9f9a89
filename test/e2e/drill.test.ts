import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'
import { readDrill } from '../helpers/drill.ts'
import { CONFIGURATION, RECORD, scenario } from './scenario.ts'

verifies('ADM-N13', 'where an honest run is refused a refusal proves nothing: every line is not proven, and the drill fails', async (t) => {
  const made = await scenario(t)
  made.env['TMPDIR'] = temporaryDirectory(t)
  rmSync(join(made.directory, RECORD))
  const { result, answer, lines } = await readDrill(made)
  assert.equal(result.code, 4)
  assert.deepEqual([answer.closed, answer.open, answer.not_applicable, answer.not_proven], [0, 0, 0, lines.size])
  assert.match(answer.profiles[0]?.control.message ?? '', /missing_admission at admission/)
  const shown = await made.portcullis(['drill'])
  assert.equal(shown.code, 4)
  assert.match(shown.stdout, /✘ honest {3}honest run +missing_admission at admission.*\n(?: {2}\? unproven .*\n){20,}/)
  assert.match(shown.stdout, /0 closed, 0 open, \d+ not proven in .* exit 4\n.*an honest run must be accepted/)
  assert.equal(made.provider.requests().length, 0)
  assert.equal(existsSync(join(made.directory, '.portcullis')), false)
  assert.deepEqual(readdirSync(made.env['TMPDIR']), [])
})

test('a profile that is not there, and a configuration that is not valid, cannot be drilled', async (t) => {
  const made = await scenario(t)
  const unknown = await made.portcullis(['drill', '--profile', 'nobody'])
  assert.deepEqual([unknown.code, unknown.stdout], [2, ''])
  assert.match(unknown.stderr, /no profile "nobody"\n.*Name a profile of portcullis\.yaml: pi_scripted/)
  made.set(CONFIGURATION, ['profiles', 'pi_scripted', 'model'], 'scripted')
  assert.equal((await made.portcullis(['drill'])).code, 2)
})
