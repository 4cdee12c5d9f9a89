import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'

/** Keeps a picture of the page for the documentation, where one is asked for; of one part of it, if that is named. */
export async function keptPicture(page: Page, name: string, part?: Locator): Promise<void> {
  const directory = process.env['PORTCULLIS_PICTURES']
  if (directory === undefined) return
  mkdirSync(directory, { recursive: true })
  await part?.scrollIntoViewIfNeeded()
  await page.screenshot({ path: join(directory, `${name}.png`) })
}
