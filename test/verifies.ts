import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

const requirementFiles = join(import.meta.dirname, '../spec/requirements')

/** Every requirement id that the requirement files define. */
export function requirementIds(): Set<string> {
  const ids = new Set<string>()
  for (const file of globSync('*.md', { cwd: requirementFiles })) {
    for (const match of readFileSync(join(requirementFiles, file), 'utf8').matchAll(/^- \*\*([A-Z]+-[A-Z]?\d+)\*\*/gm)) {
      if (match[1] !== undefined) ids.add(match[1])
    }
  }
  return ids
}

const known = requirementIds()

type Body = (context: TestContext) => void | Promise<void>

/**
 * A test that proves requirements: `verifies('ADM-G5 ADM-N6', 'a record for another model is a mismatch', () => ...)`.
 * An unknown id throws when the file is loaded, so that a typo can never silently drop coverage. Cite a requirement
 * only where the test would fail if the requirement were broken. `npm run requirements` reads these calls from the source.
 */
export function verifies(ids: string, name: string, body: Body): void {
  for (const id of ids.split(' ')) {
    if (!known.has(id)) throw new Error(`No requirement file defines ${JSON.stringify(id)}; see spec/requirements/`)
  }
  void test(`${name} [${ids}]`, body)
}
