import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROUTES } from '../src/http/index.ts'
import { TOOLS } from '../src/mcp/tools.ts'
import { verifies } from './verifies.ts'

const ROOT = join(import.meta.dirname, '..')
const text = readFileSync(join(ROOT, 'docs/boundaries.md'), 'utf8')

/** What stands in backticks in a row of the table of surfaces. */
const surface = (name: string): string[] => [...(new RegExp(`^\\| ${name} \\|(.*)\\|$`, 'm').exec(text)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '').toSorted()

/** The commands whose source starts, takes up or decides on work of a run. */
function commandsThatAct(): string[] {
  const files = globSync('src/cli/commands/*.ts', { cwd: ROOT }).toSorted()
  const acting = files.filter((file) => /\bapp\.(?:run|resume)\(|approve(?:Render|Review|Question)\(/.test(readFileSync(join(ROOT, file), 'utf8')))
  return [...new Set(acting.map((file) => /commands\/(\w+)/.exec(file)?.[1] ?? file))]
}

verifies('ACC-73', 'every surface on which work can come to count as done is named where a review of such a change looks', () => {
  assert.deepEqual(surface('command line'), commandsThatAct().toSorted())
  for (const [row, path] of [['HTTP', '/runs'], ['the queue over HTTP', '/queue'], ['tickets over HTTP', '/tickets']] as const) assert.deepEqual(surface(row), ROUTES.filter((route) => route.method !== 'GET' && `${route.path}/`.startsWith(`${path}/`)).map(({ id }) => id).toSorted())
  assert.deepEqual(surface('MCP'), TOOLS.filter(({ changes }) => changes).map(({ name }) => name).toSorted())
  const app = /export interface App \{([^]*?)\n\}/.exec(readFileSync(join(ROOT, 'src/app.ts'), 'utf8'))?.[1] ?? ''
  assert.deepEqual(surface('library'), [...app.matchAll(/^ {2}(\w+)\([^]*?watcher: RunWatcher\)/gm)].map(([, name]) => name ?? '').toSorted())
})

test('every file that the boundaries name is there', () => {
  const named = [...text.matchAll(/`((?:src|test)\/[^`]+)`/g)].map(([, path]) => path ?? '')
  assert.ok(named.length > 20)
  assert.deepEqual(named.filter((path) => !existsSync(join(ROOT, path))), [])
})
