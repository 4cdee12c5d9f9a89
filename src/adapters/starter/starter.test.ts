import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { admissionFacts, admissionRequestOf, admissionStatus } from '../../gates/admission/index.ts'
import { resolveProfile } from '../../gates/catalog/index.ts'
import { readAdmissions } from '../admission-files/index.ts'
import { findConfiguration, loadConfiguration, loadOverride, loadTask } from '../configuration/index.ts'
import { loadScript } from '../scripted-provider/index.ts'
import { writeStarter } from './index.ts'

const EXAMPLE = join(import.meta.dirname, '../../../examples/slugify')
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-starter-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the starter loads, resolves and is admitted as it was written', async () => {
  const starter = writeStarter(directory, EXAMPLE)
  const { configuration } = loadConfiguration(findConfiguration(directory))
  const { task, reference, repository } = loadTask(join(directory, starter.task))
  assert.ok(existsSync(join(repository, 'package.json')))
  assert.ok(reference !== null)
  await loadScript(join(directory, starter.script))
  const outcome = resolveProfile({ catalog: configuration, override: loadOverride(directory), profile: task.profile, purpose: task.purpose, candidate: 0, capability: null })
  assert.ok('resolution' in outcome)
  const { profile } = outcome.resolution
  const facts = admissionFacts({
    ...admissionRequestOf(outcome.resolution, configuration.networkClasses), decisions: { path: 'decisions/', problem: null, files: [] },
    observedAt: new Date('2026-11-20T00:00:00Z'), validForMs: 60_000, source: readAdmissions({ directory: join(directory, 'admissions'), root: directory }),
  })
  assert.equal(admissionStatus(facts), 'admitted')
  assert.equal(starter.agentPackage.split('@').at(-1), profile.agentVersion)
  assert.equal(configuration.taskClasses[task.class]?.completion, 'product')
})

test('every file that names a schema names the one of the installed package', () => {
  const { written } = writeStarter(directory, EXAMPLE)
  assert.deepEqual(written.filter((path) => !path.startsWith('example/repository/')), ['portcullis.yaml', 'admissions/scripted--coder-1.json', 'example/task.yaml', 'example/script.yaml', 'example/reference.patch', '.gitignore'])
  const schemas = written.flatMap((path) => /\$schema(?:=|": ")([^"\n]+)/.exec(readFileSync(join(directory, path), 'utf8'))?.[1] ?? [])
  assert.deepEqual(schemas, [
    './node_modules/portcullis/spec/portcullis.schema.json', '../node_modules/portcullis/spec/admission-record.schema.json',
    '../node_modules/portcullis/spec/task.schema.json', '../node_modules/portcullis/spec/provider-script.schema.json',
  ])
})

test('nothing is overwritten, and then nothing is written at all', () => {
  writeFileSync(join(directory, 'portcullis.yaml'), 'mine')
  assert.throws(() => writeStarter(directory, EXAMPLE), { code: 'file_exists', found: 'portcullis.yaml' })
  assert.equal(readFileSync(join(directory, 'portcullis.yaml'), 'utf8'), 'mine')
  assert.deepEqual(readdirSync(directory), ['portcullis.yaml'])
})

test('the state directory is ignored by git, once, and other lines are kept', () => {
  writeFileSync(join(directory, '.gitignore'), 'node_modules/')
  assert.ok(writeStarter(directory, EXAMPLE).written.includes('.gitignore'))
  assert.equal(readFileSync(join(directory, '.gitignore'), 'utf8'), 'node_modules/\n.portcullis/\n')
  for (const name of readdirSync(directory)) if (name !== '.gitignore') rmSync(join(directory, name), { recursive: true })
  assert.ok(!writeStarter(directory, EXAMPLE).written.includes('.gitignore'))
  assert.equal(readFileSync(join(directory, '.gitignore'), 'utf8'), 'node_modules/\n.portcullis/\n')
})
