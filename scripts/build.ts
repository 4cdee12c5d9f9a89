import { spawnSync } from 'node:child_process'
import { existsSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** What the package cannot do without: `exports` and `bin` lead there. */
const REQUIRED = ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']

/** Compiles src/ into an empty dist/ at `root`. Returns what is wrong with the outcome, one sentence each. */
export function build(root: string): string[] {
  // A file whose source is gone must not live on in the package.
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const compiler = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  if (compiler.status !== 0) return [`tsc ended with ${compiler.status ?? compiler.signal ?? compiler.error?.message ?? 'no status'}`]
  const files = globSync('dist/**/*', { cwd: root })
  const missing = REQUIRED.filter((file) => !existsSync(join(root, file))).map((file) => `${file} was not built`)
  const tests = files.filter((file) => /\.test\.(?:d\.ts|js)$/.test(file)).map((file) => `${file} is a test`)
  return [...missing, ...tests]
}

if (import.meta.main) {
  const faults = build(join(import.meta.dirname, '..'))
  for (const fault of faults) process.stderr.write(`build: ${fault}\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
