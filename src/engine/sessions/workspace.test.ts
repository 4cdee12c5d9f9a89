import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createWorkspaces } from '../../adapters/workspace/index.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { NotBegun } from '../steps/choose-pair.ts'
import { anyChanged, plantRepositories, repositoriesOf } from './workspace.ts'
import type { SessionPlace } from './world.ts'

const workspaces = createWorkspaces({ path: process.env['PATH'] ?? '/usr/bin:/bin', timeoutMs: 20_000 })

/** A project with its own repository and one more that its tickets may declare. */
function stage(context: TestContext): { readonly place: SessionPlace; readonly areas: { readonly workspace: string; readonly untouched: string } } {
  const root = temporaryDirectory(context)
  const repository = (name: string): string => {
    const path = join(root, name)
    mkdirSync(path)
    writeFileSync(join(path, 'README.md'), `${name}\n`)
    return path
  }
  return { place: { purpose: 'ticket', project: 'demo', bySchema: false, repository: repository('app'), branch: 'main', others: new Map([['docs', { repository: repository('docs'), branch: 'trunk' }], ['secret', { repository: repository('secret'), branch: 'main' }]]) }, areas: { workspace: join(root, 'workspace'), untouched: join(root, 'untouched') } }
}

const git = (cwd: string, ...words: readonly string[]): string => execFileSync('git', [...words], { cwd, encoding: 'utf8' }).trim()

verifies('MC-132', 'a session works on what its ticket declares and on nothing else, all of it in the directory it is started in', async (context) => {
  const { place, areas } = stage(context)
  assert.deepEqual(repositoriesOf(place, [], areas).map(({ name, path }) => [name, path]), [['demo', areas.workspace]])
  assert.deepEqual(repositoriesOf(place, ['demo'], areas).map(({ path }) => path), [areas.workspace], 'its own is no other one')
  const both = repositoriesOf(place, ['docs', 'docs'], areas)
  assert.deepEqual(both.map(({ name, path, branch }) => [name, path, branch]), [['demo', join(areas.workspace, 'demo'), 'main'], ['docs', join(areas.workspace, 'docs'), 'trunk']])
  await plantRepositories(workspaces, both)
  assert.deepEqual(readdirSync(areas.workspace).sort(), ['demo', 'docs'], 'what was not declared is not there')
  assert.deepEqual([readFileSync(join(areas.workspace, 'docs/README.md'), 'utf8'), git(join(areas.workspace, 'docs'), 'branch', '--show-current')], ['docs\n', 'trunk'])
})

verifies('MC-132', 'a declared repository that the project does not have is refused before anything is copied', (context) => {
  const { place, areas } = stage(context)
  for (const name of ['gone', '../docs', 'toString']) {
    assert.throws(() => repositoriesOf(place, ['docs', name], areas), (error) => error instanceof NotBegun && error.reason === 'repository_undeclared' && error.refusal?.asked === `a copy of ${name}` && error.found === 'the project demo has docs, secret')
  }
  assert.throws(() => repositoriesOf({ ...place, others: new Map() }, ['docs'], areas), (error) => error instanceof NotBegun && error.found === 'the project demo has no further repository')
})

verifies('MC-070', 'a change in any of the repositories of a session is a change, and one that nobody made is none', async (context) => {
  const { place, areas } = stage(context)
  const both = repositoriesOf(place, ['docs'], areas)
  await plantRepositories(workspaces, both)
  assert.equal(await anyChanged(workspaces, both), false)
  appendFileSync(join(areas.workspace, 'docs/README.md'), 'more\n')
  assert.equal(await anyChanged(workspaces, both), true)
})
