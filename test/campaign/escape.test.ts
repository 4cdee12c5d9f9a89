import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { findProgram } from '../../src/adapters/runtime-process/index.ts'
import { notHere, printed, startSealed } from '../helpers/sealed.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { portOf } from '../helpers/wire-harness.ts'
import { verifies } from '../verifies.ts'

const ESCAPES = join(import.meta.dirname, '../fixtures/escapes')
const WAYS = ['network', 'loopback', 'dns', 'abstract', 'file-read', 'file-write', 'environment', 'socket', 'argv', 'proc', 'ptrace']
/** The ways that a network of its own closes; below level `network` they are open. */
const BY_NETWORK = ['network', 'loopback', 'dns', 'abstract']
const PROGRAMS = { shell: ['bash', 'escape.sh'], node: ['node', 'escape.mjs'], native: ['perl', 'escape.pl'] } as const

interface Targets {
  readonly address: string
  readonly port: number
  readonly dnsPort: number
  readonly abstract: string
  readonly file: string
  readonly socket: string
  readonly pid: number
}

/** What an agent must not reach, each of it real: listeners, a file, and another agent with a secret, an argument and a socket of its own. */
async function targets(t: TestContext): Promise<{ readonly targets: Targets; readonly asked: string[] }> {
  const asked: string[] = []
  const tcp = createServer((socket) => socket.end()).listen(0, '0.0.0.0')
  const abstract = `portcullis-escape-${process.pid}-${Math.trunc(performance.now())}`
  const unix = createServer((socket) => socket.end()).listen(`\0${abstract}`)
  const dns = createSocket('udp4', (message) => void asked.push(message.toString()))
  dns.bind(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening'), once(dns, 'listening')])
  t.after(() => {
    tcp.close()
    unix.close()
    dns.close()
  })
  const directory = temporaryDirectory(t)
  const file = join(directory, 'canary')
  writeFileSync(file, 'canary')
  const socket = join(directory, 'wire.sock')
  const siblingWire = createServer((client) => client.end()).listen(socket)
  await once(siblingWire, 'listening')
  t.after(() => siblingWire.close())
  const sibling = await startSealed(t, 'env', ['node', '-e', 'process.stdin.resume()', 'sibling-argument'], { environment: { SIBLING_SECRET: 'canary' } })
  const address = Object.values(networkInterfaces()).flat().find((each) => each?.family === 'IPv4' && !each.internal)?.address ?? '127.0.0.1'
  return { asked, targets: { address, port: portOf(tcp.address()), dnsPort: dns.address().port, abstract, file, socket, pid: sibling.agent.pid } }
}

async function escapes(t: TestContext, level: 'env' | 'fs' | 'network', program: keyof typeof PROGRAMS, aims: Targets): Promise<string[]> {
  const [, script] = PROGRAMS[program]
  const files = { [script]: readFileSync(join(ESCAPES, script), 'utf8'), 'targets.json': JSON.stringify(aims, null, 2) }
  const { stdout, stderr } = await printed(await startSealed(t, level, PROGRAMS[program], { files }))
  const said = stdout.trim().split('\n').map((line) => line.split(' '))
  assert.deepEqual(said.map(([name]) => name), WAYS, stderr)
  return said.flatMap(([name = '', outcome]) => (outcome === 'held' ? [] : [name]))
}

for (const program of ['shell', 'node', 'native'] as const) {
  verifies('ISO-02', `a ${program} program at network finds none of the ways out that it finds without a seal`, async (t) => {
    const missing = (await findProgram(PROGRAMS[program][0], process.env['PATH'] ?? '', '/')) === undefined ? `${PROGRAMS[program][0]} is not installed here` : ((await notHere('network')) || (await notHere('fs')))
    if (missing !== false) return t.skip(missing)
    const { targets: aims, asked } = await targets(t)
    const heard = (): number => asked.filter((by) => by === program).length
    // Without a seal each of them works: one that cannot would prove nothing about the seal.
    assert.deepEqual(await escapes(t, 'env', program, aims), WAYS)
    assert.equal(heard(), 1)
    assert.match(readFileSync(aims.file, 'utf8'), new RegExp(`canary${program}`))
    writeFileSync(aims.file, 'canary')
    const atFs = await escapes(t, 'fs', program, aims)
    assert.deepEqual(atFs, BY_NETWORK)
    const before = heard()
    // A datagram is sent to nobody without an error, so what counts is whether it arrived.
    const atNetwork = (await escapes(t, 'network', program, aims)).filter((way) => way !== 'dns' || heard() > before)
    assert.deepEqual(atNetwork, [])
    assert.deepEqual([heard(), readFileSync(aims.file, 'utf8')], [before, 'canary'])
  })
}
