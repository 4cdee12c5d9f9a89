import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'

const Package = z.object({ name: z.string(), version: z.string() })

/** The package's own directory, found upward from this file: it runs from src/, from dist/ and bundled into dist/cli/. */
export const PACKAGE_ROOT: string = findRoot(import.meta.dirname)

/** The version in the package's package.json. */
export const VERSION: string = readPackage(PACKAGE_ROOT).version

function findRoot(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json')) && readPackage(directory).name === 'portcullis') return directory
    if (directory === dirname(directory)) throw new Error(`No package.json of portcullis at or above ${from}; the installation is broken`)
  }
}

function readPackage(directory: string): z.infer<typeof Package> {
  return Package.parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')))
}
