import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import * as z from 'zod'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { loadConfiguration } from '../configuration/index.ts'
import { importFile, type ImportedFile, writeNew } from './index.ts'

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures/import')
const liteLlm = (): ImportedFile => importFile(join(FIXTURES, 'litellm.yaml'))
const portkey = (): ImportedFile => importFile(join(FIXTURES, 'portkey.json'))
const whyOf = (imported: ImportedFile, where: string): readonly string[] => imported.remarks.filter((remark) => remark.where === where).map((remark) => remark.why)

/** The tables that no other gateway has. */
const REST = `
purposes:
  ticket: { needs: [acceptance] }
probes: {}
taskClasses:
  research: { completion: review, probes: [] }
health: { onStart: true, every: 24h, maxAge: 26h }
`

/** What somebody could write into each blank, by the name of its field. */
const ANSWERS: Readonly<Record<string, string>> = {
  dialect: 'openai-chat', baseUrl: 'https://api.example.com/v1', allowPrivateAddresses: 'true', networkClass: 'hosted', class: 'provider-api-key', credential: '{ source: none, class: no-secret }',
  connect: '5s', firstByte: '60s', total: '15m', idle: '5m', agent: 'pi\n    agentVersion: 0.87.1', permissions: 'accept-edits', purposes: '[ticket]', isolation: 'env', backgroundModels: 'refuse', calls: '50', tokens: '200000',
}
const fillIn = (fragment: string): string => fragment.replace(/^( *)(\w+): # fill in: .*$/gm, (_whole, indent: string, name: string) => `${indent}${name}: ${ANSWERS[name] ?? assert.fail(name)}`).replace(/- # fill in: .*$/gm, '- anthropic/exact-model-1')

function configurationOf(context: TestContext, text: string) {
  const path = join(temporaryDirectory(context), 'portcullis.yaml')
  writeFileSync(path, text + REST)
  return loadConfiguration(path).configuration
}

const Tables = z.object({ version: z.number(), providers: z.record(z.string(), z.record(z.string(), z.unknown())), aliases: z.record(z.string(), z.unknown()).optional() })
const tablesOf = (imported: ImportedFile): z.infer<typeof Tables> => Tables.parse(parse(imported.fragment))

/** An import of a text. */
function importText(context: TestContext, text: string): ImportedFile {
  const path = join(temporaryDirectory(context), 'source.yaml')
  writeFileSync(path, text)
  return importFile(path)
}

void test('a LiteLLM configuration gives providers by address and key, aliases by model name, prices and limits as they are said', (context) => {
  const { providers, aliases, profiles } = configurationOf(context, fillIn(liteLlm().fragment))
  assert.deepEqual(Object.keys(providers), ['anthropic', 'openai', 'openai-2', 'openai-3', 'hosted_vllm', 'openai_like', 'cohere', 'openai-4'])
  assert.deepEqual(providers['openai'], {
    dialect: 'openai-chat', baseUrl: 'https://api.openai.com/v1', networkClass: 'hosted', credential: { source: 'env', name: 'OPENAI_API_KEY', class: 'provider-api-key' },
    timeouts: { connect: '5s', firstByte: '60s', idle: '5m', total: '15m' }, prices: { 'gpt-4o-2024-08-06': { input: 'USD 2.5', output: 'USD 10' } },
  })
  assert.deepEqual([providers['anthropic']?.timeouts.total, providers['openai-3']?.timeouts.total, providers['openai-3']?.dialect], ['300s', '1500ms', 'openai-responses'])
  assert.deepEqual(aliases?.['smart'], { candidates: ['anthropic/claude-opus-4-8', 'openai/gpt-4o-2024-08-06', 'openai-2/gpt-4o-2024-08-06'], onUnhealthy: 'next-admitted' })
  assert.deepEqual(aliases?.['gpt-4'], aliases?.['gpt-4o'], 'the alias of a group is the group')
  assert.deepEqual(aliases?.['hidden'], aliases?.['smart'])
  assert.deepEqual(aliases?.['codex'], { candidates: ['openai-3/gpt-5.1-codex'] })
  assert.deepEqual(aliases?.['lan'], { candidates: ['openai_like/llama-3.3-70b'] })
  assert.deepEqual(Object.keys(profiles), Object.keys(aliases ?? {}))
})

void test('a Portkey config gives a provider for each target, and one alias in the order of its strategies', (context) => {
  const { providers, aliases } = configurationOf(context, fillIn(portkey().fragment))
  assert.deepEqual(Object.keys(providers), ['anthropic', 'openai', 'openai-2', 'provider', 'mistral-prod'])
  assert.deepEqual(aliases, { portkey: { candidates: ['anthropic/claude-opus-4-8', 'openai/gpt-4o-2024-08-06', 'openai-2/gpt-4o-2024-08-06', 'anthropic/exact-model-1', 'mistral-prod/mistral-large-2411'], onUnhealthy: 'next-admitted' } })
  assert.deepEqual([providers['anthropic']?.timeouts.total, providers['openai-2']?.timeouts.total, providers['openai-2']?.baseUrl], ['30s', '10500ms', 'https://gpt.example.com/v1'])
})

void test('each blank is refused by the loader, at its place, and there is no other problem', (context) => {
  for (const { fragment, blanks } of [liteLlm(), portkey()]) {
    const lines = fragment.split('\n')
    const expected = lines.flatMap((line, index) => (/(?:: |- )# fill in:/.test(line) ? [index + 1] : []))
    assert.equal(expected.length, blanks)
    for (const blank of expected) {
      // All others are filled in, so that this one alone can be what is refused.
      const filled = lines.map((line, index) => (index + 1 === blank ? line : fillIn(line))).join('\n')
      assert.throws(() => configurationOf(context, filled), (error) => error instanceof PortcullisError && error.code === 'configuration_invalid' && /found 1 problem|^1 problem\n/.test(error.found), `${lines[blank - 1]}`)
    }
  }
})

void test('no key is copied, from wherever it stood', () => {
  for (const [file, imported] of [['litellm.yaml', liteLlm()], ['portkey.json', portkey()]] as const) {
    const source = readFileSync(join(FIXTURES, file), 'utf8')
    const all = JSON.stringify(imported)
    for (const secret of ['example-key-in-clear-text-0123456789', 'another-key-in-clear-text-0123', 'a-password-in-an-address', 'example-master-key-in-clear-text', 'example-redis-password-0123', 'openai-production-1a2b3c', 'somebody-knows-what-this-is', 'aws-account']) {
      if (source.includes(secret)) assert.ok(!all.includes(secret), secret)
    }
  }
  assert.deepEqual(whyOf(liteLlm(), 'model_list[2]'), ['the source holds a key in clear text. It was not copied: put it into the environment variable OPENAI_2_API_KEY of the wire, and replace it, because it stood in a file'])
  assert.deepEqual(whyOf(portkey(), 'config.targets[1].targets[0]'), ['its key lies in the vault of the other gateway. Put the provider\'s own key into the environment variable OPENAI_API_KEY of the wire'])
})

void test('a key that stands where a name should is found at the end, and nothing is given', (context) => {
  const key = 'sk-proj-0123456789abcdefghij'
  for (const text of [
    `model_list:\n  - model_name: a\n    litellm_params: { model: openai/${key}, api_key: ${key} }\n`,
    `model_list:\n  - model_name: a\n    litellm_params: { model: "openai/m", api_base: "https://api.example.com/${key}/v1" }\n`,
    `model_list:\n  - model_name: a\n    litellm_params: { model: "openai/a-plain-secret-9", api_key: a-plain-secret-9 }\n`,
  ]) {
    assert.throws(() => importText(context, text), (error) => error instanceof PortcullisError && error.code === 'secret_withheld' && !error.message.includes(key) && !error.found.includes(key))
  }
})

void test('what cannot come along is named with its reason, and is nowhere in the result', () => {
  const imported = liteLlm()
  const { providers } = tablesOf(imported)
  for (const gone of ['azure', 'bedrock']) assert.equal(providers[gone], undefined)
  for (const gone of ['claude-sonnet-latest', 'openai/*', '169.254', 'text-embedding', 'anthropic.claude']) assert.ok(!imported.fragment.split('\nversion: 1\n')[1]?.includes(gone), gone)
  assert.deepEqual(whyOf(imported, 'model_list[6]'), ['the model claude-sonnet-latest is no exact id: it names whatever is newest. Name the exact id in the alias by hand'])
  assert.deepEqual(whyOf(imported, 'model_list[8]'), ['its model names no provider, and LiteLLM would guess one from the name. Write it as provider/model there, or by hand here'])
  assert.deepEqual(whyOf(imported, 'model_list[13]'), ['its address is 169.254.169.254, an address at which a cloud hands out the credentials of the machine; that is never called, so the deployment was not taken over'])
  assert.deepEqual(whyOf(imported, 'litellm_settings'), ['not taken over: drop_params, num_retries, context_window_fallbacks'])
  assert.deepEqual(whyOf(imported, 'model_name qwen/local'), ['qwen/local cannot be the name of an alias; it is written qwen-local'])
  for (const { where, why } of imported.remarks) assert.ok(imported.fragment.includes(`# ${where}: ${why}.`), 'each remark stands in the fragment too')
})

void test('a conditional Portkey config makes providers, and no alias that would choose otherwise', (context) => {
  const imported = importText(context, JSON.stringify({ strategy: { mode: 'conditional', conditions: [], default: 'a' }, targets: [{ name: 'a', provider: 'openai', override_params: { model: 'm-1' } }] }))
  assert.equal(tablesOf(imported).aliases, undefined)
  assert.deepEqual(whyOf(imported, 'config.strategy'), ['mode conditional chooses by what a request says, which an alias does not; its targets became providers, and stand in no alias'])
})

void test('limits that differ, prices by half and names that would end a comment are not made up', (context) => {
  const one = (name: string, more: object): object => ({ model_name: name, litellm_params: { model: `openai/${name}-1`, api_base: 'https://api.example.com/v1', ...more } })
  const imported = importText(context, JSON.stringify({ model_list: [one('a', { timeout: 10 }), one('b', { timeout: 20 }), one('c', { input_cost_per_token: 0.000001 }), { model_name: 'd', litellm_params: { model: 'openai/x\nversion: 2' } }, { model_name: 'e\n  evil: true', litellm_params: { model: 'openai/e-1' } }, 7] }))
  assert.match(imported.fragment, /^ {6}total: # fill in: for one whole call; the source gives several$/m)
  const { version, providers, aliases } = tablesOf(imported)
  assert.equal(version, 1)
  assert.deepEqual(Object.keys(providers), ['openai', 'openai-2'])
  assert.equal(providers['openai']?.['prices'], undefined)
  assert.deepEqual(Object.keys(aliases ?? {}), ['a', 'b', 'c', 'e-evil-true'])
  assert.deepEqual(whyOf(imported, 'model_list[5]'), ['it has no model_name with litellm_params.model, or a field of another kind: '])
})

void test('a file that is neither of the two, or both, or not one document, is a fault that says so', (context) => {
  for (const text of ['a: 1', '[]', '7', '{"model_list": [], "targets": []}', 'model_list: []', 'a: 1\na: 2', 'base: &b {}\nmodel_list: [{ <<: *b }]', '{', 'model_list: [{ model_name: a, litellm_params: { model: azure/x } }]', '{"provider": "bedrock"}']) {
    assert.throws(() => importText(context, text), (error) => error instanceof PortcullisError && error.code === 'import_invalid' && error.remedy !== '', text)
  }
  assert.throws(() => importFile('/nowhere/config.yaml'), (error) => error instanceof PortcullisError && error.code === 'file_missing')
})

void test('a fragment is written to a new file only', (context) => {
  const path = join(temporaryDirectory(context), 'fragment.yaml')
  writeNew(path, 'first')
  assert.throws(() => writeNew(path, 'second'), (error) => error instanceof PortcullisError && error.code === 'file_exists')
  assert.equal(readFileSync(path, 'utf8'), 'first')
  assert.throws(() => writeNew('/nowhere/fragment.yaml', 'text'), (error) => error instanceof PortcullisError && error.code === 'file_unwritable')
})
