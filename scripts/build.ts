import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import * as z from 'zod'

/** What the package cannot do without: `exports` and `bin` lead there. */
const REQUIRED = ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'dist/console/index.html', 'dist/console/THIRD-PARTY-LICENSES.txt']

/** The packages of which a module is in the console, as its build names them. */
const ViteManifest = z.array(z.string().regex(/^node_modules\/(?:@[\w.-]+\/)?[\w.-]+$/))

const CONSOLE_LIMIT_MS = 120_000

/** Compiles src/ into an empty dist/ at `root`. Returns what is wrong with the outcome, one sentence each. */
export function build(root: string): string[] {
  // A file whose source is gone must not live on in the package.
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const compiler = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  if (compiler.status !== 0) return [`tsc ended with ${compiler.status ?? compiler.signal ?? compiler.error?.message ?? 'no status'}`]
  bundleCommand(root, join(root, 'dist/cli'))
  const packer = bundleConsole(root, join(root, 'dist/console'))
  if (packer !== undefined) return [packer]
  const files = globSync('dist/**/*', { cwd: root })
  const missing = REQUIRED.filter((file) => !existsSync(join(root, file))).map((file) => `${file} was not built`)
  const tests = files.filter((file) => /\.test\.(?:d\.ts|js)$/.test(file)).map((file) => `${file} is a test`)
  return [...missing, ...tests]
}

/** Builds the console into `outdir`, by a process of its own: nothing of it belongs to the server. Returns what went wrong, or undefined. */
export function bundleConsole(root: string, outdir: string): string | undefined {
  const vite = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--config', 'vite.config.ts', '--outDir', outdir, '--emptyOutDir', '--logLevel', 'error'], { cwd: join(root, 'console'), stdio: 'inherit', timeout: CONSOLE_LIMIT_MS })
  if (vite.status !== 0) return `the build of the console ended with ${vite.status ?? vite.signal ?? vite.error?.message ?? 'no status'}`
  const manifest = ViteManifest.parse(JSON.parse(readFileSync(join(outdir, 'packages.json'), 'utf8')))
  if (manifest.length === 0) return 'the build of the console named no package'
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), manifest.map((path) => licenceOf(root, path)).join('\n'))
  rmSync(join(outdir, 'packages.json'))
  return undefined
}

/**
 * Replaces `outdir` by a bundle of the command and all it imports: resolving and compiling some hundred modules is most of
 * a cold start. What a command does not need stays in files of its own, which are read when it is imported.
 */
export function bundleCommand(root: string, outdir: string): void {
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts'],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    metafile: true,
    // One finds its own parts beside itself, the other asks for some that may be there or not; each is loaded only by what needs it.
    external: ['playwright-core', 'pg'],
    logLevel: 'warning',
    // CommonJS in the bundle asks for built-in modules by a `require` that ES modules do not have.
    banner: { js: "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
  })
  for (const file of globSync('*.js', { cwd: outdir })) takeBuiltinsAsTheyAre(join(outdir, file))
  const packages = [...new Set(Object.keys(metafile.inputs).flatMap((input) => /(?:^|\/)(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []))].toSorted()
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), packages.map((path) => licenceOf(root, path)).join('\n'))
}

/** One statement of the bundler that imports from a built-in module: `import a,{b as c}from"node:d";` or `import*as a from"node:d";`. */
const BUILTIN_IMPORT = /import ?(?:\* ?as ([\w$]+)|([\w$]+)?,?(?:\{([\w$ ,]*)\})?) ?from ?"(node:[\w/]+)";?/g

/**
 * Has a bundled file take its built-in modules as the objects they are. An `import` of one evaluates each of its getters,
 * which loads web crypto, workers and readline for a command that only wanted a hash: a tenth of a cold start. By `globalThis`,
 * because a package may import `process` under that name. Throws if a statement is not understood, so that none is left half done.
 */
function takeBuiltinsAsTheyAre(path: string): void {
  const text = readFileSync(path, 'utf8').replace(BUILTIN_IMPORT, (_statement, all: string | undefined, whole: string | undefined, named: string | undefined, name: string) => {
    const names = (named ?? '').split(',').filter((each) => each !== '').map((each) => each.replace(' as ', ':'))
    const targets = [all, whole, ...names.flatMap((each) => (each.startsWith('default:') ? [each.slice('default:'.length)] : []))].filter((target) => target !== undefined)
    const members = names.filter((each) => !each.startsWith('default:'))
    return [...targets, ...(members.length === 0 ? [] : [`{${members.join()}}`])].map((target) => `const ${target}=globalThis.process.getBuiltinModule("${name}");`).join('')
  })
  const left = /(?:from|import) ?["']node:[^"']*["']/.exec(text)
  if (left !== null) throw new Error(`${path} still imports a built-in module: ${left[0]}`)
  writeFileSync(path, text)
}

/** The licence text of a bundled package, as its author ships it. Throws if there is none: then it must not be bundled. */
function licenceOf(root: string, path: string): string {
  const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: join(root, path) })
  if (file === undefined) throw new Error(`${path} ships no licence`)
  return `== ${path.replace('node_modules/', '')}\n\n${readFileSync(join(root, path, file), 'utf8').trim()}\n`
}

if (import.meta.main) {
  const faults = build(join(import.meta.dirname, '..'))
  for (const fault of faults) process.stderr.write(`build: ${fault}\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
