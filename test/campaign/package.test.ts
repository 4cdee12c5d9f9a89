import assert from 'node:assert/strict'
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { type CommandResult, runProgram } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = join(import.meta.dirname, '../..')
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
const COMMANDS = ['init', 'run', 'resolve', 'admit', 'decide', 'probe', 'verify', 'report', 'runs', 'provider', 'wire', 'tokens', 'calls']
const UNREACHABLE = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/

/** The tester's environment, without what npm itself adds about this project: the package is installed as a stranger would. */
const stranger = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(?:npm_(?!config_)|npm_config_(?:local_prefix|global_prefix|prefix|call)$|INIT_CWD$|NODE_)/.test(name) ? [] : [[name, value]],
  ),
)
const npm = (args: readonly string[], cwd: string): Promise<CommandResult> => runProgram('npm', args, { cwd, env: stranger, timeoutMs: 120_000 })

/** A copy of what is committed, with the installed tools beside it, so that packing leaves this checkout alone. */
function copyOfCheckout(to: string): string {
  const places = ['bin', 'src', 'console', 'spec', 'examples', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'CONTEXT.md', 'CHANGELOG.md', 'LICENSE']
  for (const place of places) cpSync(join(root, place), join(to, place), { recursive: true, filter: (source) => !relative(root, source).split(/[\\/]/).includes('.portcullis') })
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'))
  return to
}

interface Packed {
  readonly tarball: string
  /** What the tarball holds, without its first folder. */
  readonly files: readonly string[]
}

async function pack(place: string): Promise<Packed> {
  const packed = await npm(['pack', '--pack-destination', place], copyOfCheckout(join(place, 'checkout')))
  assert.equal(packed.code, 0, `${packed.stdout}\n${packed.stderr}`)
  const name = globSync('*.tgz', { cwd: place })[0]
  assert.ok(name, 'npm pack made a tarball')
  const listed = await runProgram('tar', ['-tzf', join(place, name)], { cwd: place })
  return { tarball: join(place, name), files: listed.stdout.split('\n').filter((line) => line !== '').map((line) => line.replace(/^package\//, '')) }
}

test('the package, installed from its tarball in an empty folder, works', { timeout: 240_000 }, async (t) => {
  const place = temporaryDirectory(t)
  const { tarball, files } = await pack(place)

  await t.test('the tarball holds the program, its schemas and its documents', () => {
    for (const file of ['package.json', 'README.md', 'CONTEXT.md', 'CHANGELOG.md', 'LICENSE', 'bin/portcullis.js', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'dist/console/index.html']) assert.ok(files.includes(file), file)
    for (const name of ['portcullis', 'task', 'aliases', 'admission-record', 'decision-record', 'provider-script', 'report']) assert.ok(files.includes(`spec/${name}.schema.json`), name)
  })

  await t.test('the tarball holds no test, no source and nothing of the workshop', () => {
    const ours = files.filter((file) => !file.startsWith('examples/'))
    const known = /^(?:bin\/portcullis\.js|dist\/.+\.(?:js|d\.ts)|dist\/cli\/THIRD-PARTY-LICENSES\.txt|dist\/console\/(?:index\.html|THIRD-PARTY-LICENSES\.txt|assets\/[\w-]+\.(?:js|css))|docs\/reasons\.md|spec\/(?:[\w-]+\.schema|openapi)\.json|package\.json|README\.md|CONTEXT\.md|CHANGELOG\.md|LICENSE)$/
    assert.deepEqual(ours.filter((file) => !known.test(file) || /\.test\.|\/fixtures?\//.test(file)), [])
    assert.deepEqual(files.filter((file) => /(?:^|\/)(?:\.portcullis|\.git|node_modules)\//.test(file)), [])
  })

  const folder = join(place, 'folder')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const installed = await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder)
  const unreachable = installed.code === 0 ? undefined : UNREACHABLE.exec(installed.stderr)?.[0]
  assert.ok(installed.code === 0 || unreachable !== undefined, installed.stderr)
  // Skipped tests are counted and shown, each with this reason; the tarball itself has been looked at above.
  const needsRegistry = { skip: unreachable === undefined ? false : `the npm registry, from which the dependencies come, cannot be reached: ${unreachable}` }

  await t.test('npx portcullis --help ends in 0 and lists the commands', needsRegistry, async () => {
    const { code, stdout, stderr } = await runProgram('npx', ['portcullis', '--help'], { cwd: folder, env: stranger })
    assert.equal(code, 0, stderr)
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^ +${command}\\b`, 'm'))
  })

  await t.test('the command that npm linked gives the version of the package', needsRegistry, async () => {
    const { code, stdout, stderr } = await runProgram(join(folder, 'node_modules/.bin/portcullis'), ['--version'], { cwd: folder })
    assert.deepEqual([code, stdout.trim(), stderr], [0, version, ''])
  })

  await t.test('the library can be imported, and the schemas be resolved, by the name of the package', needsRegistry, async () => {
    const script = 'const all = await import("portcullis"); if (Object.keys(all).length === 0) throw new Error("nothing is exported"); console.log(import.meta.resolve("portcullis/spec/task.schema.json"))'
    const { code, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', script], { cwd: folder })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /node_modules\/portcullis\/spec\/task\.schema\.json$/m)
  })
})
