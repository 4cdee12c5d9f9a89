import { lstat, readlink } from 'node:fs/promises'
import { systemCode } from '../../contract/errors.ts'
import { pathBelow } from './tree.ts'

/** The kernel gives up after this many links, and so do we. */
const LINK_LIMIT = 40

/**
 * True if a link, followed step by step as the kernel would, never leaves the root, whether its target exists or not.
 * An absolute target always leaves: in a copy it would still name the original. Comparing names is not enough, because
 * `a/link/..` is not `a` where `link` points elsewhere.
 */
export async function staysInside(root: string, link: string): Promise<boolean> {
  const here: string[] = []
  const ahead = link.split('/')
  for (let followed = 0; ahead.length > 0; ) {
    const part = ahead.shift()
    if (part === undefined || part === '' || part === '.') continue
    if (part === '..') {
      if (here.pop() === undefined) return false
      continue
    }
    const target = await targetOf(root, [...here, part].join('/'))
    if (target === undefined) here.push(part)
    else if (target.startsWith('/') || ++followed > LINK_LIMIT) return false
    else ahead.unshift(...target.split('/'))
  }
  return true
}

/** Where a link points; undefined if there is no link at the path. */
async function targetOf(root: string, path: string): Promise<string | undefined> {
  const absolute = pathBelow(root, path)
  try {
    return (await lstat(absolute)).isSymbolicLink() ? (await readlink(absolute, { encoding: 'buffer' })).toString('latin1') : undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
