import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { listeningPlace } from '../../src/app/listening.ts'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import { runCli } from '../helpers/run-cli.ts'
import { servedApi, ServerEnded } from '../helpers/served-api.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const refusedFor = (found: RegExp) => (error: unknown): boolean => error instanceof ServerEnded && error.code === 2 && found.test(error.stdout)

async function room(context: TestContext): Promise<{ readonly made: Scenario; readonly socket: string }> {
  return { made: await scenario(context), socket: join(temporaryDirectory(context), 'api.sock') }
}

verifies('AUT-01 AUT-02', 'a server on a Unix socket is open to its owner alone, asks for a token and for its own name, and is the same server for the command', async (context) => {
  const { made, socket } = await room(context)
  const served = await servedApi(context, made.directory, { place: ['--socket', socket] })
  assert.equal(served.address, `unix:${socket}`)
  assert.equal((lstatSync(socket).mode & 0o777).toString(8), '600')
  assert.equal((await served.ask('/runs')).status, 401)
  assert.equal((await served.ask('/runs', { token: served.admin, headers: { host: 'evil.example' } })).status, 403)
  assert.equal((await served.ask('/runs', { token: served.admin, headers: { origin: 'https://evil.example' } })).status, 403)
  const over = (...words: string[]) => runCli(['--server', `unix:${socket}`, '--token-file', served.firstTokenPath, ...words], { cwd: made.directory })
  const ran = await over('run', 'task.yaml', '--json')
  assert.deepEqual([ran.code, ran.stderr], [0, ''], ran.stdout)
  assert.equal((await over('runs', '--json')).stdout, (await made.portcullis(['runs', '--json'])).stdout)
  await assert.rejects(servedApi(context, made.directory, { place: ['--socket', socket] }), (error: unknown) => error instanceof ServerEnded && /another server that listens there/.test(error.stdout))
  assert.equal(await served.end(), 0)
  assert.equal(existsSync(socket), false)
  assert.equal((await over('runs')).code, 2)
})

test('a socket that a killed server left is taken up again; anything else that stands there, and a folder that others may write to, is refused and stays', async (context) => {
  const { made, socket } = await room(context)
  const first = await servedApi(context, made.directory, { place: ['--socket', socket] })
  await first.end('SIGKILL')
  assert.equal(existsSync(socket), true)
  made.set(CONFIGURATION, ['server'], { socket })
  const second = await servedApi(context, made.directory, { place: [] })
  assert.equal((await second.ask('/livez')).status, 200)
  await second.end()
  writeFileSync(socket, 'precious')
  await assert.rejects(servedApi(context, made.directory, { place: [] }), refusedFor(/something that is no socket/))
  assert.equal(readFileSync(socket, 'utf8'), 'precious')
  const open = join(temporaryDirectory(context), 'open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  await assert.rejects(servedApi(context, made.directory, { place: ['--socket', join(open, 'api.sock')] }), refusedFor(/a folder that others may write to/))
  await assert.rejects(servedApi(context, made.directory, { place: ['--socket', join(open, 'x'.repeat(120))] }), refusedFor(/of which a socket can have 100/))
  await assert.rejects(servedApi(context, made.directory, { place: ['--socket', socket, '--port', '0'] }), refusedFor(/a Unix socket, and port, host or tls beside it/))
})

test('the command gives its token to no socket of somebody else, and to nothing that is no socket', { skip: process.getuid?.() === 0 ? false : 'needs root, to make a socket of somebody else' }, async (context) => {
  const { made, socket } = await room(context)
  const served = await servedApi(context, made.directory, { place: ['--socket', socket] })
  const over = () => runCli(['--server', `unix:${socket}`, '--token-file', served.firstTokenPath, 'runs'], { cwd: made.directory })
  assert.equal((await over()).code, 0)
  chownSync(socket, 12_345, 12_345)
  const others = await over()
  assert.deepEqual([others.code, /a socket of somebody else/.test(others.stderr)], [2, true])
  assert.match((await runCli(['--server', `unix:${served.firstTokenPath}`, '--token-file', served.firstTokenPath, 'runs'], { cwd: made.directory })).stderr, /something that is no socket/)
})

/** A certificate for this machine, and its key. */
function certificate(context: TestContext): { readonly certificate: string; readonly key: string } {
  const directory = temporaryDirectory(context)
  const [path, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', path], { stdio: 'ignore' })
  chmodSync(key, 0o600)
  return { certificate: path, key }
}

verifies('AUT-01 AUT-02', 'over TLS the certificate is the one of the configuration, the command believes whom its environment names, and other addresses need no further flag', async (context) => {
  const { made } = await room(context)
  const files = certificate(context)
  const authority = readFileSync(files.certificate, 'utf8')
  made.set(CONFIGURATION, ['server'], { tls: files })
  const served = await servedApi(context, made.directory)
  assert.match(served.address, /^https:\/\/127\.0\.0\.1:\d+$/)
  assert.equal((await served.ask('/runs', { token: served.admin, authority })).status, 200)
  assert.equal((await served.ask('/runs', { authority })).status, 401)
  assert.equal((await served.ask('/runs', { token: served.admin, authority, headers: { host: 'evil.example' } })).status, 403)
  await assert.rejects(served.ask('/livez'), /self-signed|unable to verify/)
  const over = (env: Record<string, string>) => runCli(['--server', served.address, '--token-file', served.firstTokenPath, 'runs', '--json'], { cwd: made.directory, env })
  assert.deepEqual([(await over({ NODE_EXTRA_CA_CERTS: files.certificate })).code, (await over({})).code], [0, 1])
  await served.end()
  const anywhere = await servedApi(context, made.directory, { arguments: ['--host', '0.0.0.0', '--allowed-host', 'gate.example:1'] })
  assert.match(anywhere.address, /^https:\/\/0\.0\.0\.0:/)
  assert.equal((await anywhere.ask('/livez', { authority, headers: { host: 'gate.example:1' } })).status, 200)
  assert.equal((await anywhere.ask('/livez', { authority })).status, 403)
  await anywhere.end()
  await assert.rejects(servedApi(context, made.directory, { arguments: ['--host', '0.0.0.0'] }), refusedFor(/no allowedHosts/))
})

verifies('AUT-01', 'a key that others may read, that is missing or of another certificate, and a certificate not in force start no server', async (context) => {
  const { made } = await room(context)
  const [files, other] = [certificate(context), certificate(context)]
  const start = (given: { readonly certificate: string; readonly key: string }) => servedApi(context, made.directory, { arguments: ['--tls-certificate', given.certificate, '--tls-key', given.key] })
  const open = join(temporaryDirectory(context), 'open.pem')
  copyFileSync(files.key, open)
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(open, mode)
    await assert.rejects(start({ ...files, key: open }), refusedFor(new RegExp(`mode ${mode.toString(8)}`)))
  }
  await assert.rejects(start({ ...files, key: other.key }), refusedFor(/do not go together/))
  await assert.rejects(start({ ...files, key: `${files.key}.gone` }), refusedFor(/cannot be read \(ENOENT\)/))
  await assert.rejects(servedApi(context, made.directory, { arguments: ['--tls-key', files.key] }), refusedFor(/only --tls-key/))
  const place = (days: number) => listeningPlace({ port: 0, tls: files }, new Date(Date.now() + days * 86_400_000))
  assert.equal(place(1)?.kind, 'address')
  for (const days of [-2, 31]) assert.throws(() => place(days), { code: 'usage' })
})
