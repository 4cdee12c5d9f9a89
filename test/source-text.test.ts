import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, readSource } from '../scripts/source-text.ts'

const specifiers = (text: string) => importsOf(readSource(text)).map(({ specifier, typeOnly }) => [specifier, typeOnly])

for (const [what, text, expected] of [
  ['a named import', 'import { a, type B as C } from \'./a.ts\'', [['./a.ts', false]]],
  ['an import over several lines', 'import {\n  a,\n  b,\n} from "./a.ts"', [['./a.ts', false]]],
  ['a type import', 'import type { A } from \'./a.ts\'', [['./a.ts', true]]],
  ['a value named type', 'import type from \'./a.ts\'', [['./a.ts', false]]],
  ['a bare import', 'import \'./a.ts\'\nimport \'./b.ts\'', [['./a.ts', false], ['./b.ts', false]]],
  ['a namespace', 'import * as a from \'./a.ts\'', [['./a.ts', false]]],
  ['re-exports', 'export * from \'./a.ts\'\nexport type * from \'./b.ts\'\nexport { c } from \'./c.ts\'', [['./a.ts', false], ['./b.ts', true], ['./c.ts', false]]],
  ['a dynamic import', 'const a = await import(\'./a.ts\')', [['./a.ts', false]]],
  ['a dynamic import of a plain template', 'const a = await import(`./a.ts`)', [['./a.ts', false]]],
  ['a dynamic import of an expression', 'const a = await import(\'./a\' + x)', [[undefined, false]]],
  ['an import with attributes', 'import a from \'./a.json\' with { type: \'json\' }', [['./a.json', false]]],
  ['imports without line breaks', 'import{a}from\'./a.ts\';import{b}from\'./b.ts\'', [['./a.ts', false], ['./b.ts', false]]],
  ['import.meta', 'const a = import.meta.dirname', []],
  ['a method named import', 'schema.import(\'./a.ts\'); const from = \'./b.ts\'', []],
  ['a comment', '// import \'./a.ts\'\n/* export * from \'./b.ts\' */', []],
  ['an apostrophe in a regular expression', 'const a = /it\'s/\nimport \'./a.ts\'', [['./a.ts', false]]],
  ['two slashes in a class of a regular expression', 'const a = text.replace(/[//"]/g, \'\')\nimport \'./a.ts\'', [['./a.ts', false]]],
  ['a division', 'const a = b / c; import \'./a.ts\' // d / e', [['./a.ts', false]]],
  ['an import in a substitution', 'const a = `x ${await import(\'./a.ts\')} import(\'./b.ts\') ${`${{ a: 1 }}`}`\nimport \'./c.ts\'', [['./a.ts', false], ['./c.ts', false]]],
  ['an escaped quote', 'const a = \'\\\' import "./a.ts"\'', []],
] as const) {
  test(`imports are read past ${what}`, () => {
    assert.deepEqual(specifiers(text), expected)
  })
}

test('lines are counted past comments and templates of several lines', () => {
  assert.deepEqual(importsOf(readSource('/*\n\n*/\nconst a = `\n${1}\n`\nimport \'./a.ts\'')), [{ specifier: './a.ts', typeOnly: false, line: 7 }])
})
