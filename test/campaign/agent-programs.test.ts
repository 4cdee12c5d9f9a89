import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { findProgram } from '../../src/adapters/runtime-process/index.ts'
import { type CommandResult, runCli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/** Stands for Gemini CLI: speaks its protocol, and asks the models of `asks`, one after the other, with its key. */
const PROGRAM = (asks: readonly string[], ends: boolean): string => `
import { createInterface } from 'node:readline'
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
const ask = (model) => fetch(process.env.GOOGLE_GEMINI_BASE_URL + '/v1beta/models/' + model + ':generateContent', {
  method: 'POST', headers: { 'content-type': 'application/json', 'x-goog-api-key': process.env.GEMINI_API_KEY }, body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: globalThis.prompt }] }] }),
}).then((answer) => answer.text())
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize') say({ id, result: { protocolVersion: 1, agentInfo: { name: 'fixture', version: '0.61.0' } } })
  else if (method === 'session/new') say({ id, result: { sessionId: 's1', models: { currentModelId: 'contract-1' } } })
  else if (method === 'session/prompt') {
    globalThis.prompt = params.prompt[0].text
    for (const model of ${JSON.stringify(asks)}) await ask(model)
    ${ends ? "say({ id, result: { stopReason: 'end_turn' } })" : 'process.exit(0)'}
  }
})
`

const Answer = z.looseObject({
  verdict: z.string(),
  clis: z.array(z.looseObject({
    agent: z.string(), version: z.string().nullable(), contract: z.string(), why: z.string(), isolation: z.string().nullable(), unnamed_models: z.array(z.string()),
    capabilities: z.record(z.string(), z.looseObject({ declared: z.string(), proven: z.boolean().nullable() })),
  })),
})

/** A project with this program in the place of Gemini CLI, on a machine with no other one. */
async function checked(t: TestContext, program: string | undefined, args: readonly string[]): Promise<CommandResult> {
  const root = temporaryDirectory(t)
  const put = (name: string, content: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
    chmodSync(join(root, name), 0o755)
  }
  if (program !== undefined) {
    const folder = 'node_modules/@google/gemini-cli'
    put(`${folder}/package.json`, JSON.stringify({ name: '@google/gemini-cli', version: '0.61.0' }))
    put(`${folder}/bundle/package.json`, '{ "type": "module" }')
    put(`${folder}/bundle/gemini.js`, program)
    put(`${folder}/start`, '')
    mkdirSync(join(root, 'node_modules/.bin'))
    symlinkSync(join(root, folder, 'start'), join(root, 'node_modules/.bin/gemini'))
  }
  const programs = join(root, 'programs')
  mkdirSync(programs)
  for (const name of ['node', 'git', 'grep', 'sh', 'bwrap']) {
    const found = await findProgram(name, process.env['PATH'] ?? '', '/')
    if (found !== undefined) symlinkSync(found, join(programs, name))
  }
  return await runCli(['agents', 'check', '--cli', ...args], { cwd: root, env: { PATH: programs } })
}

async function geminiOf(t: TestContext, program: string): Promise<{ readonly code: number | null; readonly verdict: string; readonly gemini: z.infer<typeof Answer>['clis'][number] }> {
  const { code, stdout, stderr } = await checked(t, program, ['--json'])
  assert.equal(stderr, '')
  const { verdict, clis } = Answer.parse(JSON.parse(stdout))
  assert.deepEqual(clis.filter(({ contract }) => contract !== 'not_installed').map(({ agent }) => agent), ['gemini-cli'])
  return { code, verdict, gemini: clis.find(({ agent }) => agent === 'gemini-cli') ?? assert.fail() }
}

test('a program that keeps the contract is shown with what it was seen to do, and what nobody tried is not proven', async (t) => {
  const { code, verdict, gemini } = await geminiOf(t, PROGRAM(['contract-1'], true))
  assert.deepEqual([code, verdict, gemini.contract, gemini.version, gemini.unnamed_models], [0, 'kept', 'kept', '0.61.0', []], gemini.why)
  const proven = Object.entries(gemini.capabilities).map(([name, { declared, proven }]) => `${name} ${declared} ${proven}`)
  for (const row of ['wire_binding native true', 'delivery_receipt derived true', 'terminal_signal native true', 'interrupt derived true', 'busy_signal derived false', 'permission_callback native false', 'resume none null']) assert.ok(proven.includes(row), `${row} is not among ${proven.join(', ')}`)
})

test('a model that a program asks for and nobody named is shown, and breaks the contract', async (t) => {
  const { code, verdict, gemini } = await geminiOf(t, PROGRAM(['hidden-1', 'contract-1'], true))
  assert.deepEqual([code, verdict, gemini.contract, gemini.unnamed_models], [4, 'broken', 'broken', ['hidden-1']])
  assert.match(gemini.why, /^model_not_admitted: call \d+ asked for hidden-1/)
  assert.equal(gemini.capabilities['wire_binding']?.proven, false)
})

test('a program that asks no model, or never says that it has ended, does not keep it', async (t) => {
  const silent = await geminiOf(t, PROGRAM([], true))
  assert.deepEqual([silent.code, silent.gemini.contract], [4, 'broken'])
  assert.match(silent.gemini.why, /^no_model_call/)
  const leaves = await geminiOf(t, PROGRAM(['contract-1'], false))
  assert.deepEqual([leaves.code, leaves.gemini.contract, leaves.gemini.capabilities['terminal_signal']?.proven], [4, 'broken', false])
})

test('where no program is installed nothing is kept, and each is named with what to install', async (t) => {
  const { code, stdout } = await checked(t, undefined, [])
  assert.equal(code, 5)
  for (const install of ['@anthropic-ai/claude-code@', '@openai/codex@', '@google/gemini-cli@', 'opencode-ai@', '@qwen-code/qwen-code@']) assert.ok(stdout.includes(install), stdout)
  assert.match(stdout, /nothing_found: 0 kept the contract, 0 did not, 6 not installed/)
})
