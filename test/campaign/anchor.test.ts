import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { PORTCULLIS, runCli, runProgram } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

/** A state directory with a few rows in it. */
async function ledgerIn(directory: string, rows: number, state = 'state'): Promise<void> {
  const ledger = await openLedger(join(directory, state, 'ledger.db'))
  const { runId } = await ledger.begin({ kind: 'probe', taskId: 't', startedAt: new Date(0) })
  for (let row = 0; row < rows; row++) await ledger.append({ runId, events: [{ type: 'run_opened', at: new Date(0).toISOString(), data: { row } }] })
  await ledger.close()
}

verifies('EVD-03', 'the checkpoint is copied out to a file, to the notes of a git repository and to an address, and each copy is compared later', async (t) => {
  const directory = temporaryDirectory(t)
  await ledgerIn(directory, 3)
  const run = (...args: string[]) => runCli([...args, '--state', 'state'], { cwd: directory })
  const taken: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      taken.push(`${request.method} ${request.headers['content-type']}\n${Buffer.concat(chunks).toString()}`)
      response.writeHead(request.url?.startsWith('/full') === true ? 507 : 204).end()
    })
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  execFileSync('git', ['init', '-q', 'kept'], { cwd: directory })
  execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-q', '--allow-empty', '-m', 'first'], { cwd: join(directory, 'kept') })
  const anchored = await run('anchor', '--file', 'anchors.txt', '--git-notes', 'kept', '--webhook', url)
  assert.match(anchored.stdout, /the checkpoint of 3 rows, signed \S+Z, is in anchors\.txt, refs\/notes\/portcullis of kept, http:/)
  const note = readFileSync(join(directory, 'anchors.txt'), 'utf8')
  assert.match(note, /^portcullis\/[0-9a-f]{32}\n3\n[^\n]{44}\ntime \S+Z\n\n— portcullis\/[0-9a-f]{32} \S+\n$/)
  assert.deepEqual(taken, [`POST text/plain; charset=utf-8\n${note}`])
  await ledgerIn(directory, 2)
  assert.equal((await run('anchor', '--file', 'anchors.txt', '--git-notes', 'kept')).code, 0)
  assert.equal((await run('anchor')).stdout, readFileSync(join(directory, 'anchors.txt'), 'utf8').slice(note.length))
  assert.equal((await run('verify', '--anchor', 'anchors.txt', '--anchor-notes', 'kept')).code, 0)
  writeFileSync(join(directory, 'anchors.txt'), note.replace('\n3\n', '\n4\n'))
  assert.match((await run('verify', '--anchor', 'anchors.txt')).stdout, /signature_invalid +anchor 1/)
  writeFileSync(join(directory, 'anchors.txt'), 'nothing')
  assert.match((await run('verify', '--anchor', 'anchors.txt')).stderr, /a checkpoint in \S+anchors\.txt\n +found +none/)
  assert.match((await run('anchor', '--webhook', `${url}/full?token=secret`)).stderr, /to send the checkpoint to http:\/\/127\.0\.0\.1:\d+\n +found +status 507/)
  const notGit = await run('anchor', '--git-notes', 'state')
  assert.deepEqual([notGit.code, /the notes of the git repository/.test(notGit.stderr)], [2, true])
})

test('where there is no ledger there is nothing to anchor, and none is made', async (t) => {
  const directory = temporaryDirectory(t)
  const answer = await runCli(['anchor', '--state', 'state'], { cwd: directory })
  assert.deepEqual([answer.code, /no such file/.test(answer.stderr)], [2, true])
  assert.equal((await runCli(['verify', '--state', 'state'], { cwd: directory })).code, 2)
})

verifies('EVD-03', 'the commands of docs/verify.md anchor a ledger and compare it', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'portcullis.yaml'), '')
  await ledgerIn(directory, 2, '.portcullis')
  execFileSync('git', ['init', '-q'], { cwd: directory })
  execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-q', '--allow-empty', '-m', 'first'], { cwd: directory })
  const document = readFileSync(join(import.meta.dirname, '../../docs/verify.md'), 'utf8')
  const commands = /<!-- anchor:begin -->\n```sh\n([^]*?)```/.exec(document)?.[1] ?? ''
  const { code, stdout, stderr } = await runProgram('/bin/sh', ['-ec', commands.replaceAll('npx portcullis', `"${process.execPath}" "${PORTCULLIS}"`)], { cwd: directory })
  assert.deepEqual([code, stdout.match(/the checkpoint of 2 rows|all as recorded/g)?.length], [0, 3], stderr)
})
