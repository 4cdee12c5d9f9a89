import type { TestContext } from 'node:test'
import { findBrowser } from '../../src/adapters/browser/index.ts'

/** Skips a test by its name where no browser is installed, so that it is counted, and never taken for one that passed. */
export const inBrowser =
  (body: (context: TestContext) => Promise<void>) =>
  async (context: TestContext): Promise<void> => {
    if (findBrowser(undefined, process.env['PATH'] ?? '') === undefined) return context.skip('no Chromium along PATH: apt-get install chromium')
    return await body(context)
  }
