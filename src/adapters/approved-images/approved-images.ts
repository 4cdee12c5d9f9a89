import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { ApprovedImages } from '../../engine/index.ts'

/** Approved images by their digest, in `approved/` of the state directory. Which of them is approved for what, the ledger says. */
export function createApprovedImages(stateDirectory: string): ApprovedImages {
  const directory = join(stateDirectory, 'approved')
  const pathOf = (digest: string): string => join(directory, `${digest}.png`)
  return {
    write: (image) => {
      const digest = sha256(image)
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const beside = `${pathOf(digest)}.part`
      const file = openSync(beside, 'w', 0o600)
      try {
        for (let written = 0; written < image.length; ) written += writeSync(file, image, written)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(beside, pathOf(digest))
      return digest
    },
    read: (digest) => {
      try {
        const image = readFileSync(pathOf(digest))
        return sha256(image) === digest ? image : undefined
      } catch (error) {
        const code = systemCode(error)
        if (code === 'ENOENT') return undefined
        throw new PortcullisError('file_unreadable', { asked: `to read ${pathOf(digest)}`, found: code ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause: error })
      }
    },
  }
}
