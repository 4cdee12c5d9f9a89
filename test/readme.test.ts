import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseDocument } from 'yaml'
import { PORTCULLIS, runCli, runProgram } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary-directory.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The fenced block between two markers of the README. */
function shown(name: string): string {
  const block = new RegExp(`<!-- ${name}:begin -->\\n\`\`\`\\w*\\n([^]*?)\`\`\`\\n<!-- ${name}:end -->`).exec(readme)?.[1]
  assert.ok(block !== undefined, `README.md has no block ${name}`)
  return block
}

/** What stays the same from run to run: numbers, dates and the width of the columns do not. */
const shape = (text: string): string => text.replace(/\d+/g, '0').replace(/0\.0 s|0 ms/g, 'T').replace(/ +/g, ' ').trimEnd()

test('the demo prints what the README shows', async () => {
  const { code, stdout } = await runProgram(process.execPath, [join(root, 'scripts/demo.ts')], { cwd: root })
  assert.equal(code, 0, stdout)
  const printed = stdout.split('\n').map(shape)
  for (const line of shown('demo').split('\n').filter((each) => each.trim() !== '')) assert.ok(printed.includes(shape(line)), `the demo does not print: ${line}\n${stdout}`)
  assert.match(stdout, /verdicts judged again, \d+ files: all as recorded/)
})

test('the provider, the profile and the commands of the README work on the starter', async (t) => {
  const directory = temporaryDirectory(t)
  assert.equal((await runCli(['init'], { cwd: directory })).code, 0)
  const path = join(directory, 'portcullis.yaml')
  const configuration = parseDocument(readFileSync(path, 'utf8'))
  for (const [table, entries] of Object.entries(parse(shown('real')) as Record<string, Record<string, unknown>>)) {
    for (const [name, entry] of Object.entries(entries)) configuration.setIn([table, name], entry)
  }
  writeFileSync(path, configuration.toString())
  const resolved = await runCli(['resolve', 'pi_opus', '--purpose', 'ticket'], { cwd: directory })
  assert.match(resolved.stdout, /pi\/anthropic\/claude-opus-4-8/)
  assert.equal((await runCli(['admit', 'check', 'pi_opus', '--purpose', 'ticket'], { cwd: directory })).code, 3)
  const [decide, create, probe, run] = shown('admit').trim().split('\n').map((line) => line.replace('npx portcullis', `"${process.execPath}" "${PORTCULLIS}"`))
  assert.ok(decide !== undefined && create !== undefined && probe !== undefined && run !== undefined)
  // The date stands for "in a while"; a test must not end with it.
  const later = new Date(Date.now() + 30 * 86_400_000).toISOString()
  const created = await runProgram('/bin/sh', ['-c', create.replace(/--expires \S+/, `--expires ${later}`)], { cwd: directory })
  assert.equal(created.code, 0, created.stderr)
  const unapproved = await runCli(['admit', 'check', 'pi_opus', '--purpose', 'ticket'], { cwd: directory })
  assert.equal(unapproved.code, 3)
  assert.match(unapproved.stdout, /network class hosted is external, and no decision/)
  const decided = await runProgram('/bin/sh', ['-c', decide.replace(/--review \S+/, `--review ${later}`)], { cwd: directory })
  assert.equal(decided.code, 0, decided.stderr)
  assert.equal((await runCli(['admit', 'check', 'pi_opus', '--purpose', 'ticket'], { cwd: directory })).code, 0)
  // Without the key the real provider is not even asked: the wire says what is missing.
  const probed = await runProgram('/bin/sh', ['-c', probe], { cwd: directory })
  assert.equal(probed.code, 3)
  assert.match(probed.stdout, /health: credential_unavailable[^]*ANTHROPIC_API_KEY/)
})
