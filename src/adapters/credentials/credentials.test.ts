import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import type { Dialect } from '../../contract/model.ts'
import type { CredentialSource, Provider } from '../../gates/catalog/index.ts'
import type { Credential, CredentialRead } from '../../gates/wire/index.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { needlesOf } from '../secret-scan/index.ts'
import { createCredentials, type Credentials, describeSource } from './index.ts'

const KEY = 'sk-ant-secret-value/0123456789'
const providerWith = (credential: CredentialSource): Provider => ({ dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:1/v1', networkClass: 'loopback', credential, timeouts: { connect: '1s', firstByte: '5s', idle: '1s', total: '9s' } })

async function credential(credentials: Credentials, source: CredentialSource, dialect: Dialect = 'openai-chat'): Promise<Credential> {
  const read = await credentials.credentialFor('p', providerWith(source), dialect)
  return read.ok ? read.credential : assert.fail(read.found)
}

async function refusal(credentials: Credentials, source: CredentialSource): Promise<Extract<CredentialRead, { ok: false }>> {
  const read = await credentials.credentialFor('p', providerWith(source), 'openai-chat')
  if (read.ok) return assert.fail('expected a refusal')
  assert.match(read.found, /\(provider p\)/)
  assert.notEqual(read.remedy, '')
  for (const part of [KEY, KEY.slice(0, 10), 'secret-value']) assert.ok(!JSON.stringify(read).includes(part), read.found)
  return read
}

const env: CredentialSource = { source: 'env', name: 'KEY', class: 'provider-api-key' }

void test('each source is read, and each dialect gets the header it takes', async (context) => {
  const home = temporaryDirectory(context)
  writeFileSync(join(home, 'key'), `${KEY}\n`)
  writeFileSync(join(home, 'codex.json'), JSON.stringify({ OPENAI_API_KEY: null, tokens: { id_token: 'x', access_token: KEY, refresh_token: 'r', account_id: 'acc-1' }, last_refresh: 'y' }))
  writeFileSync(join(home, 'claude.json'), JSON.stringify({ claudeAiOauth: { accessToken: KEY, refreshToken: 'r', expiresAt: 1, scopes: [] } }))
  const credentials = createCredentials({ environment: { KEY }, homeDirectory: home })
  const command: CredentialSource = { source: 'command', command: [process.execPath, '-e', `process.stdout.write(process.env.KEY + '\\n')`], class: 'vault' }
  for (const source of [env, { source: 'file', path: join(home, 'key'), class: 'file' } as const, { source: 'file', path: '~/key', class: 'file' } as const, command]) {
    assert.deepEqual((await credential(credentials, source)).headers(), { authorization: `Bearer ${KEY}` })
    assert.deepEqual((await credential(credentials, source, 'anthropic-messages')).headers(), { 'x-api-key': KEY })
  }
  const codex: CredentialSource = { source: 'oauth-file', path: '~/codex.json', class: 'codex-oauth' }
  const claude: CredentialSource = { source: 'oauth-file', path: '~/claude.json', class: 'claude-oauth' }
  assert.deepEqual((await credential(credentials, codex, 'openai-responses')).headers(), { authorization: `Bearer ${KEY}`, 'chatgpt-account-id': 'acc-1' })
  assert.deepEqual((await credential(credentials, claude, 'anthropic-messages')).headers(), { authorization: `Bearer ${KEY}`, 'anthropic-beta': 'oauth-2025-04-20' })
  assert.deepEqual((await credential(credentials, { source: 'none', class: 'no-secret' })).headers(), {})
  assert.deepEqual(credentials.knownValues(), [KEY])
})

verifies('SEC-01 WIR-41', 'what is missing or wrong is refused by where it was looked for; no value and no message of a parser or a program is repeated', async (context) => {
  const home = temporaryDirectory(context)
  writeFileSync(join(home, 'empty'), ' \n')
  writeFileSync(join(home, 'lines'), `${KEY}\nX-Injected: yes`)
  writeFileSync(join(home, 'broken.json'), `{"claudeAiOauth": ${KEY}`)
  writeFileSync(join(home, 'other.json'), JSON.stringify({ token: KEY }))
  writeFileSync(join(home, 'huge'), 'x'.repeat(100_000))
  const credentials = createCredentials({ environment: { EMPTY: '', BAD: `${KEY}\r\nX-Injected: yes` }, homeDirectory: home })
  assert.match((await refusal(credentials, env)).found, /no credential in the environment variable KEY/)
  await refusal(credentials, { ...env, name: 'EMPTY' })
  await refusal(credentials, { ...env, name: 'BAD' })
  for (const path of ['~/missing', '~/empty', '~/lines', '~/huge', '~/']) await refusal(credentials, { source: 'file', path, class: 'c' })
  assert.match((await refusal(credentials, { source: 'file', path: '~/missing', class: 'c' })).found, /ENOENT/)
  for (const path of ['~/missing', '~/broken.json', '~/other.json', '~/empty']) await refusal(credentials, { source: 'oauth-file', path, class: 'c' })
  const run = (...command: string[]): Promise<{ found: string }> => refusal(credentials, { source: 'command', command, class: 'c' })
  assert.match((await run(process.execPath, '-e', `console.log('${KEY}'); console.error('${KEY}'); process.exit(3)`)).found, /exited 3/)
  assert.match((await run('/nowhere/program', KEY)).found, /ENOENT/)
  await run(process.execPath, '-e', '')
  assert.deepEqual(credentials.knownValues(), [])
})

void test('a command that hangs is killed within the time the agent would wait for a first byte', async () => {
  const credentials = createCredentials({ environment: {}, homeDirectory: '/' })
  const provider = { ...providerWith({ source: 'command', command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], class: 'c' }), timeouts: { connect: '1s', firstByte: '200ms', idle: '1s', total: '1s' } }
  const read = await credentials.credentialFor('p', provider, 'openai-chat')
  assert.ok(!read.ok)
  assert.match(read.found, /did not end within 200 ms/)
})

void test('a changed file is seen on the next call; a command is not run again for each', async (context) => {
  const home = temporaryDirectory(context)
  const path = join(home, 'key')
  writeFileSync(path, 'first-value-1')
  const credentials = createCredentials({ environment: {}, homeDirectory: home })
  const file: CredentialSource = { source: 'file', path, class: 'c' }
  const command: CredentialSource = { source: 'command', command: ['/bin/cat', path], class: 'c' }
  for (const source of [file, command]) assert.deepEqual((await credential(credentials, source)).headers(), { authorization: 'Bearer first-value-1' })
  writeFileSync(path, 'second-value-2')
  assert.deepEqual((await credential(credentials, file)).headers(), { authorization: 'Bearer second-value-2' })
  assert.deepEqual((await credential(credentials, command)).headers(), { authorization: 'Bearer first-value-1' })
  assert.deepEqual(credentials.knownValues(), ['first-value-1', 'second-value-2'])
})

void test('a token that its owner refreshes is seen on the next call, and a file that is being replaced is never half a token', async (context) => {
  const home = temporaryDirectory(context)
  const write = (token: string): void => writeFileSync(join(home, 'codex.json'), JSON.stringify({ tokens: { access_token: token, account_id: `account-of-${token}` } }))
  const credentials = createCredentials({ environment: {}, homeDirectory: home })
  const source: CredentialSource = { source: 'oauth-file', path: '~/codex.json', class: 'codex-oauth' }
  for (const token of ['first-token-1', 'second-token-2', 'third-token-3']) {
    write(token)
    assert.deepEqual((await credential(credentials, source, 'openai-responses')).headers(), { authorization: `Bearer ${token}`, 'chatgpt-account-id': `account-of-${token}` })
  }
  writeFileSync(join(home, 'codex.json'), '{"tokens":{"access_token":"third-tok')
  assert.match((await refusal(credentials, source)).found, /is not valid JSON/)
  assert.deepEqual(credentials.knownValues(), ['first-token-1', 'second-token-2', 'third-token-3'], 'a token of before is a secret still')
})

void test('a command that fails is asked again at the next call', async (context) => {
  const path = join(temporaryDirectory(context), 'key')
  const credentials = createCredentials({ environment: {}, homeDirectory: '/' })
  const command: CredentialSource = { source: 'command', command: ['/bin/cat', path], class: 'c' }
  assert.match((await refusal(credentials, command)).found, /exited 1/)
  writeFileSync(path, 'value-of-a-vault')
  assert.deepEqual((await credential(credentials, command)).headers(), { authorization: 'Bearer value-of-a-vault' })
})

void test('a pipe, a device and a directory are no files to wait for', async (context) => {
  const home = temporaryDirectory(context)
  execFileSync('mkfifo', [join(home, 'pipe')])
  const credentials = createCredentials({ environment: {}, homeDirectory: home })
  for (const path of ['~/pipe', '/dev/zero', '~/']) {
    for (const source of ['file', 'oauth-file'] as const) assert.match((await refusal(credentials, { source, path, class: 'c' })).found, /is not a regular file/)
  }
})

verifies('WIR-41', 'an error is searched for every form of a credential that the secret scan knows', async () => {
  const known = await credential(createCredentials({ environment: { KEY }, homeDirectory: '/' }), env)
  for (const { rule, bytes } of needlesOf(KEY)) {
    const error = Buffer.concat([Buffer.from('wrong key '), bytes, Buffer.from(' given')])
    const redacted = Buffer.from(known.redact(error))
    assert.equal(redacted.includes(bytes), false, rule)
    assert.equal(redacted.length, error.length)
    assert.match(redacted.toString('latin1'), /^wrong key [*=]+ given$/, rule)
  }
  const clean = Buffer.from('wrong key given')
  assert.equal(known.redact(clean), clean)
})

verifies('SEC-01', 'a credential shows itself in no way of printing it', async () => {
  const read = await createCredentials({ environment: { KEY }, homeDirectory: '/' }).credentialFor('p', providerWith(env), 'openai-chat')
  assert.ok(read.ok)
  const shown = [JSON.stringify(read), inspect(read, { depth: 9, showHidden: true }), format('%s %o %j', read.credential, read.credential, read.credential), format('%s', read.credential, read), JSON.stringify(Object.entries(read.credential))]
  for (const text of shown) assert.ok(!text.includes('secret'), text)
})

void test('the value is found and taken out in each spelling of JSON; short values are no secrets', async () => {
  const value = 'sk/"quoted"/0123456789'
  const known = await credential(createCredentials({ environment: { KEY: value }, homeDirectory: '/' }), env)
  for (const spelling of [value, JSON.stringify(value).slice(1, -1), JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')]) {
    const bytes = Buffer.from(`before ${spelling} after ${spelling}`)
    assert.equal(known.isIn(bytes), true)
    assert.equal(known.isIn(bytes.subarray(3, 12)), false)
    assert.match(Buffer.from(known.redact(bytes)).toString(), /^before \*+ after \*+$/)
    assert.ok(bytes.toString().includes(spelling), 'the given bytes are not changed')
  }
  const short = await credential(createCredentials({ environment: { KEY: 'test' }, homeDirectory: '/' }), env)
  assert.equal(short.isIn(Buffer.from('a test')), false)
})

void test('a source is described by where, never by what', () => {
  assert.equal(describeSource(env), 'env KEY')
  assert.equal(describeSource({ source: 'file', path: '~/k', class: 'c' }), 'file ~/k')
  assert.equal(describeSource({ source: 'oauth-file', path: '~/k', class: 'c' }), 'oauth-file ~/k')
  assert.equal(describeSource({ source: 'command', command: ['op', 'read', 'op://vault/item'], class: 'c' }), 'command op')
  assert.equal(describeSource({ source: 'none', class: 'c' }), 'none')
})

test('a mark changes with the value, stays with it, tells nothing of it, and is another for what cannot be read and in another process', async (context) => {
  const path = join(temporaryDirectory(context), 'key')
  const source: CredentialSource = { source: 'file', path, class: 'provider-api-key' }
  const world = { environment: {}, homeDirectory: '/nonexistent' }
  const credentials = createCredentials(world)
  const mark = () => credentials.mark(providerWith(source))
  const unreadable = await mark()
  writeFileSync(path, KEY)
  const [first, again, elsewhere] = [await mark(), await mark(), await createCredentials(world).mark(providerWith(source))]
  writeFileSync(path, `${KEY}x`)
  const second = await mark()
  assert.equal(first, again)
  assert.equal(new Set([unreadable, first, elsewhere, second, await credentials.mark(providerWith({ source: 'none', class: 'no-secret' }))]).size, 5)
  for (const needle of needlesOf(KEY)) assert.equal(first.includes(needle.bytes.toString('latin1')), false)
  // What was read is looked for from then on.
  assert.ok(credentials.knownValues().includes(KEY))
})
