import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'

/** Where the shapes of one folder are kept: what `npm run generate` writes and the folder's own test holds against the source. */
export const shapesPath = (folder: string): string => `spec/shapes/${folder}.txt`

/**
 * Every schema that a module exports, one limit-bearing place a line: what the gate reads from a store, a file or an agent. A refinement
 * that is code has no place in it; its own tests hold that.
 */
export function shapesOf(module: Readonly<Record<string, unknown>>): string {
  const schemas = Object.entries(module).filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType)
  return schemas
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([name, schema]) => linesOf(name, z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'ref' })))
    .map((line) => `${line}\n`)
    .join('')
}

/** Words for people are no limit, and the dialect is the same everywhere. */
const LEFT_OUT = new Set(['$schema', 'description', 'title'])

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null || (Array.isArray(value) && value.every(isPlain))

/** A long list of words is that of another module, which has tests of its own; here it would change with each new reason. */
const MOST_WORDS = 20
const print = (value: unknown): string => (Array.isArray(value) && value.length > MOST_WORDS ? 'many words' : JSON.stringify(value))

function linesOf(path: string, node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [`${path} ${JSON.stringify(node)}`]
  const within = (key: string): boolean => path.endsWith('.properties') || !LEFT_OUT.has(key)
  const entries = Object.entries(node).filter(([key]) => within(key))
  const own = entries.filter(([key, value]) => isPlain(value) && !(key === 'pattern' && 'format' in node)).map(([key, value]) => `${key}=${print(value)}`)
  return [...(own.length === 0 ? [] : [`${path}  ${own.join('  ')}`]), ...entries.filter(([, value]) => !isPlain(value)).flatMap(([key, value]) => linesOf(`${path}.${key}`, value))]
}

/**
 * Registers the test that the schemas of a folder are those under spec/shapes. A limit that is lifted or a pattern that is lost lets in
 * what no gate has judged, and no example notices: what is pinned can be loosened only in a change that shows it.
 */
export function pinShapes(folder: string, module: Readonly<Record<string, unknown>>): void {
  void test(`what ${folder} reads has the shapes under spec/`, () => {
    const shapes = shapesOf(module)
    assert.notEqual(shapes, '', 'nothing would be held against anything')
    assert.equal(shapes, readFileSync(join(import.meta.dirname, '../..', shapesPath(folder)), 'utf8'))
  })
}
