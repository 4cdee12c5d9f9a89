import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'

/** What is not part of the source, or too large to copy: packages are linked. */
const LEFT_OUT = new Set(['node_modules', '.git', '.mutation', '.portcullis', 'dist'])

export interface SourceCopy {
  readonly root: string
  remove(): void
}

/** A copy of the tree in a directory of its own: an edit meanwhile changes nothing of what is measured, and nothing that is measured writes into the source. */
export function copySource(root: string): SourceCopy {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-mutation-')))
  cpSync(root, copy, { recursive: true, filter: (path) => !relative(root, path).split(sep).some((part) => LEFT_OUT.has(part)) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir')
  const remove = (): void => rmSync(copy, { recursive: true, force: true })
  process.once('exit', remove)
  return {
    root: copy,
    remove() {
      process.off('exit', remove)
      remove()
    },
  }
}
