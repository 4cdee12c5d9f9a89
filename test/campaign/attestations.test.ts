import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { sha256 } from '../../src/contract/canonical.ts'
import { PORTCULLIS, runProgram } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'
import { runTask, scenario } from '../e2e/scenario.ts'

const document = readFileSync(join(import.meta.dirname, '../../docs/verify.md'), 'utf8')

/** The commands that the document shows between two markers. */
function shown(name: string): string {
  const block = new RegExp(`<!-- ${name}:begin -->\\n\`\`\`sh\\n([^]*?)\`\`\`\\n<!-- ${name}:end -->`).exec(document)?.[1]
  assert.ok(block !== undefined, `docs/verify.md has no block ${name}`)
  return block
}

interface Taken {
  /** The directory of a run and the public key, where neither ledger nor configuration is. */
  readonly place: string
  readonly lines: readonly string[]
  readonly pem: string
  readonly runId: string
  /** Runs commands of the document there. The last decides. */
  shell(commands: string): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

async function taken(t: TestContext, algorithm: string): Promise<Taken> {
  const made = await scenario(t)
  assert.equal((await made.portcullis(['keys', 'init', '--algorithm', algorithm])).code, 0)
  const { report, runDirectory } = await runTask(made)
  const place = temporaryDirectory(t)
  cpSync(runDirectory, place, { recursive: true })
  cpSync(runDirectory, join(place, 'run'), { recursive: true })
  const pem = (await made.portcullis(['keys', 'export'])).stdout
  writeFileSync(join(place, 'portcullis.pub.pem'), pem)
  const command = `"${process.execPath}" "${PORTCULLIS}"`
  return {
    place,
    lines: readFileSync(join(place, 'run.intoto.jsonl'), 'utf8').split('\n').slice(0, -1),
    pem,
    runId: report.run_id,
    shell: (commands) => runProgram('/bin/sh', ['-c', commands.replaceAll('npx portcullis', command)], { cwd: place }),
  }
}

/** One character of the base64 of a line made another one. */
const flippedIn = (line: string, field: 'payload' | 'sig'): string => {
  const at = line.indexOf(`"${field}":"`) + field.length + 4 + 20
  return `${line.slice(0, at)}${line[at] === 'A' ? 'B' : 'A'}${line.slice(at + 1)}`
}

verifies('EVD-07', 'the lines of docs/verify.md check a run with openssl alone, and a flipped byte fails', async (t) => {
  const { place, lines, pem, shell } = await taken(t, 'ecdsa-p256')
  assert.match((await shell(shown('key'))).stdout, new RegExp(`= ${sha256(pem)}\\n$`))
  const four = shown('openssl')
  assert.equal(four.trim().split('\n').length, 4)
  for (const line of [1, 2, lines.length - 2, lines.length - 1, lines.length]) {
    const { code, stdout, stderr } = await shell(four.replaceAll('sed -n 1p', `sed -n ${line}p`))
    assert.deepEqual([code, stdout], [0, 'Verified OK\n'], stderr)
  }
  assert.match(readFileSync(join(place, 'statement.json'), 'utf8'), /"PORTCULLIS_RUN_ACCEPTED"/)
  await shell(four)
  assert.deepEqual([(await shell(shown('checkpoint'))).stdout, (await shell(shown('file'))).code], ['Verified OK\n', 0])
  writeFileSync(join(place, 'report.json'), `${readFileSync(join(place, 'report.json'), 'utf8')} `)
  assert.equal((await shell(shown('file'))).code, 1)
  for (const field of ['payload', 'sig'] as const) {
    writeFileSync(join(place, 'run.intoto.jsonl'), `${flippedIn(lines[0] ?? '', field)}\n`)
    assert.notEqual((await shell(four)).code, 0, field)
  }
  writeFileSync(join(place, 'checkpoint.body'), readFileSync(join(place, 'checkpoint.body'), 'utf8').replace('time 20', 'time 19'))
  assert.notEqual((await shell(shown('checkpoint').trim().split('\n').at(-1) ?? '')).code, 0)
})

verifies('EVD-07', 'with a key of Ed25519 the check of the document is another, and so is the result of a flipped byte', async (t) => {
  const { place, lines, shell } = await taken(t, 'ed25519')
  const checked = `${shown('openssl').trim().split('\n').slice(0, 3).join('\n')}\n${shown('ed25519')}`
  assert.equal((await shell(checked)).code, 0)
  assert.equal((await shell(shown('portcullis'))).code, 0)
  writeFileSync(join(place, 'run.intoto.jsonl'), `${flippedIn(lines[0] ?? '', 'payload')}\n`)
  assert.notEqual((await shell(checked)).code, 0)
})

verifies('EVD-07', '@sigstore/verify believes each envelope with the public key, and none after a flipped byte or with another key', async (t) => {
  const { lines, pem, shell } = await taken(t, 'ecdsa-p256')
  const keyId = sha256(pem)
  const rawBytes = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  const root = { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] }
  const verifier = new Verifier(toTrustMaterial(root, { [keyId]: { rawBytes, keyDetails: 5 } }), { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
  const verify = (line: string, hint = keyId): unknown =>
    verifier.verify(toSignedEntity(bundleFromJSON({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', verificationMaterial: { publicKey: { hint }, tlogEntries: [] }, dsseEnvelope: JSON.parse(line) as unknown })))
  for (const line of lines) verify(line)
  for (const line of lines) for (const field of ['payload', 'sig'] as const) assert.throws(() => verify(flippedIn(line, field)), field)
  assert.throws(() => verify(lines[0] ?? '', 'f'.repeat(64)), /key not found/)
  const both = await shell(shown('portcullis'))
  assert.deepEqual([both.code, both.stdout.match(/all as recorded/g)?.length], [0, 2], both.stderr)
})

verifies('EVD-05', 'what stays possible stands where users read how to verify', () => {
  const section = /## What stays possible\n([^]*)$/.exec(document)?.[1] ?? ''
  for (const attack of [/stolen signing key/, /rows that\s+came after it can be changed, removed or added/, /Rows after the last anchor/]) assert.match(section, attack)
})
