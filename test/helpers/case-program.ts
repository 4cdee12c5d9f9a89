import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FIXTURE = join(import.meta.dirname, '../fixtures/agents/case')

/** How the copy misbehaves: see src/index.js of the fixture. */
export type CaseFault = 'does-not-start' | 'other-model' | 'changes-settings' | 'no-work' | 'leaks'

export interface CaseProgram {
  readonly root: string
  /** As a profile names it: a Bun, and the program. */
  readonly command: readonly [string, string]
  readonly version: string
}

/** Lays out a program that plays Case's protocol, with a Pi of its own beside it, as a checkout with installed packages has it. */
export function layOutCase(directory: string, fault?: CaseFault): CaseProgram {
  const root = join(directory, 'case')
  mkdirSync(root)
  for (const part of ['src', 'agents', 'package.json']) cpSync(join(FIXTURE, part), join(root, part), { recursive: true })
  cpSync(join(FIXTURE, 'modules'), join(root, 'node_modules/@mariozechner'), { recursive: true })
  if (fault !== undefined) writeFileSync(join(root, 'fault'), fault)
  return { root, command: [join(FIXTURE, 'bun.mjs'), join(root, 'src/index.js')], version: '0.1.0+pi.0.63.2' }
}
