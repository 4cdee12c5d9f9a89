import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty directory, by its real path, that is removed when the test ends. */
export function temporaryDirectory(test: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-test-'))
  test.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}
