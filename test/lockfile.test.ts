import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'

const root = join(import.meta.dirname, '..')
const Names = z.record(z.string(), z.string()).default({})
const Lock = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional(), dependencies: Names, devDependencies: Names, optionalDependencies: Names })) })

/** Whether Node would find `name` from a place in the tree: below it, or below one of the places around it. */
function found(packages: Readonly<Record<string, unknown>>, from: string, name: string): boolean {
  const places = ['', from === '' ? '' : `${from}/`, ...[...from.matchAll(/node_modules\//g)].map(({ index }) => from.slice(0, index))]
  return places.some((place) => Object.hasOwn(packages, `${place}node_modules/${name}`))
}

// npm leaves out of the lock, without a word, what the registry does not have for another platform; then `npm ci`, the
// first command of the README, refuses the whole lock.
test('the lock names every package that one of its packages asks for, for every platform', () => {
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
  const missing = Object.entries(packages).flatMap(([place, { dependencies, devDependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter((name) => !found(packages, place, name)).map((name) => `${place}: ${name}`),
  )
  assert.deepEqual(missing, [])
})
