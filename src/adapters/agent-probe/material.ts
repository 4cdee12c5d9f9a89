import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { Material } from '../../engine/agents/configuration.ts'

/**
 * What an agent must show of a material: its digest and, where the bytes are here, what only they give with this key.
 * Throws `file_missing` for a file that cannot be read: who the agent should be is then unknown, and nobody is it.
 */
export async function readMaterial(directory: string, material: Material, key: string): Promise<{ readonly sha256: string; readonly proof: string | null }> {
  if ('sha256' in material) return { sha256: material.sha256, proof: null }
  const path = resolve(directory, material.file)
  try {
    const bytes = await readFile(path)
    return { sha256: sha256(bytes), proof: createHmac('sha256', key).update(bytes).digest('hex') }
  } catch (error) {
    throw new PortcullisError('file_missing', { asked: `the file ${material.file}, which an agent must have loaded`, found: `it cannot be read (${systemCode(error) ?? 'unknown'})`, remedy: 'Put it beside portcullis.yaml as the entry names it, or name its sha256 there.' })
  }
}
