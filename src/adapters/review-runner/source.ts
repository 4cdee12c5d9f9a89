import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'

/** The changed files that are there as plain files, in order: a removed one has no content, and a link shows what nobody judges. */
export async function presentFiles(workspace: string, files: readonly string[]): Promise<string[]> {
  const present: string[] = []
  for (const file of files) {
    if (await lstat(join(workspace, file)).then((stat) => stat.isFile(), () => false)) present.push(file)
  }
  return present
}

/** SHA-256 of the files one after the other: what shows that a program has read them. */
export async function sourceDigest(workspace: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of await presentFiles(workspace, files)) {
    for await (const chunk of createReadStream(join(workspace, file))) hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}
