import { randomBytes, createHash } from 'node:crypto'
import * as z from 'zod'

/** Names that people write and that become file names: no separators, no dots first, no surprise on any file system. */
export const Name = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, ".", "_" or "-", and a letter or digit first')

/** `<UTC compact>-<task id>-<number>`, which is also the name of the run's directory (ADM-T1). */
export const RunId = z.string().max(160).regex(/^\d{8}T\d{6}Z-[A-Za-z0-9][A-Za-z0-9._-]*-\d+$/, 'expected <UTC compact>-<task id>-<number>, as in 20260601T013918Z-r1-string-slugify-1')
export type RunId = string

/** Makes the id of a run. `number` counts the runs of this state directory, from 1. */
export function runIdOf(startedAt: Date, taskId: string, number: number): RunId {
  const compact = startedAt.toISOString().replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z')
  return RunId.parse(`${compact}-${taskId}-${number}`)
}

const RUN_TOKEN_PREFIX = 'pcr_'

/** A run token: opaque, prefixed so that scanners know it, with a checksum so that a typo is not a lookup (SEC-02). */
export function createRunToken(): string {
  const body = randomBytes(32).toString('base64url')
  return `${RUN_TOKEN_PREFIX}${body}${checksum(body)}`
}

/** True if the text has the form and checksum of a run token; says nothing about whether it is live. */
export function looksLikeRunToken(text: string): boolean {
  const match = /^pcr_([A-Za-z0-9_-]{43})([0-9a-f]{6})$/.exec(text)
  return match !== null && checksum(match[1] ?? '') === match[2]
}

const ACCESS_TOKEN_PREFIX = 'pca_'

/** A token for the server's own surfaces, in the form of a run token but told from it at sight: one never opens what the other does (AUT-04). */
export function createAccessToken(): string {
  const body = randomBytes(32).toString('base64url')
  return `${ACCESS_TOKEN_PREFIX}${body}${checksum(body)}`
}

/** True if the text has the form and checksum of an access token; says nothing about whether it is in force. */
export function looksLikeAccessToken(text: string): boolean {
  const match = /^pca_([A-Za-z0-9_-]{43})([0-9a-f]{6})$/.exec(text)
  return match !== null && checksum(match[1] ?? '') === match[2]
}

const checksum = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 6)
