import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Reason } from '../../contract/reasons.ts'
import type { Profile } from '../../gates/catalog/index.ts'
import type { PlanRequest } from '../../gates/launch/index.ts'
import { launchOf, profile, requestFor } from '../../../test/helpers/agents.ts'
import { contextTokens } from './configuration.ts'
import { piAgent } from './index.ts'

const none = { inherited: { PATH: '/nonexistent' } }

async function refuses(context: TestContext, change: Partial<PlanRequest> & { readonly profile: Profile }, reason: Reason, asked: RegExp): Promise<void> {
  const planned = await piAgent({ program: undefined, directory: import.meta.dirname }).plan(requestFor(context, change))
  assert.equal(planned.ok, false)
  if (planned.ok) return
  assert.equal(planned.refusal.reason, reason)
  assert.match(planned.refusal.asked, asked)
}

test('a setting that pi would ignore or replace is refused', async (context) => {
  await refuses(context, { profile: { ...profile, effort: 'extreme' } }, 'agent_setting_unsupported', /effort extreme/)
  await refuses(context, { profile: { ...profile, context: 'large' } }, 'agent_setting_unsupported', /context large/)
  await refuses(context, { profile: { ...profile, command: ['pi', '--yolo'] } }, 'agent_setting_unsupported', /command/)
})

test('a dialect that pi is not given through the wire is refused', async (context) => {
  await refuses(context, { profile, dialect: 'gemini' }, 'dialect_mismatch', /gemini/)
})

test('contexts are read in tokens, and nothing else is', () => {
  assert.deepEqual(['200k', '1m', '1M', undefined, '0k', '1g', 'k', '1.5m'].map(contextTokens), [200_000, 1_000_000, 1_000_000, undefined, undefined, undefined, undefined, undefined])
})

/** A folder that holds a pi of this version, as npm would have put it there. */
function install(folder: string, version: string, name = '@earendil-works/pi-coding-agent'): string {
  const home = join(folder, 'node_modules', name)
  mkdirSync(join(home, 'dist'), { recursive: true })
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version }))
  writeFileSync(join(home, 'dist/cli.js'), '#!/usr/bin/env node\n')
  writeFileSync(join(home, 'dist/chunk.js'), 'export {}\n')
  chmodSync(join(home, 'dist/cli.js'), 0o755)
  symlinkSync(join(home, 'dist/cli.js'), join(folder, 'node_modules/.bin/pi'))
  return join(home, 'dist')
}

test('pi is looked for where it is named, then upwards, then on PATH; its version is read, and nothing is started', async (context) => {
  const request = requestFor(context, { profile })
  const project = join(request.runDirectory, 'project')
  const folder = install(project, '0.87.1')
  const onPath = install(join(request.runDirectory, 'global'), '0.80.0')
  const named = install(join(request.runDirectory, 'named'), '0.70.0')
  mkdirSync(join(project, 'a/b'), { recursive: true })
  const found = async (program: string | undefined, directory: string): Promise<unknown> => {
    const { plan } = launchOf(await piAgent({ program, directory }).plan({ ...request, inherited: { PATH: join(request.runDirectory, 'global/node_modules/.bin') } }))
    return [plan.version.found, plan.program.path, plan.programFolder]
  }
  assert.deepEqual(await found(undefined, join(project, 'a/b')), ['0.87.1', join(folder, 'cli.js'), folder])
  assert.deepEqual(await found(undefined, request.workspace), ['0.80.0', join(onPath, 'cli.js'), onPath])
  assert.deepEqual(await found(join(named, 'cli.js'), join(project, 'a/b')), ['0.70.0', join(named, 'cli.js'), named])
})

test('what is no pi is not installed', async (context) => {
  const request = requestFor(context, { profile, ...none })
  const another = install(join(request.runDirectory, 'another'), '1.0.0', 'something-else')
  const locations = [
    { program: undefined, directory: request.workspace },
    { program: join(request.runDirectory, 'missing'), directory: import.meta.dirname },
    { program: join(another, 'cli.js'), directory: import.meta.dirname },
  ]
  for (const location of locations) {
    const planned = await piAgent(location).plan(request)
    assert.equal(planned.ok ? undefined : planned.refusal.reason, 'agent_not_installed')
  }
})

test('the digest of the program covers the code that the program file only loads', async (context) => {
  const request = requestFor(context, { profile })
  const folder = install(join(request.runDirectory, 'project'), '0.87.1')
  const digest = async (): Promise<string> => launchOf(await piAgent({ program: join(folder, 'cli.js'), directory: folder }).plan(request)).plan.program.sha256
  const before = await digest()
  assert.equal(await digest(), before)
  writeFileSync(join(folder, 'chunk.js'), 'export const changed = 1\n')
  assert.notEqual(await digest(), before)
})
