import { constants, type Stats } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { listKeys, openSigner } from '../keys/index.ts'
import type { LedgerOnDemand } from '../store-sqlite/index.ts'
import type { DoctorRow } from './row.ts'

/** Whether runs can be stored, and whether only their owner can read them. Nothing is made or written. */
export async function stateRows(stateDirectory: string, ledger: LedgerOnDemand): Promise<DoctorRow[]> {
  const common = { area: 'state' as const, name: stateDirectory, needed_for: 'the ledger and the runs' }
  const missing = (found: string, remedy: string): DoctorRow[] => [{ ...common, status: 'missing', found, remedy }]
  const status = await look(stateDirectory)
  if (typeof status === 'string') return missing(`cannot be looked at (${status})`, 'Make the folders above it readable, or name another one with --state.')
  if (status === undefined) return [await parentRow(stateDirectory)]
  if (!status.isDirectory()) return missing('not a directory', 'Move the file away, or name another directory with --state.')
  if (!(await writable(stateDirectory))) return missing('a directory that cannot be written', 'Make it writable for the user that runs Portcullis, or name another one with --state.')
  const open = status.mode & 0o077
  const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
  return [
    open === 0
      ? { ...common, status: 'ok', found: `writable, mode ${mode}`, remedy: null }
      : { ...common, status: 'warning', found: `writable, mode ${mode}: others may look into it`, remedy: `chmod 700 ${stateDirectory}` },
    await ledgerRow(ledger),
    await keyRow(join(stateDirectory, 'keys')),
  ]
}

/** The directory is made by the first run: then what counts is whether it can be made. */
async function parentRow(stateDirectory: string): Promise<DoctorRow> {
  const common = { area: 'state' as const, name: stateDirectory, needed_for: 'the ledger and the runs' }
  for (let parent = dirname(stateDirectory); ; parent = dirname(parent)) {
    const status = await look(parent)
    if (status === undefined && parent !== dirname(parent)) continue
    const able = typeof status === 'object' && status.isDirectory() && (await writable(parent))
    if (able) return { ...common, status: 'ok', found: 'not there yet; the first run makes it', remedy: null }
    return { ...common, status: 'missing', found: `not there, and ${parent} cannot be written`, remedy: 'Make it, writable for the user that runs Portcullis, or name another one with --state.' }
  }
}

async function ledgerRow(ledger: LedgerOnDemand): Promise<DoctorRow> {
  const common = { area: 'state' as const, name: 'ledger', needed_for: 'showing afterwards what was decided' }
  try {
    const opened = await ledger.openExisting()
    if (opened === undefined) return { ...common, status: 'ok', found: 'not there yet; the first run makes it', remedy: null }
    const runs = await opened.list()
    return { ...common, status: 'ok', found: `readable, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`, remedy: null }
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error
    return { ...common, status: 'missing', found: error.found, remedy: error.remedy }
  }
}

/** Whether what is decided can be signed. The key is opened as for signing, and signs nothing. */
async function keyRow(directory: string): Promise<DoctorRow> {
  const common = { area: 'state' as const, name: 'signing key', needed_for: 'proving afterwards what was decided' }
  if ((await look(directory)) === undefined) return { ...common, status: 'ok', found: 'not there yet; the first run makes it', remedy: null }
  try {
    const { key } = openSigner(directory)
    return { ...common, status: 'ok', found: `${key.algorithm} ${key.keyId.slice(0, 12)}, of ${listKeys(directory).length} that were ever used here`, remedy: null }
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error
    return { ...common, status: 'missing', found: error.found, remedy: error.remedy }
  }
}

/** Undefined if nothing is there, the system's error code if that cannot be told. */
async function look(path: string): Promise<Stats | string | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    const code = systemCode(error)
    return code === 'ENOENT' ? undefined : (code ?? 'unknown error')
  }
}

async function writable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
