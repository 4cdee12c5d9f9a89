import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launchOf, profile, requestFor } from '../../../test/helpers/agents.ts'
import { filesOf } from '../agent-codex/configuration.ts'
import { GEMINI_CLI } from '../agent-gemini-cli/index.ts'
import { acpSessions, GEMINI } from '../session-acp/index.ts'
import { codexSessions } from '../session-codex/index.ts'

const fixture = (name: string): string => join(import.meta.dirname, '../../../test/fixtures/sessions', name)
const SESSION = { sessionId: '6a0e9f6e-98f4-4b3b-9a9d-0d5f4e1d2c3b', completion: { url: 'http://127.0.0.1:1/mcp', token: 'the-token' }, repositories: [] } as const

test('a session of Gemini CLI is not planned where the repository brings settings of its own, as its runs are not', async (context) => {
  const request = { ...requestFor(context, { profile: { ...profile, agent: 'gemini-cli', permissions: 'ask' }, dialect: 'gemini' }), ...SESSION }
  const runtime = acpSessions({ name: 'gemini-cli', cli: GEMINI_CLI, program: fixture('acp.mjs'), directory: import.meta.dirname, launch: GEMINI })
  mkdirSync(join(request.workspace, '.gemini'))
  for (const file of ['.gemini/settings.json', '.gemini/.env']) {
    writeFileSync(join(request.workspace, file), '{}')
    const planned = await runtime.plan(request)
    assert.ok(!planned.ok)
    assert.deepEqual([planned.refusal.reason, planned.refusal.found], ['agent_setting_unsupported', `${file} in the repository`])
    rmSync(join(request.workspace, file))
  }
  const nested = join(request.workspace, 'docs')
  mkdirSync(join(nested, '.gemini'), { recursive: true })
  writeFileSync(join(nested, '.gemini/settings.json'), '{}')
  const below = await runtime.plan({ ...request, repositories: [nested] })
  assert.ok(!below.ok && below.refusal.found === '.gemini/settings.json in the repository', 'a repository of a session that has several')
  const { files, argv, environment } = launchOf(await runtime.plan(request))
  assert.ok(files.length === 2 && files.every(({ content }) => /"allowed": \[\s+"portcullis"\s+\]/.test(content) && content.includes('"hooksConfig"') && !content.includes('the-token')))
  assert.equal(files.some(({ path }) => path === environment['GEMINI_CLI_SYSTEM_SETTINGS_PATH']), true)
  assert.deepEqual(argv.slice(-2), ['--extensions', 'none'])
})

test('a session of Codex has the configuration of its runs, in which no project is trusted, and a server of ours besides', async (context) => {
  const request = { ...requestFor(context, { profile: { ...profile, agent: 'codex', permissions: 'ask' }, dialect: 'openai-responses' }), ...SESSION }
  const { files, argv } = launchOf(await codexSessions({ program: fixture('codex.mjs'), directory: import.meta.dirname }).plan(request))
  const [configuration] = files
  const [ofRuns] = filesOf(request)
  assert.ok(files.length === 1 && configuration !== undefined && ofRuns !== undefined && configuration.content.startsWith(ofRuns.content.trimEnd()))
  assert.match(configuration.content, /trust_level = "untrusted"/)
  assert.doesNotMatch(configuration.content, /"trusted"|the-token/)
  assert.deepEqual(configuration.content.match(/^\[mcp_servers.*$/gm), ['[mcp_servers.portcullis]'])
  assert.ok(argv.includes('--strict-config'))
})
