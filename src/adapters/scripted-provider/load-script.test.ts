import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { PortcullisError } from '../../contract/errors.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { loadScript, parseScript } from './load-script.ts'
import { ProviderScript } from './script.ts'

const example = join(import.meta.dirname, '../../../examples/slugify/script.yaml')

/** What is wrong with a script, as its reader is told. */
function problemsOf(text: string): string {
  try {
    parseScript(text)
  } catch (error) {
    if (error instanceof PortcullisError && error.code === 'script_invalid') return error.found
    throw error
  }
  return assert.fail('the script was taken')
}

/** A valid script with these lines behind its head. */
const withLines = (...lines: readonly string[]): string => ['version: 1', 'models: [coder-1]', ...lines].join('\n')

test('the example is a valid script, and answers the health probe first', async () => {
  const script = await loadScript(example)
  assert.deepEqual(script.models, ['coder-1'])
  assert.deepEqual(script.turns[0]?.when, { offersTool: 'portcullis_probe' })
})

test('a script can be JSON', () => {
  const script = { version: 1, models: ['m'], turns: [{ when: { always: true }, answer: { text: 'hello' } }] }
  assert.deepEqual(parseScript(JSON.stringify(script)), script)
})

test('the schema converts to JSON Schema, with descriptions', () => {
  const schema = JSON.stringify(z.toJSONSchema(ProviderScript, { io: 'input' }))
  assert.match(schema, /"retryAfter":\{"description":"Seconds/)
})

for (const [name, text, expected] of [
  ['an unknown field names its line and the nearest known one', withLines('turns:', '  - when: { turns: 1 }', '    answer: { text: hi }'), /^line 4, turns\[0\]\.when\.turns: unknown field; did you mean turn\?/],
  ['part of a name is enough for a hint', withLines('turns:', '  - when: { tool: x }', '    answer: { text: hi }'), /when\.tool: unknown field; did you mean offersTool\?/],
  ['a field that is like no other lists them all', withLines('turns: []', 'zzzzzz: 1'), /^line 4, zzzzzz: unknown field; known here: .*requireKey, turns, faults$/],
  ['a field of a fault, in the wrong place', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { retry_after: 2 }'), /^line 6, faults\[0\]\.fault\.retry_after: unknown field; did you mean retryAfter\?/],
  ['a missing version', 'models: [m]\nturns: []', /^line 1, version: /],
  ['a missing list of models', 'version: 1\nturns: []', /models: /],
  ['no models', 'version: 1\nmodels: []\nturns: []', /^line 2, models: /],
  ['an empty condition', withLines('turns:', '  - when: {}', '    answer: { text: hi }'), /^line 4, turns\[0\]\.when: expected at least one of always/],
  ['`always` beside another condition', withLines('turns:', '  - when: { always: true, turn: 1 }', '    answer: { text: hi }'), /expected `always` alone/],
  ['an answer that is none', withLines('turns:', '  - when: { always: true }', '    answer: {}'), /^line 5, turns\[0\]\.answer: expected `text`, `toolCalls` or both/],
  ['a pattern that is no regular expression', withLines('turns:', '  - when: { lastUser: "(" }', '    answer: { text: hi }'), /turns\[0\]\.when\.lastUser: expected a regular expression/],
  ['two ways to end one request', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { hang: true, cut: true }'), /^line 6, faults\[0\]\.fault: expected at most one of status, hang/],
  ['a fault without a fault', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: {}'), /expected at least one fault/],
  ['Retry-After without a status', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { retryAfter: 2 }'), /expected `status` beside `retryAfter`/],
  ['two claims about the model', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { noModel: true, servedModel: x }'), /not both/],
  ['a success as a fault', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { status: 200 }'), /faults\[0\]\.fault\.status: /],
  ['a duration without a unit', withLines('turns: []', 'faults:', '  - on: { always: true }', '    fault: { slow: 50 }'), /faults\[0\]\.fault\.slow: /],
  ['a key written twice', withLines('turns: []', 'turns: []'), /^line 4: /],
  ['broken YAML', 'version: [1\nmodels: x', /^line /],
  ['an alias that points nowhere', withLines('turns: *nothing'), /nothing/],
  ['a text instead of a script', 'hello', /^line 1, top level: /],
  ['nothing', '', /^line 1, top level: /],
] as const) {
  test(`refused: ${name}`, () => assert.match(problemsOf(text), expected))
}

test('every problem of a script is told at once', () => {
  assert.equal(problemsOf(withLines('turns:', '  - when: { turn: 0 }', '    answer: { text: "" }')).split('\n').length, 2)
})

test('aliases that multiply are refused before they fill the memory', () => {
  const levels = Array.from({ length: 12 }, (_unused, level) => `a${level + 1}: &a${level + 1} [${Array.from({ length: 9 }, () => `*a${level}`).join(', ')}]`)
  assert.match(problemsOf(['a0: &a0 [x]', ...levels].join('\n')), /alias/i)
})

test('a missing file and a directory are told apart, and say what to do', async (context) => {
  const directory = temporaryDirectory(context)
  await assert.rejects(loadScript(join(directory, 'none.yaml')), { code: 'file_missing' })
  await assert.rejects(loadScript(directory), { code: 'file_unreadable' })
  const broken = join(directory, 'broken.yaml')
  await writeFile(broken, 'version: 2\nmodels: [m]\nturns: []')
  await assert.rejects(loadScript(broken), (error) => error instanceof PortcullisError && error.asked.startsWith(broken) && error.remedy !== '')
})
