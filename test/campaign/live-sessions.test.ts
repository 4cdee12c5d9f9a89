/**
 * The contract of live sessions against the real programs, at the versions their adapters were built to, each with a model server
 * on loopback. A program that is not in the folder PORTCULLIS_AGENTS_CACHE (~/.cache/portcullis-agents) is skipped by name.
 */
import assert from 'node:assert/strict'
import { GEMINI_CLI as INSTALLED } from '../../src/adapters/agent-gemini-cli/index.ts'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { acpSessions, GEMINI } from '../../src/adapters/session-acp/index.ts'
import { claudeCodeSessions } from '../../src/adapters/session-claude-code/index.ts'
import { codexSessions } from '../../src/adapters/session-codex/index.ts'
import { opencodeSessions } from '../../src/adapters/session-opencode/index.ts'
import { tmuxSessions } from '../../src/adapters/session-tmux/index.ts'
import { findProgram } from '../../src/adapters/runtime-process/index.ts'
import { openLive, providerFor } from '../helpers/live-sessions.ts'
import { sessionRuntimeSuite } from '../suites/session-runtime.ts'

const cache = process.env['PORTCULLIS_AGENTS_CACHE'] ?? join(homedir(), '.cache/portcullis-agents')
const platform = `${process.platform}-${process.arch}`

const CLAUDE = join(cache, 'claude-code@2.1.329/node_modules/@anthropic-ai', `claude-code-${platform}`, 'claude')
const CODEX = join(cache, 'codex@0.169.0/node_modules/@openai', `codex-${platform}`, 'vendor/x86_64-unknown-linux-musl/bin/codex')
const GEMINI_CLI = join(cache, 'gemini-cli@0.61.0/node_modules/@google/gemini-cli/bundle/gemini.js')
const OPENCODE = join(cache, 'opencode@1.18.33/node_modules', `opencode-${process.platform}-${process.arch}`, 'bin/opencode')

const absent = (program: string): string | false => (existsSync(program) ? false : `${program} is not installed`)
const shell = (name: string, field: string) => ({
  call: () => ({ name, arguments: { [field]: 'echo made > made.txt', ...(name.toLowerCase() === 'bash' ? { description: 'makes a file' } : {}) } }),
  profile: { permissions: 'ask' as const },
  effect: (workspace: string): string => join(workspace, 'made.txt'),
})

sessionRuntimeSuite({ name: 'the real Claude Code', runtime: () => claudeCodeSessions({ program: CLAUDE, directory: import.meta.dirname }), dialect: 'anthropic-messages', path: '', asking: shell('Bash', 'command'), skip: absent(CLAUDE) })
sessionRuntimeSuite({ name: 'the real Codex', runtime: () => codexSessions({ program: CODEX, directory: import.meta.dirname }), dialect: 'openai-responses', path: '/v1', structured: { text: '{"verdict":"yes"}' }, asking: shell('exec_command', 'cmd'), skip: absent(CODEX) })
sessionRuntimeSuite({ name: 'the real Gemini CLI', runtime: () => acpSessions({ name: 'gemini-cli', cli: INSTALLED, program: GEMINI_CLI, directory: import.meta.dirname, launch: GEMINI }), dialect: 'gemini', path: '', asking: shell('run_shell_command', 'command'), skip: absent(GEMINI_CLI) })
sessionRuntimeSuite({ name: 'the real opencode', runtime: () => opencodeSessions({ program: OPENCODE, directory: import.meta.dirname }), dialect: 'openai-chat', path: '/v1', structured: { toolCalls: [{ name: 'StructuredOutput', arguments: { verdict: 'yes' } }] }, asking: shell('bash', 'command'), skip: absent(OPENCODE) })

/** A server that the repository would bring: that it ran at all shows in a file beside the workspace. */
const brought = (workspace: string): { readonly command: string; readonly args: readonly string[]; readonly ran: string } => ({ command: '/bin/sh', args: ['-c', `echo ran > ${workspace}/../ran.txt`], ran: `${workspace}/../ran.txt` })

for (const permissions of ['read-only', 'ask', 'bypass'] as const) {
  void test(`the real Codex, ${permissions}: a server of tools that the repository brings never runs`, { skip: absent(CODEX) }, async (context) => {
    const provider = await providerFor(context, { turns: [{ when: { lastUser: 'the first message' }, answer: { text: 'Answer one.' } }] })
    const runtime = codexSessions({ program: CODEX, directory: import.meta.dirname })
    let ran = ''
    const { session, events, send } = await openLive(context, {
      runtime, dialect: 'openai-responses', baseUrl: `${provider.url}/v1`, profile: { permissions },
      repository: (workspace) => {
        const server = brought(workspace)
        ran = server.ran
        mkdirSync(join(workspace, '.git'))
        mkdirSync(join(workspace, '.codex'))
        writeFileSync(join(workspace, '.codex/config.toml'), `[mcp_servers.brought]\ncommand = "${server.command}"\nargs = ${JSON.stringify(server.args)}\n`)
      },
    })
    assert.deepEqual(await session.ready(AbortSignal.timeout(30_000)), { ok: true }, session.raw().content.toString('utf8').slice(-2_000))
    assert.equal((await send('the first message')).outcome, 'delivered')
    assert.equal((await events.next('turn_end')).ended.outcome, 'completed')
    assert.equal(existsSync(ran), false)
  })
}

const tmux = await findProgram('tmux', process.env['PATH'] ?? '', '/')
const noTerminal = tmux === undefined ? 'tmux is not installed' : absent(CLAUDE)

void test('the real Claude Code in tmux, 80 columns: two dispatchers, one turn, one refusal, one message at the model', { skip: noTerminal }, async (context) => {
  const provider = await providerFor(context, { turns: [{ when: { lastUser: 'the first message' }, answer: { text: 'Answer one.' } }], faults: [{ on: { always: true }, fault: { slow: '50ms' } }] })
  const runtime = tmuxSessions({ program: CLAUDE, directory: import.meta.dirname, tmux: tmux ?? '', size: { columns: 80, rows: 40 } })
  const { session, events, send } = await openLive(context, { runtime, dialect: 'anthropic-messages', baseUrl: provider.url })
  assert.deepEqual(await session.ready(AbortSignal.timeout(30_000)), { ok: true }, session.raw().content.toString('utf8').slice(-2_000))
  const text = 'the first message: use DONE:, REVIEW:, or QUESTION: when you need it to reflect the next state, and a line that is long enough to be wrapped.'
  const both = await Promise.all([send(text, { turnId: 'T-1.1' }), send(text, { turnId: 'T-1.2' })])
  assert.deepEqual(both.map(({ outcome }) => outcome), ['delivered', 'refused'], JSON.stringify(both))
  const { turnId, ended } = await events.next('turn_end')
  assert.deepEqual([turnId, ended.outcome, ended.finalMessage], ['T-1.1', 'completed', 'Answer one.'])
  assert.equal(provider.requests().filter(({ answeredBy }) => answeredBy === 'turns[0]').length, 1)
})
