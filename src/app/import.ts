import { resolve as resolvePath } from 'node:path'
import type { AppOptions } from './places.ts'

export interface ImportAnswer {
  readonly format: string
  readonly fragment: string
  readonly blanks: number
  readonly remarks: readonly { readonly where: string; readonly why: string }[]
}

/** Reads the configuration of another gateway, and writes the fragment to a new file if one is named. */
export async function importConfiguration(options: Pick<AppOptions, 'cwd'>, asked: { readonly file: string; readonly write: string | undefined }): Promise<ImportAnswer> {
  const { importFile, writeNew } = await import('../adapters/import/index.ts')
  const imported = importFile(resolvePath(options.cwd, asked.file))
  if (asked.write !== undefined) writeNew(resolvePath(options.cwd, asked.write), imported.fragment)
  return imported
}
