import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { filesNaming, RELIED_ON } from '../scripts/relied-on.ts'
import { citedIds } from '../scripts/requirements.ts'
import { verifies } from './verifies.ts'

const ROOT = join(import.meta.dirname, '..')
const Manifest = z.object({ scripts: z.record(z.string(), z.string()) })

verifies('ACC-79', 'each demand of the audit is named by a test that every change runs, and the package is published only after those have passed', () => {
  assert.deepEqual([RELIED_ON.length, RELIED_ON[0], RELIED_ON.at(-1)], [13, 'ACC-29', 'ACC-41'])
  const files = filesNaming(ROOT, RELIED_ON)
  const cited = new Set(files.flatMap((path) => citedIds(path, readFileSync(join(ROOT, path), 'utf8')).citations.map(({ id }) => id)))
  assert.deepEqual(RELIED_ON.filter((id) => !cited.has(id)), [])
  const uncited = readFileSync(join(ROOT, 'spec/requirements/uncited.txt'), 'utf8').split('\n')
  assert.deepEqual(RELIED_ON.filter((id) => uncited.includes(id)), [])
  const { scripts } = Manifest.parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  assert.equal(scripts['test:relied-on'], 'node scripts/relied-on.ts')
  assert.equal(scripts['prepublishOnly'], 'npm run test:relied-on')
})
