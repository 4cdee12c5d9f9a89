import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRunToken } from '../../contract/ids.ts'
import { createSecretScanner } from '../../adapters/secret-scan/index.ts'
import { RawKeeper } from '../../adapters/session-common/index.ts'
import { verifies } from '../../../test/verifies.ts'
import { keepRaw } from './keep-raw.ts'

const token = createRunToken()
const scanner = createSecretScanner(() => [token])
const world = { scanner, clock: () => new Date() }

function recorded(...chunks: readonly string[]): RawKeeper {
  const keeper = new RawKeeper({ headBytes: 64, tailBytes: 32 })
  for (const chunk of chunks) keeper.add(Buffer.from(chunk))
  return keeper
}

verifies('MC-133', 'what a session printed is kept within bounds, and not at all if it holds a credential or cannot be scanned', () => {
  const clean = keepRaw(world, 's-1', recorded('hello\r\n').record('terminal'))
  assert.deepEqual([clean.artefact?.name, clean.artefact?.content.toString(), clean.artefact?.truncated], ['session/s-1.terminal', 'hello\r\n', false])
  const held = keepRaw(world, 's-1', { format: 'terminal', content: Buffer.from(`\u001b[1mkey ${token}\u001b[0m`), totalBytes: 100, truncated: false })
  assert.equal(held.artefact, undefined)
  assert.ok(held.surface.findings.length > 0)
  const broken = keepRaw({ ...world, scanner: { ...scanner, scan: () => { throw new Error('broken') } } }, 's-1', recorded('hello').record('protocol'))
  assert.deepEqual([broken.artefact, broken.surface.scanned], [undefined, false])
})

test('the first and the last bytes are kept, and the gap is named', () => {
  const record = recorded('a'.repeat(60), 'b'.repeat(1_000), 'c'.repeat(20)).record('protocol')
  assert.equal(record.content.toString(), `${'a'.repeat(60)}bbbb\n[984 bytes left out]\n${'b'.repeat(12)}${'c'.repeat(20)}`)
  assert.deepEqual([record.totalBytes, record.truncated], [1_080, true])
  assert.deepEqual([recorded('x'.repeat(96)).record('protocol').truncated, recorded('x'.repeat(97)).record('protocol').truncated], [false, true])
})
