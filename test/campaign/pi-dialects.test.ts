import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as z from 'zod'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { loadScript } from '../../src/adapters/scripted-provider/load-script.ts'
import { startScriptedProvider } from '../../src/adapters/scripted-provider/server.ts'

const run = promisify(execFile)
const example = join(import.meta.dirname, '../../examples/slugify')
const piPackage = dirname(dirname(fileURLToPath(import.meta.resolve('@earendil-works/pi-coding-agent'))))
const piProgram = join(piPackage, 'dist/bundle/cli.js')

/** A basic environment: nothing of the caller's reaches the agent or the tests it runs. */
const environmentFor = (directory: string): Record<string, string> => ({
  HOME: join(directory, 'home'),
  PI_CODING_AGENT_DIR: join(directory, 'home/agent'),
  PI_OFFLINE: '1',
  PI_TELEMETRY: '0',
  SCRIPTED_KEY: 'any',
  TMPDIR: directory,
  PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
})

const testsPass = (workspace: string, env: Record<string, string>): Promise<boolean> =>
  run(process.execPath, ['--test'], { cwd: workspace, env, timeout: 60_000 }).then(() => true, () => false)

for (const { api, path } of [
  { api: 'openai-completions', path: '/v1' },
  { api: 'openai-responses', path: '/v1' },
  { api: 'anthropic-messages', path: '' },
]) {
  test(`the real pi implements slugify with the example's script, over ${api}`, { timeout: 120_000 }, async (context) => {
    const directory = temporaryDirectory(context)
    const workspace = join(directory, 'workspace')
    const env = environmentFor(directory)
    await cp(join(example, 'repository'), workspace, { recursive: true })
    await mkdir(join(directory, 'home/agent'), { recursive: true })
    assert.equal(await testsPass(workspace, env), false, 'the tests of the example must fail before the work')
    const untouched = await readFile(join(workspace, 'test/slugify.test.js'), 'utf8')

    const provider = await startScriptedProvider({ script: await loadScript(join(example, 'script.yaml')), port: 0 })
    context.after(() => provider.close())
    const models = { providers: { scripted: { api, baseUrl: `${provider.url}${path}`, apiKey: '$SCRIPTED_KEY', models: [{ id: 'coder-1' }] } } }
    await writeFile(join(directory, 'home/agent/models.json'), JSON.stringify(models))
    const prompt = 'Implement `slugify` in src/slugify.js so that the tests pass. Do not change the tests.'
    const argv = [piProgram, '-p', '--mode', 'json', '--no-session', '--provider', 'scripted', '--model', 'coder-1', prompt]
    const agent = run(process.execPath, argv, { cwd: workspace, env, timeout: 60_000, maxBuffer: 16 * 1_048_576 })
    agent.child.stdin?.end()
    const { stdout } = await agent

    assert.deepEqual(
      provider.requests().map(({ answeredBy, status, stream }) => ({ answeredBy, status, stream })),
      ['turns[1]', 'turns[2]', 'turns[3]', 'turns[4]'].map((answeredBy) => ({ answeredBy, status: 200, stream: true })),
    )
    assert.match(stdout, /slugify is implemented in src/)
    assert.equal(await testsPass(workspace, env), true, 'the tests of the example must pass after the work')
    assert.equal(await readFile(join(workspace, 'test/slugify.test.js'), 'utf8'), untouched)
  })
}

test('the reference patch applies to the example, makes its tests pass and is what the script writes', { timeout: 60_000 }, async (context) => {
  const directory = temporaryDirectory(context)
  const workspace = join(directory, 'workspace')
  const env = environmentFor(directory)
  await cp(join(example, 'repository'), workspace, { recursive: true })
  await run('git', ['init', '--quiet', workspace], { env })
  await run('git', ['apply', join(example, 'reference.patch')], { cwd: workspace, env })
  assert.equal(await testsPass(workspace, env), true)
  const script = await loadScript(join(example, 'script.yaml'))
  const edit = script.turns.flatMap(({ answer }) => answer.toolCalls ?? []).find(({ name }) => name === 'edit')
  const [change] = z.array(z.looseObject({ newText: z.string() })).length(1).parse(edit?.arguments['edits'])
  assert.ok((await readFile(join(workspace, 'src/slugify.js'), 'utf8')).includes(change?.newText ?? 'nothing was edited'))
})
