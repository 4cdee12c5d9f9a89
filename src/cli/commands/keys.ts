import type { Command } from 'commander'
import type { KeyRecord } from '../../app/keys.ts'
import { type CommonOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface NewKeyOptions extends CommonOptions {
  readonly algorithm: string
  readonly privateKey?: string
}

export const register: Register = (program, surface) => {
  const keys = program.command('keys').description('the keys that sign the ledger and the attestations of its runs')
  registerNew(keys, surface, 'init', 'make the key that signs, before the first run does', 'initialiseKeys')
  registerNew(keys, surface, 'rotate', 'sign with a new key from now on; what the old one signed stays verifiable', 'rotateKeys')
  registerList(keys, surface)
  registerExport(keys, surface)
}

function registerNew(keys: Command, surface: Surface, name: string, description: string, act: 'initialiseKeys' | 'rotateKeys'): void {
  const command = keys
    .command(name)
    .description(description)
    .option('--algorithm <name>', 'ecdsa-p256 or ed25519', 'ecdsa-p256')
    .option('--private-key <file>', 'where its private half is written, readable by its owner only (in the state directory)')
  withExamples(withCommonOptions(command), `keys ${name}`).action(async (options: NewKeyOptions) => {
    const terminal = surface.terminal(options.json === true)
    const made = (await import('../../app/keys.ts'))[act](surface.app(options), { algorithm: options.algorithm, privateKey: options.privateKey })
    if (terminal.json) return terminal.emit(`${JSON.stringify(shown(made), null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${made.algorithm} key ${made.key_id} signs from now on`)
    terminal.line('  Give its public half to whoever is to verify without you: npx portcullis keys export > portcullis.pub.pem')
  })
}

function registerList(keys: Command, surface: Surface): void {
  withExamples(withCommonOptions(keys.command('list').description('every key, oldest first, and which one signs')), 'keys list').action(async (options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const listed = (await import('../../app/keys.ts')).keysIn(surface.app(options))
    if (terminal.json) return terminal.emit(`${JSON.stringify({ keys: listed.map(shown) }, null, 2)}\n`)
    if (listed.length === 0) return terminal.line('  No key yet. The first run makes one, or: npx portcullis keys init')
    for (const key of listed) terminal.line(`  ${key.key_id}  ${key.algorithm.padEnd(10)}  ${key.retired_at === null ? terminal.paint('green', `signs since ${key.created_at}`) : `retired ${key.retired_at}`}${key.private_key === null ? '' : `  ${terminal.paint('dim', printable(key.private_key))}`}`)
  })
}

function registerExport(keys: Command, surface: Surface): void {
  const command = keys.command('export [key]').description('print a public key as PEM, the one that signs if none is named; it is what others verify with')
  withExamples(withCommonOptions(command), 'keys export > portcullis.pub.pem').action(async (key: string | undefined, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { keyId, algorithm, pem } = (await import('../../app/keys.ts')).exportedKey(surface.app(options), key)
    terminal.emit(terminal.json ? `${JSON.stringify({ key_id: keyId, algorithm, pem }, null, 2)}\n` : pem)
  })
}

const shown = ({ key_id, algorithm, created_at, retired_at, private_key }: KeyRecord) => ({ key_id, algorithm, created_at, retired_at, signs: retired_at === null, private_key })
